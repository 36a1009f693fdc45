"""Rules that apps do not agree about: refused, or warned of, with the rule to write."""

from __future__ import annotations

import re
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from calfeed.definitions.reader import read_definitions
from calfeed.definitions.recurrence.app_compatibility import accept_rule, find_misreadings
from calfeed.definitions.recurrence.rules import read_rule
from calfeed.errors import DefinitionError
from tests.definitions.imports import take, told

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("start", "rule", "instead"),
    [
        (
            date(2030, 1, 20),
            "FREQ=YEARLY;BYMONTHDAY=20",
            ["FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=20", "FREQ=MONTHLY;BYMONTHDAY=20"],
        ),
        (
            date(2030, 8, 13),
            "FREQ=YEARLY;COUNT=3;BYDAY=TU;BYMONTHDAY=13",
            [
                "FREQ=YEARLY;BYMONTH=8;BYMONTHDAY=13;BYDAY=TU;COUNT=3",
                "FREQ=MONTHLY;BYMONTHDAY=13;BYDAY=TU;COUNT=3",
            ],
        ),
        (
            date(2030, 1, 20),
            "FREQ=YEARLY;INTERVAL=2;BYMONTHDAY=20",
            ["FREQ=YEARLY;INTERVAL=2;BYMONTH=1;BYMONTHDAY=20"],
        ),
        (date(2030, 1, 31), "FREQ=DAILY;BYMONTHDAY=-1", ["FREQ=MONTHLY;BYMONTHDAY=-1"]),
    ],
)
def test_a_rule_with_two_readings_is_refused_with_the_rules_to_write(
    start: date, rule: str, instead: list[str]
) -> None:
    with pytest.raises(ValueError, match="some apps") as caught:
        accept_rule(rule, start)
    assert re.findall(r"FREQ=\S+\d[^\s,]*", str(caught.value).partition("; ")[2]) == instead
    for each in instead:
        assert list(find_misreadings(accept_rule(each, start))) == []


@pytest.mark.parametrize(
    ("start", "rule"),
    [
        (date(2030, 4, 10), "FREQ=YEARLY;BYMONTH=4;BYYEARDAY=100"),
        (date(2030, 4, 10), "FREQ=YEARLY;BYMONTHDAY=10;BYYEARDAY=100"),
        (date(2030, 5, 13), "FREQ=YEARLY;BYWEEKNO=20;BYMONTH=5;BYDAY=MO"),
    ],
)
def test_days_named_in_two_ways_are_refused(start: date, rule: str) -> None:
    """libical and ical.js refuse such an event."""
    with pytest.raises(ValueError, match="some apps reject such an event"):
        accept_rule(rule, start)


def test_a_rule_that_is_refused_now_can_still_be_read_where_it_is_published() -> None:
    assert read_rule("FREQ=YEARLY;BYMONTHDAY=20", date(2030, 1, 20)).frequency == "YEARLY"


JS, SABRE = "ical.js", "sabre/vobject"


@pytest.mark.parametrize(
    ("start", "rule", "apps", "instead"),
    [
        ("2030-05-13", "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", [JS, "libical"], ""),
        ("2030-05-20", "FREQ=YEARLY;BYDAY=20MO", [JS, SABRE], ""),
        ("2030-01-07", "FREQ=YEARLY;BYDAY=MO", [SABRE], "FREQ=WEEKLY;BYDAY=MO"),
        ("2030-04-10", "FREQ=YEARLY;BYYEARDAY=100", [SABRE], ""),
        ("2030-01-01", "FREQ=YEARLY;BYYEARDAY=1,-1;INTERVAL=2", [SABRE], ""),
        ("2030-01-08", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=SU", ["libical"], ""),
        ("2030-01-31", "FREQ=MONTHLY;BYMONTHDAY=30,31;BYSETPOS=-1", [JS, SABRE], ""),
        ("2030-01-31", "FREQ=YEARLY;BYMONTH=1,6;BYMONTHDAY=-1", [JS], ""),
        ("2030-01-15", "FREQ=DAILY;BYMONTHDAY=1,15", [SABRE], "FREQ=MONTHLY;BYMONTHDAY=1,15"),
        (
            "2030-01-15",
            "FREQ=MONTHLY;BYMONTH=1,7",
            [JS, SABRE],
            "FREQ=YEARLY;BYMONTH=1,7;BYMONTHDAY=15",
        ),
        ("2030-01-15", "FREQ=WEEKLY;BYMONTH=1,7", [SABRE], ""),
        ("2030-01-15 10:00", "FREQ=MONTHLY;BYHOUR=10,12", [JS, SABRE], ""),
        (
            "2030-01-15 10:00",
            "FREQ=WEEKLY;BYHOUR=10,12",
            [SABRE],
            "FREQ=WEEKLY;BYDAY=TU;BYHOUR=10,12",
        ),
        ("2030-01-15 10:00", "FREQ=HOURLY;INTERVAL=5", ["Outlook"], ""),
        ("2028-02-29", "FREQ=YEARLY", [JS], "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29"),
        (
            "2028-02-29",
            "FREQ=YEARLY;BYMONTH=2",
            [JS, SABRE],
            "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
        ),
        ("2030-01-31", "FREQ=YEARLY;BYMONTH=1,9;BYMONTHDAY=6,31", [JS], ""),
    ],
)
def test_what_apps_misread_is_warned_of_by_their_names(
    start: str, rule: str, apps: list[str], instead: str
) -> None:
    read = datetime.fromisoformat(start).replace(tzinfo=BERLIN)
    begin = read if " " in start else read.date()
    (warning,) = find_misreadings(accept_rule(rule, begin))
    named = [app for app in (JS, "libical", SABRE, "Outlook") if app in warning]
    assert named == apps
    assert warning.partition("; write ")[2] == (
        f"{instead}, which all apps read correctly" if instead else ""
    )
    if instead:
        last = read.replace(tzinfo=None, year=2036)
        other = accept_rule(instead, begin)
        assert other.starts(last) == accept_rule(rule, begin).starts(last)
        assert list(find_misreadings(other)) == []


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=YEARLY",
        "FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=-1",
        "FREQ=MONTHLY;BYMONTHDAY=-1",
        "FREQ=MONTHLY;BYDAY=-1TH",
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH",
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH;WKST=MO",
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=TH;WKST=SU",
        "FREQ=WEEKLY;BYDAY=TU,TH;WKST=SU",
        "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR",
    ],
)
def test_what_all_read_alike_is_not_warned_of(rule: str) -> None:
    assert list(find_misreadings(accept_rule(rule, date(2030, 1, 31)))) == []


def test_further_dates_are_warned_of_by_the_names_of_apps() -> None:
    text = (
        "name: Desk\ntime_zone: Asia/Karachi\nevents:\n"
        "  ruled:\n    summary: It\n    start: 2030-01-07\n"
        "    repeat: {rule: FREQ=WEEKLY, also: [2030-01-09]}\n"
        "  free:\n    summary: It\n    start: 2030-01-07\n    repeat: {also: [2030-01-09]}\n"
    )
    defined = read_definitions({"events/desk.yaml": text.encode()})
    ruled, free = (warning.message for warning in defined.warnings)
    assert "node-ical" in ruled
    assert SABRE in ruled
    assert "Outlook" in free


def test_an_imported_rule_with_two_readings_is_written_out() -> None:
    made = take(
        "UID:x\nSUMMARY:It\nDTSTART;VALUE=DATE:20300410\n"
        "RRULE:FREQ=YEARLY;BYMONTH=4;BYYEARDAY=100;COUNT=2"
    )
    assert b"BYYEARDAY" not in made.definition
    assert "2031-04-10" in made.definition.decode()
    assert told(made)


def warnings_of(event: str) -> list[str]:
    text = "name: Desk\ntime_zone: Europe/Berlin\nevents:\n  it:\n    summary: It\n" + event
    defined = read_definitions({"events/desk.yaml": text.encode()})
    return [warning.message for warning in defined.warnings]


def test_a_reminder_in_months_of_a_series_is_warned_of_where_one_alarm_is_wrong_for_some() -> None:
    (warning,) = warnings_of(
        "    start: 2030-01-15 10:00\n    reminders: [1 month]\n"
        "    repeat: {rule: FREQ=MONTHLY;COUNT=12}\n"
    )
    assert '"1 month before" is not at the same distance' in warning
    assert "it is up to 3 days off for 5 of 12" in warning


def test_a_reminder_at_a_time_of_day_is_warned_of_where_a_series_has_several_hours() -> None:
    (warning,) = warnings_of(
        "    start: 2030-01-15 17:00\n    reminders: [{before: 1 day, at: '09:00'}]\n"
        '    repeat: {rule: "FREQ=DAILY;BYHOUR=17,20;COUNT=6"}\n'
    )
    assert "it is up to 3 hours off for 3 of 6" in warning


def test_a_reminder_in_hours_of_days_is_warned_of_where_the_clocks_change_in_between() -> None:
    """The clocks of Berlin change on Sunday, 31 March 2030."""
    (warning,) = warnings_of(
        "    start: 2030-03-25\n    reminders: [36 hours]\n"
        "    repeat: {rule: FREQ=WEEKLY;COUNT=4}\n"
    )
    assert "it is up to 1 hour off for 1 of 4" in warning


@pytest.mark.parametrize(
    "event",
    [
        "    start: 2030-01-31 10:00\n    reminders: [1 month]\n",
        "    start: 2030-02-11\n    reminders: [1 month]\n    repeat: {rule: FREQ=YEARLY}\n",
        "    start: 2030-03-26\n    reminders: [36 hours]\n    repeat: {rule: FREQ=WEEKLY}\n",
        "    start: 2030-01-31\n    reminders: [4 weeks]\n    repeat: {rule: FREQ=WEEKLY}\n",
    ],
)
def test_a_reminder_that_is_right_for_every_occurrence_is_not_warned_of(event: str) -> None:
    assert warnings_of(event) == []


def test_a_backslash_in_an_organizers_name_is_refused() -> None:
    """icalendar and libical lose the address with it, where it is the last character."""
    with pytest.raises(DefinitionError) as caught:
        warnings_of(
            "    start: 2030-01-31\n    contact: A\\B\n"
            "    organizer: {name: 'A\\B', email: a@example.org}\n"
        )
    (problem,) = caught.value.problems
    assert problem.key == "events.it.organizer.name"
    assert 'write "A/B"' in problem.message
