"""Every problem of every file is reported, with its place and the correction."""

from __future__ import annotations

import pytest

from calfeed.definitions.reader import read_definitions
from calfeed.errors import DefinitionError
from calfeed.model.uids import NAME_BASED_UIDS

HEAD = "name: X\ntime_zone: America/New_York\n"
TIMED = HEAD + "events:\n  a:\n    summary: S\n    start: 2024-09-27 10:30\n"
ALL_DAY = HEAD + "events:\n  a:\n    summary: S\n    start: 2024-09-27\n"


def problems_of(files: dict[str, str]) -> list[str]:
    with pytest.raises(DefinitionError) as caught:
        read_definitions({file: text.encode() for file, text in files.items()})
    return [str(problem) for problem in caught.value.problems]


# Lines put after a timed event (the first is line 7), and the problem they make.
TIMED_PROBLEMS = {
    "end: 2024-09-31 11:00": '7:5: events.a.end: "2024-09-31 11:00" is not a date (September',
    "end: 2024-09-27 10:30": "7:5: events.a.end: must be later than the start, 2024-09-27 10:30",
    "end: 2024-09-26 12:00": "7:5: events.a.end: must be later than the start",
    "end: 2024-09-27": "7:5: events.a.end: is a date, but the event's start has a time; write",
    "end: 2025-03-09 02:30": '7:5: events.a.end: "2025-03-09 02:30" does not exist',
    "end: 2024-11-03 01:30": '7:5: events.a.end: "2024-11-03 01:30" is ambiguous',
    "end: [2024-09-27]": "7:5: events.a.end: must be a text, not a list",
    "duration: 2 fortnights": '7:5: events.a.duration: "2 fortnights" is not a valid duration',
    "duration: 0 minutes": "7:5: events.a.duration: must be longer than zero",
    "end: 2024-09-27 12:00\n    duration: 1 hour": "8:5: events.a.duration: cannot be combined "
    "with an end",
    "time_zone: Asia/Karatschi": '7:5: events.a.time_zone: "Asia/Karatschi" is not an IANA',
    "sumary: x": '7:5: events.a.sumary: there is no key "sumary" here; did you mean "summary"?',
    "zzz: x": '7:5: events.a.zzz: there is no key "zzz" here; the keys here are summary, start,',
    "status: Postponed": "7:5: events.a.status: \"Postponed\" is not valid here; write 'tentative'",
    "kind: party": "7:5: events.a.kind: \"party\" is not valid here; write 'event' or 'deadline'",
    "kind: [event]": "7:5: events.a.kind: must be a text, not a list",
    "categories: address": "7:5: events.a.categories: must be a list, such as [one, another]",
    "categories: [a, {b: c}]": "7:21: events.a.categories.1: must be a text, not a map",
    "categories: [a, '']": "7:21: events.a.categories.1: must not be empty",
    "url: www.example.org": '7:5: events.a.url: "www.example.org" is not a URL',
    "url: mailto:a@example.org": '7:5: events.a.url: "mailto:a@example.org" is not a URL',
    "url: https://u:secret@example.org/": "7:5: events.a.url: a public URL must not",
    "url: ftp://u:secret@[::1": "7:5: events.a.url: a public URL must not contain",
    "url: 'https://[::1/'": '7:5: events.a.url: "https://[::1/" is not a URL',
    "url: https://example.org/a b": '7:5: events.a.url: "https://example.org/a b" is not a URL: it',
    "url: https://bücher.example/": '7:5: events.a.url: "bücher.example" must be in its ASCII form',
    "location: {en_US: x}": '7:16: events.a.location.en_US: "en_US" is not a language tag '
    '(BCP 47); write "en-US"',
    "location: {en: x, EN: y}": "7:5: events.a.location: has the same language twice",
    "location: {en: [x]}": "7:16: events.a.location.en: must be a text, not a list",
    "location: {}": "7:5: events.a.location: must not be empty",
    "location: [x]": "7:5: events.a.location: must be a text, or a map of languages",
    "location: ' '": "7:5: events.a.location: must not be empty",
    'location: "\\u200f\\ufeff"': "7:5: events.a.location: must not be empty",
    "note: " + "x" * 10_001: "7:5: events.a.note: has 10,001 characters; the maximum is 10,000",
    "sources: [{url: 'https://example.org'}]": '7:15: events.a.sources.0: the key "title" is '
    "missing (the title of the source)",
    "sources: [{title: x, date: 2024-02-30}]": '7:26: events.a.sources.0.date: "2024-02-30" is not',
    "sources: [{title: x, date: 2024-02-03 10:00}]": "7:26: events.a.sources.0.date: ",
    "sources: [x]": "7:15: events.a.sources.0: must be a map with the keys title, url and date",
    "reminders: 1 week": "7:5: events.a.reminders: must be a list",
    "reminders: [1 week, soon]": '7:25: events.a.reminders.1: "soon" is not a valid duration',
    "reminders: [{before: 2 hours, at: 09:00}]": '7:17: events.a.reminders.0: "at" can '
    "be combined only with",
    "reminders: [{before: 1 day, at: 9}]": '7:33: events.a.reminders.0.at: "9" is not a time',
    "reminders: [{at: 09:00}]": '7:17: events.a.reminders.0: the key "before" is missing',
    "reminders: [{before: 1 day, after: x}]": "7:33: events.a.reminders.0.after: there is no key",
    f"reminders: [{', '.join(['1 day'] * 21)}]": "7:5: events.a.reminders: has 21 entries; the",
    "uid: ''": "7:5: events.a.uid: must not be empty",
    "repeat: FREQ=YEARLY": "7:5: events.a.repeat: must be a map with the keys rule, except, also",
    "repeat: {}": '7:5: events.a.repeat: needs a "rule", or additional starts under "also"',
    "repeat: {rule: FREQ=MINUTELY}": "7:14: events.a.repeat.rule: FREQ=MINUTELY is not supported",
    "repeat: {rul: FREQ=YEARLY}": '7:14: events.a.repeat.rul: there is no key "rul" here; did you '
    'mean "rule"?',
    "repeat: {rule: FREQ=YEARLY, except: [2025-09-27]}": "7:42: events.a.repeat.except.0: is a "
    "date, but the event's start has a time; write 2025-09-27 10:30",
    "repeat: {rule: FREQ=YEARLY, except: [2025-09-28 10:30]}": "7:42: events.a.repeat.except.0: is "
    "not an occurrence of the rule; the last before it is 2025-09-27 10:30",
    "repeat: {rule: FREQ=YEARLY, except: [2025-09-27 10:30, 2025-09-27T10:30]}": "7:60: events.a."
    "repeat.except.1: is listed twice",
    "repeat: {rule: FREQ=YEARLY;COUNT=2, except: [2026-09-27 10:30]}": "7:50: events.a.repeat."
    "except.0: is not an occurrence of the rule",
    "repeat: {rule: FREQ=HOURLY, except: [2199-09-27 10:30]}": "7:42: events.a.repeat.except.0: is "
    "not an occurrence of the rule",
    "repeat: {also: [2024-01-01 10:30]}": "7:21: events.a.repeat.also.0: is before the event's",
    "repeat: {rule: FREQ=YEARLY, changes: {2025-09-28 10:30: {status: cancelled}}}": "7:43: events."
    "a.repeat.changes.2025-09-28 10:30: is not an occurrence of this event; the last before",
    "repeat: {rule: FREQ=YEARLY, changes: {2025-09-27 10:30: {}}}": "7:43: events.a.repeat.changes."
    "2025-09-27 10:30: changes nothing",
    "repeat: {rule: FREQ=YEARLY, changes: {2025-09-27 10:30: {strt: x}}}": "7:62: events.a.repeat."
    'changes.2025-09-27 10:30.strt: there is no key "strt" here; did you mean "start"?',
    "repeat: {rule: FREQ=YEARLY, changes: {2025-09-27 10:30: {start: 2025-09-28}}}": "7:62: events."
    "a.repeat.changes.2025-09-27 10:30.start: is a date, but",
    "repeat: {rule: FREQ=YEARLY, changes: {2025-09-27 10:30: {end: 2025-09-27 10:00}}}": "7:62: "
    "events.a.repeat.changes.2025-09-27 10:30.end: must be later than the start",
    "repeat: {rule: FREQ=YEARLY, changes: {2025-13-27 10:30: {status: cancelled}}}": "7:43: events."
    'a.repeat.changes.2025-13-27 10:30: "2025-13-27 10:30" is not a date (the month',
    "repeat: {rule: FREQ=YEARLY, except: [2025-09-27 10:30], changes: {2025-09-27 10:30: {url: "
    "'https://example.org'}}}": "7:71: events.a.repeat.changes.2025-09-27 10:30: is also excluded",
}
ALL_DAY_PROBLEMS = {
    "end: 2024-09-26": "7:5: events.a.end: the last day must not be before the start, 2024-09-27",
    "end: 2024-09-27 12:00": "7:5: events.a.end: has a time, but the event's start is a date; "
    "write 2024-09-27",
    "duration: 2 hours": "7:5: events.a.duration: an all-day event lasts whole days",
    "repeat: {rule: FREQ=HOURLY}": "7:14: events.a.repeat.rule: FREQ=HOURLY is for events with",
    "repeat: {also: [2025-01-01 10:00]}": "7:21: events.a.repeat.also.0: has a time, but the",
}


@pytest.mark.parametrize(
    ("text", "words"),
    [(f"{TIMED}    {lines}\n", words) for lines, words in TIMED_PROBLEMS.items()]
    + [(f"{ALL_DAY}    {lines}\n", words) for lines, words in ALL_DAY_PROBLEMS.items()],
)
def test_what_is_wrong_with_an_event_is_told_with_its_place(text: str, words: str) -> None:
    (problem,) = problems_of({"events/x.yaml": text})
    assert problem.startswith(f"events/x.yaml:{words}")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "1:1: is empty"),
        ("# nothing\n", "1:1: is empty"),
        ("- a\n", "1:1: must be a map with the keys name, description, time_zone"),
        ("x\n", "1:1: must be a map with the keys name"),
        ("time_zone: UTC\n", '1:1: the key "name" is missing (the calendar\'s title'),
        ("\nname: X\n", '2:1: the key "time_zone" is missing (the default IANA'),
        ("name:\ntime_zone: UTC\n", "1:1: name: must be a text, or a map of languages"),
        ("name: |\n  a\n  b\ntime_zone: UTC\n", "1:1: name: must be one line"),
        (
            HEAD + "colour: red\n",
            '3:1: colour: there is no key "colour" here; did you mean "color"?',
        ),
        (
            HEAD + "color: sea green\n",
            '3:1: color: "sea green" is not a CSS 3 colour name; did you mean seagreen?',
        ),
        (
            HEAD + "color: '#2e8b56'\n",
            '3:1: color: "#2e8b56" must be a colour name; the closest is seagreen',
        ),
        (HEAD + "language: English!\n", '3:1: language: "English!" is not a language tag'),
        (HEAD + "reminders: [never]\n", '3:13: reminders.0: "never" is not a valid duration'),
        (
            HEAD + "events: [a]\n",
            "3:1: events: must be a map of events by their names, but is a list",
        ),
        (HEAD + "events: {a: }\n", "3:10: events.a: must be a map with the keys summary, start"),
        (HEAD + "events: {a: x}\n", "3:10: events.a: must be a map with the keys summary, start"),
        (
            HEAD + "events: {a: {start: 2024-01-01}}\n",
            '3:10: events.a: the key "summary" is missing',
        ),
        (HEAD + "events: {a: {summary: S}}\n", '3:10: events.a: the key "start" is missing'),
        (
            HEAD + "events: {PM Address: {summary: S, start: 2024-01-01}}\n",
            "3:10: events.PM Address: "
            '"PM Address" is not a valid name: use 1 to 64 of a-z, 0-9 and "-", not starting with '
            '"-"; write "pm-address"',
        ),
        (HEAD + "events: {یوم: {summary: S, start: 2024-01-01}}\n", "3:10: events.یوم: "),
        (
            HEAD + f"events: {{{'a' * 65}: {{summary: S, start: 2024-01-01}}}}\n",
            "3:10: events.aaaa",
        ),
    ],
)
def test_what_is_wrong_with_a_calendar_is_told_with_its_place(text: str, words: str) -> None:
    (problem,) = problems_of({"events/x.yaml": text})
    assert problem.startswith(f"events/x.yaml:{words}")


SMALL = HEAD + "events:\n  a: {summary: S, start: 2024-01-01}\n"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (
            {"events/un.yaml": SMALL, "events/un.yml": HEAD},
            'events/un.yml: the calendar "un" is also in events/un.yaml; keep one of them',
        ),
        (
            {"events/un.yaml": SMALL, "events/un/calendar.yaml": HEAD},
            'events/un/calendar.yaml: the calendar "un" is also in events/un.yaml; keep one of '
            "them",
        ),
        (
            {"events/un/2024.yaml": "events:\n  a: {summary: S, start: 2024-01-01}\n"},
            "events/un/2024.yaml: events/un/ has no calendar.yaml; add one with the name and "
            "time zone",
        ),
        (
            {"events/un/calendar.yaml": SMALL, "events/un/z.yaml": SMALL.replace(HEAD, "")},
            "events/un/z.yaml:2:3: events.a: is also defined in events/un/calendar.yaml, line 4; "
            "keep one",
        ),
        (
            {"events/un/calendar.yaml": HEAD, "events/un/z.yaml": "name: X\nevents: {}\n"},
            'events/un/z.yaml:1:1: name: "name" belongs in calendar.yaml; other files '
            "of the calendar have only events",
        ),
        (
            {"events/un/calendar.yaml": HEAD, "events/un/z.yaml": "- x\n"},
            "events/un/z.yaml:1:1: must be a map with the keys events, but is a list",
        ),
        (
            {"events/un/calendar.yaml": HEAD, "events/un/z.yaml": ""},
            "events/un/z.yaml:1:1: is empty; remove it, or add its content",
        ),
        (
            {"events/a/b/c.yaml": HEAD},
            "events/a/b/c.yaml: is nested too deep: a calendar is a file, or one folder of "
            "files; move it up",
        ),
        (
            {"events/Pakistan UN.yaml": HEAD},
            'events/Pakistan UN.yaml: "Pakistan UN" is not a valid name: use 1 to 64 of '
            'a-z, 0-9 and "-", not starting with "-"; write "pakistan-un"',
        ),
        (
            {
                "events/x.yaml": SMALL.replace("S,", "S, uid: u@example.org,"),
                "events/y.yaml": SMALL.replace("S,", "S, uid: u@example.org,"),
            },
            'events/y.yaml:4:19: events.a.uid: the UID "u@example.org" is also used in '
            "events/x.yaml, line 4",
        ),
    ],
)
def test_what_is_wrong_between_files_is_told(files: dict[str, str], expected: str) -> None:
    assert problems_of(files) == [expected]


def test_a_uid_that_another_event_was_given_by_its_name_is_refused() -> None:
    text = (
        SMALL + f"  b: {{summary: S, start: 2024-01-01, uid: {NAME_BASED_UIDS.make('x', 'a')}}}\n"
    )
    (problem,) = problems_of({"events/x.yaml": text})
    assert problem.startswith("events/x.yaml:5:38: events.b.uid: the UID ")


def test_every_problem_of_every_file_is_told_at_once_in_the_order_of_the_files() -> None:
    files = {
        "events/b.yaml": "name: B\ntime_zone: Mars/Olympus\nevents:\n  e:\n    summery: x\n"
        "    start: 2024-02-30\n    end: 2024-01-01\n    reminders: [soon, 1 day]\n",
        "events/a.yaml": "a: [\n",
        "events/c.yaml": HEAD + "events:\n  e:\n    start: 2024-02-03\n    end: 2024-02-01\n"
        "    colour: red\n    repeat: {rule: FREQ=DAILY;COUNT=0, sinc: x}\n    start: 2024-02-04\n",
    }
    places = [problem.partition(": ")[0] for problem in problems_of(files)]
    assert places == [
        "events/a.yaml:2:1",
        "events/b.yaml:2:1",
        "events/b.yaml:5:5",
        "events/b.yaml:6:5",
        "events/b.yaml:8:17",
        "events/c.yaml:4:3",
        "events/c.yaml:6:5",
        "events/c.yaml:7:5",
        "events/c.yaml:8:14",
        "events/c.yaml:8:40",
        "events/c.yaml:9:5",
    ]


def test_more_events_than_a_calendar_may_have_are_refused_before_they_are_read() -> None:
    events = "events:\n" + "".join(f"  e{number}:\n" for number in range(20_001))
    (problem,) = problems_of({"events/x.yaml": HEAD + events})
    assert problem == (
        "events/x.yaml: the calendar has 20,001 events; the maximum is 20,000; split it"
    )


def test_more_exceptions_than_an_event_may_have_are_refused() -> None:
    dates = ", ".join(["2025-09-27"] * 10_001)
    (problem,) = problems_of({"events/x.yaml": f"{ALL_DAY}    repeat: {{also: [{dates}]}}\n"})
    assert "events.a.repeat.also: has 10,001 entries; the maximum is 10,000" in problem
