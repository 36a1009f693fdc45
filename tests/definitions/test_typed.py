"""Common mistakes: each is reported at its own place, with its cause and the correction."""

from __future__ import annotations

from datetime import date

import pytest

from calfeed.definitions.reader import read_definitions
from calfeed.errors import DefinitionError

TODAY = date(2026, 11, 28)
HEAD = "name: Our dates\ntime_zone: Asia/Karachi\n"
REPORT = HEAD + "events:\n  report:\n"
DUE = REPORT + "    summary: Report due\n"


def read(text: str) -> list[str]:
    """The problems of one file, or else its warnings."""
    try:
        defined = read_definitions({"events/x.yaml": text.encode()}, today=TODAY)
    except DefinitionError as error:
        return [str(problem) for problem in error.problems]
    return [str(warning) for warning in defined.warnings]


def event(*lines: str) -> str:
    return REPORT + "".join(f"    {line}\n" for line in lines)


# The lines of an event that begins in line 5, to where its one problem is and what it says.
EVENT_PROBLEMS = {
    # Comments that touch what they would take away.
    ("summary: Report #3", "start: 2030-06-14"): '5:14: events.report.summary: "#3" is a comment '
    'in YAML and would be lost; put quotes around it all: summary: "Report #3"',
    (
        "summary: \"Report\" #3 of 'four'",
        "start: 2030-06-14",
    ): '5:14: events.report.summary: "#3 of '
    "'four'\" is a comment in YAML and would be lost; put quotes around it all: summary: ",
    ("summary: Report", "  continued #3", "start: 2030-06-14"): "5:14: events.report.summary: ",
    ("summary: R", "start: 2030-06-14 #todo"): '6:12: events.report.start: "#todo" is a comment',
    ("summary: R", "start: 2030-06-14", "categories:", "  - a #b"): "8:9: events.report.categories."
    '0: "#b" is a comment in YAML and would be lost; put quotes around it all: "a #b"',
    ("summary: R", "start: 2030-06-14", "categories: [a #b,", "  c]"): "7:18: events.report.",
    ("summary: R", "start: 2030-06-14", "categories: [#3, #4]"): "7:17: the [ that opens here is "
    'not closed, as "#3, #4]" is a comment in YAML; put quotes around each text with a #',
    # Commas that end a text in braces.
    (
        "summary: R",
        "start: 2030-06-14",
        "repeat: {rule: FREQ=WEEKLY;BYDAY=TU,TH,FR}",
    ): "7:41: events"
    ".report.repeat.rule: a comma ends the text in {…}; put quotes around all of it: rule: "
    '"FREQ=WEEKLY;BYDAY=TU,TH,FR"',
    ("summary: {en: Audit, final round, ur: آڈٹ}", "start: 2030-06-14"): "5:26: events.report."
    'summary.en: a comma ends the text in {…}; put quotes around all of it: en: "Audit, final',
    ("summary: R", "start: 2030-06-14", "organizer: {desk@example.org}"): "7:17: events.report."
    'organizer: "desk@example.org" has no colon',
    # Colons, spaces and quotes.
    ("summary Report due", "start: 2030-06-14"): '5:5: a colon is missing in "summary Report due"; '
    'write "summary: Report due"',
    (
        "summary: R",
        "start 2030-06-14",
    ): '6:5: a colon is missing in "start 2030-06-14"; write "start:',
    (
        "summary = Report",
        "start: 2030-06-14",
    ): '5:5: a colon is missing in "summary = Report"; write "summary: Report"',
    ("summary：Report", "start: 2030-06-14"): "5:5: a colon is missing in",
    (
        "summary: R",
        "start:2030-06-14",
        "kind: deadline",
    ): '6:5: a space is missing after the colon; write "start: 2030-06-14"',
    ("summary: Report: final", "start: 2030-06-14"): '5:14: a text with ": " in it needs quotes '
    'around it; write summary: "Report: final"',
    ("summary: “Report: final”", "start: 2030-06-14"): "5:14: “ is not a quote in YAML, which uses "
    'only " and \'; write summary: "Report: final"',
    ("summary: «Report: final»", "start: 2030-06-14"): "5:14: « is not a quote in YAML",
    ('summary: "Report', "start: 2030-06-14"): "5:14: the quote that opens here is not closed",
    (
        "summary: 'Report",
        "start: 2030-06-14",
        "note: 'x'",
    ): "5:14: the quote that opens here is not",
    ('summary: "Final" report', "start: 2030-06-14"): "5:14: the text goes on after its closing "
    "quote; put quotes around all of it; write summary: '\"Final\" report'",
    ("summary: 'Ali's report'", "start: 2030-06-14"): "5:14: the text goes on after its closing "
    'quote; put quotes around all of it; write summary: "Ali\'s report"',
    (
        "summary: [Draft] Report",
        "start: 2030-06-14",
    ): "5:14: a text that begins with [ needs quotes",
    (
        "summary: @team",
        "start: 2030-06-14",
    ): "5:14: a text that begins with @ needs quotes around it",
    ("summary: > 100 people", "start: 2030-06-14"): "5:14: a text that begins with > needs quotes",
    ("summary: *urgent* call", "start: 2030-06-14"): "5:14: a text that begins with * needs quotes",
    ("summary: !urgent", "start: 2030-06-14"): '5:14: events.report.summary: the tag "!urgent" is',
    ("summary: - report", "start: 2030-06-14"): "5:14: a text that begins with - needs quotes",
    ("summary: R", "start: 2030-06-14", "categories: [a, b", "kind: deadline"): "7:17: the [ that",
    ("summary: R", "start: 2030-06-14", "repeat: {rule: x"): "7:13: the { that opens here is not",
    # Indentation.
    (
        "summary: R",
        " start: 2030-06-14",
    ): '6:6: "start" is indented by 5 spaces, the keys beside it by 4 spaces; indent it by 4',
    ("summary: R\n   start: 2030-06-14",): '6:4: "start" is indented by 3 spaces, the keys beside',
    (
        " summary: R",
        "start: 2030-06-14",
    ): '6:5: "start" is indented by 4 spaces, the keys beside it by 5 spaces; indent it by 5',
    (
        "summary: R",
        "start: 2030-06-14\n   audit:",
        "summary: A",
        "start: 2030-06-15",
    ): '7:4: "audit" is indented by 3 spaces, the keys beside it by 2 spaces; indent it by 2',
    (
        "summary: R",
        "start: 2030-06-14",
        "audit:",
        "  summary: A",
    ): "7:5: events.report.audit: there "
    'is no key "audit" here; if it is an event of its own, indent it less',
    ("summary: R\n\tstart: 2030-06-14",): "6:1: is indented with a tab; YAML allows only spaces",
    (
        "\N{NO-BREAK SPACE}summary: R",
        "start: 2030-06-14",
    ): "5:5: events.report.\xa0summary: "
    'there is no key "\xa0summary" here; it has an invisible character in it, so type summary once',
    (
        "summary: R",
        "start:\N{NARROW NO-BREAK SPACE}2030-06-14",
    ): "6:11: has the invisible character "
    "U+202F (NARROW NO-BREAK SPACE) where YAML needs a plain space",
    # Keys by other names.
    ("summary: R", "date: 2030-06-14"): '6:5: events.report.date: there is no key "date" here; did '
    'you mean "start"?',
    ("summary: R", "when: 2030-06-14"): '6:5: events.report.when: there is no key "when" here; did '
    'you mean "start"?',
    (
        "title: R",
        "start: 2030-06-14",
    ): '5:5: events.report.title: there is no key "title" here; did you mean "summary"?',
    (
        "Summary: R",
        "start: 2030-06-14",
    ): '5:5: events.report.Summary: there is no key "Summary" here; did you mean "summary"?',
    ("summary: R", "start: 2030-06-14", "time: 17:00"): "7:5: events.report.time: there is no key "
    '"time" here; write the date and its time as one value, "start: 2030-06-14 17:00"',
    (
        "summary: R",
        "start: 2030-06-14 09:00",
        "end_time: 5 PM",
    ): "7:5: events.report.end_time: there "
    'is no key "end_time" here; write the date and its time as one value, "end: 2030-06-14 17:00"',
    ("summary: R", "deadline: 2030-06-14"): "6:5: events.report.deadline: there is no key "
    '"deadline" here; write "start: 2030-06-14" and "kind: deadline"',
    (
        "summary: R",
        "start: 2030-06-14",
        "cancelled: true",
    ): '7:5: events.report.cancelled: there is no key "cancelled" here; write "status: cancelled"',
    (
        "summary: R",
        "start: 2030-06-14",
        "all_day: yes",
    ): "7:5: events.report.all_day: there is no key "
    '"all_day" here; an event is all day if its start has no time',
    ("summary: R", "start: 2030-06-14", "zzz: x"): '7:5: events.report.zzz: there is no key "zzz" '
    "here; the keys here are summary",
    # Words.
    (
        "summary: R",
        "start: 2030-06-14",
        "status: Postponed",
    ): '7:5: events.report.status: "Postponed" '
    "is not valid here; write 'tentative', 'confirmed' or 'cancelled' (for a date that is no "
    'longer valid, write "start: postponed")',
    ("summary: R", "start: 2030-06-14", "kind: Party"): '7:5: events.report.kind: "Party" is not '
    "valid here; write 'event' or 'deadline'",
    (
        "summary: R",
        "start: 2030-06-14",
        "reminders: 1 week",
    ): "7:5: events.report.reminders: must be "
    "a list, such as [one, another], not a text; write [1 week]",
    # Rules.
    (
        "summary: R",
        "start: 2030-06-27",
        "repeat: {rule: last Thursday of the month}",
    ): "7:14: events."
    'report.repeat.rule: "last Thursday of the month" is not a recurrence rule (RFC 5545); write '
    'rule: "FREQ=MONTHLY;BYDAY=-1TH"',
    (
        "summary: R",
        "start: 2030-06-27",
        "repeat: monthly",
    ): "7:5: events.report.repeat: must be a map "
    "with the keys rule, except, also and changes, but is a text; write repeat: {rule: "
    '"FREQ=MONTHLY"}',
    ("summary: R", "start: 2030-06-27", "repeat: FREQ=WEEKLY;BYDAY=TU,TH"): "7:5: events.report."
    "repeat: must be a map with the keys rule, except, also and changes, but is a text; write "
    'repeat: {rule: "FREQ=WEEKLY;BYDAY=TU,TH"}',
    # Zones.
    (
        "summary: R",
        "start: 2030-06-14 17:00 PKT",
    ): '6:5: events.report.start: "2030-06-14 17:00 PKT" '
    'has a time zone in it, "PKT", which goes under time_zone; write 2030-06-14 17:00, with '
    '"time_zone: Asia/Karachi" if that is not the calendar\'s',
}
FILE_PROBLEMS = {
    HEAD
    + "events:\n  report\n    summary: R\n    start: 2030-06-14\n": "4:3: a colon is missing in "
    '"report"; write "report:"',
    HEAD
    + "events\n  report:\n    summary: R\n    start: 2030-06-14\n": "3:1: a colon is missing in "
    '"events"; write "events:"',
    "name Our dates\ntime_zone: UTC\n": '1:1: a colon is missing in "name Our dates"; write "name:',
    HEAD + "\tcolor: red\n": "3:1: is indented with a tab",
    HEAD + "events:\n\treport:\n\t\tsummary: R\n": "4:1: is indented with a tab",
    HEAD + "title: X\n": '3:1: title: there is no key "title" here; did you mean "name"?',
    HEAD.replace("Asia/Karachi", "PST"): '2:1: time_zone: "PST" is not an IANA time zone; name the '
    "place that is meant, such as America/Los_Angeles",
    HEAD.replace(
        "Asia/Karachi", "Pakistan"
    ): '2:1: time_zone: "Pakistan" is not an IANA time zone; did you mean Asia/Karachi?',
    HEAD
    + "events: {report: {summary: Audit, round two, start: 2030-06-14}}\n": "3:35: events.report."
    "summary: a comma ends the text in {…}",
    HEAD + "events: {report: 14 June 2030}\n": "3:10: events.report: must be a map with the keys",
    HEAD
    + "events:\n  - summary: R\n    start: 2030-06-14\n": "3:1: events: must be a map of events "
    'by their names, but is a list; replace each "-" by a name and a colon',
}


@pytest.mark.parametrize(
    ("text", "words"),
    [(event(*lines), words) for lines, words in EVENT_PROBLEMS.items()] + [*FILE_PROBLEMS.items()],
)
def test_a_slip_is_blamed_at_its_place_with_its_cause(text: str, words: str) -> None:
    """In a file with CRLF too."""
    for written in (text, text.replace("\n", "\r\n")):
        problems = read(written)
        assert any(problem.startswith(f"events/x.yaml:{words}") for problem in problems), problems


@pytest.mark.parametrize("separator", ["\t", ";", ",", "|"])
@pytest.mark.parametrize("indent", ["", "  "])
def test_a_table_is_called_one_and_a_row_of_it_is_shown_as_an_event(
    separator: str, indent: str
) -> None:
    rows = ["Title,Date,Time", "Report due,14/06/2030,17:00", "Audit,11/02/2030,10:30"]
    table = "".join(f"{indent}{row}\n".replace(",", separator) for row in rows)
    (problem,) = read(HEAD + "events:\n" + table)
    assert problem.startswith(f"events/x.yaml:4:{len(indent) + 1}: ")
    assert "is a table with " in problem
    assert "such as report-due: {summary: Report due, start: 2030-06-14 17:00}" in problem


def test_a_colour_that_is_a_comment_to_yaml_is_not_nothing() -> None:
    assert read(HEAD + "color: #1a73e8\n") == [
        'events/x.yaml:3:1: color: "#1a73e8" must be a colour name; the closest is dodgerblue',
        'events/x.yaml:3:7: color: is empty, because "#1a73e8" is a comment in YAML; put quotes '
        "around it",
    ]


@pytest.mark.parametrize(
    "lines",
    [
        ("summary: R  # agreed with Ali", "start: 2030-06-14 # 3 weeks before"),
        ('summary: "Report #3"', "start: 2030-06-14"),
        ("summary: Report#3", "start: 2030-06-14", "url: https://example.org/#top"),
        ("summary: R", "start: 2030-06-14", "note: # nothing yet", "#status: tentative"),
        ("summary: R", "start: 2030-06-14", "description: |", "  Report #3", "  #4"),
        ("summary: R", "start: 2030-06-14", "categories: #all of them", "  - a"),
        ('summary: "“Report: final”"', "start: 2030-06-14"),
        ("summary: “Report”, the last", "start: 2030-06-14"),
        ("summary: R", "start: 2030-06-14", "status: CONFIRMED", "kind: Deadline"),
        ("summary: R", "start: ۲۰۳۰-۰۶-۱۴"),
        ("summary: R", "start: 2030-06-14\N{NO-BREAK SPACE} 17:00"),
        ("summary: R", "start: 2030–06–14", "reminders: [{before: 1 day, at: 9 AM}]"),
    ],
)
def test_what_can_mean_one_thing_only_is_in_order(lines: tuple[str, ...]) -> None:
    assert read(event(*lines)) == []


def test_every_slip_that_the_reader_can_get_past_is_told_at_once() -> None:
    text = event("title: Report #3", "date: 14/06/2030", "venue: Room 4", "status: Moved")
    assert [problem.split(": ")[1] for problem in read(text + "color: #red\n")] == [
        "events.report.title",
        "events.report.title",
        "events.report.date",
        "events.report.venue",
        "events.report.status",
        "color",
        "color",
    ]


def test_warnings_name_zones_without_summer_time_and_offsets_that_look_like_ranges() -> None:
    text = event("summary: R", "start: 2030-06-14 09:00-11:00").replace("Asia/Karachi", "EST")
    zone, offset = read(text)
    assert zone.startswith('events/x.yaml:2:1: warning: time_zone: "EST" is the same time all year')
    assert "America/New_York" in zone
    assert offset.startswith("events/x.yaml:6:5: warning: events.report.start: ")
    assert 'write "start: 2030-06-14 09:00" and "end: 2030-06-14 11:00"' in offset
    (overnight,) = read(event("summary: R", "start: 2030-06-14 22:00-02:00"))
    assert 'write "start: 2030-06-14 22:00" and "end: 2030-06-15 02:00"' in overnight
    (until_midnight,) = read(event("summary: R", "start: 2030-06-14 22:00-00:00"))
    assert '"end: 2030-06-15 00:00"' in until_midnight
    for start in (
        "2030-06-14 22:00+00:00",
        "2030-06-14 09:00-05:00",
        "2030-06-14 09:00+11:00",
        "2030-06-14 09:00Z",
    ):
        assert read(event("summary: R", f"start: {start}")) == []


def test_a_colon_without_a_space_is_blamed_where_a_map_is_wanted() -> None:
    (problem,) = read(event("summary:Report", "start:2030-06-14"))
    assert problem.endswith('but is a text; write a space after each colon, as "summary: …"')
