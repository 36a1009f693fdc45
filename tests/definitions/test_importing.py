"""An .ics file becomes an equivalent definition, and every loss is reported."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from calfeed.errors import InvalidInputError
from calfeed.importing.ics import import_calendar
from calfeed.importing.losses import Loss
from tests.definitions.imports import ics, occurrences, only, read, render, take, told

EVENT = "UID:1\nSUMMARY:Talk\nDTSTART:20300211T103000Z\n"


# Times.


def test_a_zone_is_found_by_its_name_by_windows_name_by_suffix_and_by_its_rules() -> None:
    rules = (
        "BEGIN:VTIMEZONE\nTZID:Our own\n"
        "BEGIN:STANDARD\nDTSTART:16010101T030000\nTZOFFSETFROM:+0200\nTZOFFSETTO:+0100\n"
        "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\nEND:STANDARD\n"
        "BEGIN:DAYLIGHT\nDTSTART:16010101T020000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\n"
        "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3\nEND:DAYLIGHT\nEND:VTIMEZONE\n"
    )
    names = {
        "Europe/Berlin": "Europe/Berlin",
        "W. Europe Standard Time": "Europe/Berlin",
        "/vendor.example/20240101_1/America/Argentina/Salta": "America/Argentina/Salta",
        '"Asia/Karachi"': "Asia/Karachi",
    }
    for tzid, zone in names.items():
        made = take(f"UID:1\nSUMMARY:T\nDTSTART;TZID={tzid}:20300711T103000\n")
        calendar = read(made.definition)
        assert calendar.time_zone == zone
        assert calendar.events[0].start.isoformat()[:16] == "2030-07-11T10:30"
        assert made.losses == ()
    made = take("UID:1\nSUMMARY:T\nDTSTART;TZID=Our own:20300711T103000\n", head=rules)
    (event,) = read(made.definition).events
    assert event.start.isoformat() == "2030-07-11T10:30:00+02:00"
    assert [prop for prop, _ in told(made)] == ["TZID"]


@pytest.mark.parametrize(
    ("trigger", "reminder"),
    [
        ("-PT24H", "24 hours"),
        ("-P1D", "1 day"),
        ("-P1DT2H", "1 day 2 hours"),
        ("-P1W", "1 week"),
        ("-PT90M", "1 hour 30 minutes"),
    ],
)
def test_the_alarm_of_a_series_is_as_exact_as_it_was(trigger: str, reminder: str) -> None:
    """Days of a duration are nominal, hours are exact (RFC 5545, 3.3.6)."""
    alarm = f"BEGIN:VALARM\nACTION:DISPLAY\nDESCRIPTION:Talk\nTRIGGER:{trigger}\nEND:VALARM\n"
    assert only(EVENT + "RRULE:FREQ=DAILY\n" + alarm)["reminders"] == [{"before": reminder}]


@pytest.mark.parametrize("began", ["19501029T020000", "19961031T020000", "20241027T020000"])
@pytest.mark.parametrize("year", range(2026, 2034))
def test_winter_has_the_standard_time_of_a_zone_whatever_day_its_rule_began(
    began: str, year: int
) -> None:
    """The change back of the year before is on an earlier day than the one of DTSTART."""
    rules = (
        "BEGIN:VTIMEZONE\nTZID:W. Europe\n"
        f"BEGIN:STANDARD\nDTSTART:{began}\nTZOFFSETFROM:+0200\nTZOFFSETTO:+0100\n"
        "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\nEND:STANDARD\n"
        "BEGIN:DAYLIGHT\nDTSTART:19500326T020000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\n"
        "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3\nEND:DAYLIGHT\nEND:VTIMEZONE\n"
    )
    made = take(f"UID:1\nSUMMARY:T\nDTSTART;TZID=W. Europe:{year}0112T140000\n", head=rules)
    (event,) = read(made.definition).events
    assert event.start.isoformat() == f"{year}-01-12T14:00:00+01:00"


def test_a_floating_time_is_read_in_the_calendars_zone_and_said_to_be() -> None:
    made = take(
        "UID:1\nSUMMARY:T\nDTSTART:20300711T103000\nDTEND:20300711T110000\n",
        head="X-WR-TIMEZONE:Asia/Karachi\n",
    )
    (event,) = read(made.definition).events
    assert event.start.isoformat() == "2030-07-11T10:30:00+05:00"
    assert told(made) == [("DTSTART", "has no time zone; it is read on the clocks of Asia/Karachi")]


def test_times_whose_zone_nobody_knows_are_a_question_that_a_zone_answers() -> None:
    """Each cause is asked once, and nothing is guessed."""
    events = (
        "UID:1\nSUMMARY:T\nDTSTART;TZID=Atlantis:20300711T103000\n",
        "UID:2\nSUMMARY:U\nDTSTART:20300711T103000\n",
    )
    with pytest.raises(InvalidInputError) as error:
        take(*events)
    assert '"T" (2030-07-11): TZID: Atlantis: is not a known time zone' in str(error.value)
    assert '"U" (2030-07-11): DTSTART: has no time zone, nor does the calendar' in str(error.value)
    assert "--time-zone" in str(error.value)
    made = take(*events, time_zone="Asia/Karachi")
    calendar = read(made.definition)
    assert calendar.time_zone == "Asia/Karachi"
    assert {event.start.isoformat() for event in calendar.events} == {"2030-07-11T10:30:00+05:00"}
    assert {prop for prop, _ in told(made)} == {"TZID", "DTSTART"}


def test_one_import_does_not_hang_on_the_zones_of_another() -> None:
    """A zone that one file defines is not known in the next."""
    zone = (
        "BEGIN:VTIMEZONE\nTZID:Atlantis\nBEGIN:STANDARD\nDTSTART:19700101T000000\n"
        "TZOFFSETFROM:+0500\nTZOFFSETTO:+0500\nEND:STANDARD\nEND:VTIMEZONE\n"
    )
    event = "UID:1\nSUMMARY:T\nDTSTART;TZID=Atlantis:20300711T103000\n"
    assert read(take(event, head=zone).definition).time_zone == "Asia/Karachi"
    with pytest.raises(InvalidInputError, match="Atlantis"):
        take(event)


def test_a_time_that_comes_twice_is_the_first_and_one_that_is_skipped_exists_afterwards() -> None:
    """RFC 5545, 3.3.5."""
    twice = only("UID:1\nSUMMARY:T\nDTSTART;TZID=America/New_York:20301103T013000\n")
    assert twice["start"] == "2030-11-03T01:30:00-04:00"
    made = take("UID:1\nSUMMARY:T\nDTSTART;TZID=America/New_York:20300310T023000\n")
    assert read(made.definition).events[0].start.isoformat() == "2030-03-10T03:30:00-04:00"
    assert "as the clocks skip it" in dict(told(made))["DTSTART"]


@pytest.mark.parametrize(
    ("lines", "end"),
    [
        ("DTSTART:20300211T103000Z\nDTEND:20300211T120000Z", "2030-02-11T12:00:00Z"),
        ("DTSTART:20300211T103000Z\nDURATION:PT90M", "2030-02-11T12:00:00Z"),
        ("DTSTART:20300211T103000Z\nDTEND:20300211T103000Z", None),
        ("DTSTART:20300211T103000Z", None),
        ("DTSTART;VALUE=DATE:20300211", "2030-02-12"),
        ("DTSTART;VALUE=DATE:20300211\nDTEND;VALUE=DATE:20300214", "2030-02-14"),
        ("DTSTART;VALUE=DATE:20300211\nDURATION:P2W", "2030-02-25"),
    ],
)
def test_an_end_comes_from_dtend_or_duration(lines: str, end: str | None) -> None:
    event = only(f"UID:1\nSUMMARY:T\n{lines}\n")
    assert str(event.get("end")).replace("+00:00", "Z") == str(end)


BERLIN = "X-WR-TIMEZONE:Europe/Berlin\n"


@pytest.mark.parametrize(
    ("first", "last", "end"),
    [
        ("003000", "013000", "2027-10-31T02:30:00+01:00"),
        ("004500", "011500", "2027-10-31T02:15:00+01:00"),
    ],
)
def test_an_event_is_as_long_where_the_clocks_go_back(first: str, last: str, end: str) -> None:
    times = f"DTSTART:20271031T{first}Z\nDTEND:20271031T{last}Z\n"
    made = take(f"UID:1\nSUMMARY:T\n{times}", head=BERLIN)
    (event,) = read(made.definition).events
    assert event.end is not None
    assert (event.end.isoformat(), told(made)) == (end, [])


def test_an_occurrence_can_move_from_the_first_to_the_second_of_two_equal_wall_times() -> None:
    made = take(
        "UID:1\nSUMMARY:T\nDTSTART;TZID=Europe/Berlin:20271030T023000\nDURATION:PT1H\n"
        "RRULE:FREQ=DAILY;COUNT=4\n",
        "UID:1\nSUMMARY:T\nRECURRENCE-ID:20271031T003000Z\nDTSTART:20271031T013000Z\n"
        "DURATION:PT1H\n",
        head=BERLIN,
    )
    (event,) = read(made.definition).events
    assert event.repeat is not None
    (change,) = event.repeat.changes
    assert change.start is not None
    assert change.start.isoformat() == "2027-10-31T02:30:00+01:00"
    assert told(made) == []


def test_a_date_at_the_second_of_two_equal_wall_times_is_not_lost_without_a_remark() -> None:
    made = take(
        "UID:1\nSUMMARY:T\nDTSTART;TZID=Europe/Berlin:20271031T023000\n"
        "RDATE:20271031T013000Z,20271101T013000Z\n",
        head=BERLIN,
    )
    (event,) = read(made.definition).events
    assert event.repeat is not None
    assert [str(moment) for moment in event.repeat.also] == ["2027-11-01 02:30:00+01:00"]
    assert "is left out" in dict(told(made))["RDATE"]


def test_a_day_long_duration_keeps_the_wall_clock_and_24_hours_do_not() -> None:
    start = "UID:1\nSUMMARY:T\nDTSTART;TZID=America/New_York:20300309T120000\n"
    assert only(start + "DURATION:P1D\n")["end"] == "2030-03-10T12:00:00-04:00"
    assert only(start + "DURATION:PT24H\n")["end"] == "2030-03-10T13:00:00-04:00"


# Recurrence.


SPRING = datetime(2027, 3, 1, tzinfo=UTC), datetime(2027, 4, 30, tzinfo=UTC)
NIGHTLY = (
    "UID:1\nSUMMARY:T\nDTSTART;TZID=Europe/Berlin:20270327T023000\nDURATION:PT1H\n"
    "RRULE:FREQ=DAILY;COUNT=3\n"
)


@pytest.mark.parametrize("at", [";TZID=Europe/Berlin:20270328T023000", ":20270328T013000Z"])
def test_an_occurrence_at_a_time_that_the_clocks_skip_stays_excluded_or_changed(at: str) -> None:
    """RFC 5545, 3.3.5: 02:30 with the offset before the gap, 01:30 UTC."""
    berlin = ZoneInfo("Europe/Berlin")
    moved = f"UID:1\nSUMMARY:T\nRECURRENCE-ID{at}\nDTSTART:20270328T100000Z\nDURATION:PT1H\n"
    for made, days in (
        (take(f"{NIGHTLY}EXDATE{at}\n"), ["2027-03-27T01:30", "2027-03-29T00:30"]),
        (take(NIGHTLY, moved), ["2027-03-27T01:30", "2027-03-28T10:00", "2027-03-29T00:30"]),
    ):
        feed, _ = render(read(made.definition))
        assert [start[:16] for start, *_ in occurrences(feed, *SPRING, berlin)] == days
        assert told(made) == []


def test_a_series_keeps_its_rule_dates_and_changed_occurrences() -> None:
    made = take(
        "UID:1\nSUMMARY:Board\nDTSTART;TZID=Europe/Berlin:20300107T103000\n"
        "DTEND;TZID=Europe/Berlin:20300107T113000\nRRULE:FREQ=WEEKLY;COUNT=9\n"
        "EXDATE;TZID=Europe/Berlin:20300114T103000\nRDATE:20300401T080000Z\n",
        "UID:1\nSUMMARY:Board\nRECURRENCE-ID:20300121T093000Z\nDTSTART:20300122T093000Z\n"
        "DTEND:20300122T113000Z\nLOCATION:Room 4\n",
        "UID:1\nSUMMARY:Board\nRECURRENCE-ID;TZID=Europe/Berlin:20300128T103000\n"
        "DTSTART;TZID=Europe/Berlin:20300128T103000\nDTEND;TZID=Europe/Berlin:20300128T113000\n"
        "STATUS:CANCELLED\n",
    )
    assert made.losses == ()
    assert (
        b"""    repeat:
      rule: FREQ=WEEKLY;COUNT=9
      except:
        - 2030-01-14 10:30
      also:
        - 2030-04-01 10:00
      changes:
        2030-01-21 10:30:
          start: 2030-01-22 10:30
          end: 2030-01-22 12:30
          location: Room 4
        2030-01-28 10:30:
          status: cancelled
"""
        in made.definition
    )


@pytest.mark.parametrize(
    ("lines", "starts"),
    [
        ("RRULE:FREQ=DAILY;COUNT=2\nRRULE:FREQ=WEEKLY;COUNT=2", [11, 12, 18]),
        ("RRULE:FREQ=DAILY;COUNT=4\nEXRULE:FREQ=DAILY;INTERVAL=2;COUNT=9", [12, 14]),
        ("RRULE:FREQ=WEEKLY;BYDAY=TU;COUNT=2", [11, 12, 19]),
        ("RRULE:FREQ=DAILY;COUNT=3\nRDATE:20300209T103000Z", [9, 11, 12, 13]),
        ("RDATE:20300213T103000Z,20300215T103000Z\nEXDATE:20300211T103000Z", [13, 15]),
        ("RRULE:FREQ=DAILY;COUNT=3\nEXDATE;VALUE=DATE:20300212", [11, 13]),
        ("RRULE:FREQ=MINUTELY;COUNT=3", [11]),
        ("RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;COUNT=3", [11]),
        ("RRULE:FREQ=SOMETIMES", [11]),
        ("RRULE:FREQ=DAILY;COUNT=99999999999999999999", [11]),
    ],
)
def test_dates_that_no_single_rule_gives_are_written_out_where_they_end(
    lines: str, starts: list[int]
) -> None:
    made = take(EVENT + lines + "\n")
    feed, _ = render(read(made.definition))
    window = (datetime(2030, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC))
    assert [int(each[0][8:10]) for each in occurrences(feed, *window, ZoneInfo("UTC"))] == starts
    assert "RRULE" in dict(told(made)) or "RRULE" not in lines or "EXDATE" in lines


def test_a_rule_without_end_whose_start_is_none_of_its_dates_begins_with_the_first_that_is() -> (
    None
):
    made = take(EVENT + "RRULE:FREQ=WEEKLY;BYDAY=TU\n")
    (event,) = read(made.definition).events
    assert event.start.isoformat() == "2030-02-12T10:30:00+00:00"
    assert [loss.property for loss in made.losses] == ["RRULE"]
    assert "without 2030-02-11" in made.losses[0].value


FOLLOWING = (
    "UID:1\nSUMMARY:Later\nRECURRENCE-ID;RANGE=THISANDFUTURE:20300213T103000Z\n"
    "DTSTART:20300213T113000Z\n"
)


def test_a_change_of_all_that_follows_changes_every_date_of_a_series_that_ends() -> None:
    one = "UID:1\nSUMMARY:One\nRECURRENCE-ID:20300214T103000Z\nDTSTART:20300214T200000Z\n"
    made = take(EVENT + "RRULE:FREQ=DAILY;COUNT=5\nEXDATE:20300215T103000Z\n", one, FOLLOWING)
    (event,) = read(made.definition).events
    assert event.repeat is not None
    found = [(each.start, (each.summary or {})["en"]) for each in event.repeat.changes]
    assert [(f"{start:%d %H:%M}", summary) for start, summary in found if start] == [
        ("13 11:30", "Later"),
        ("14 20:00", "One"),
    ]
    assert told(made) == []


def test_a_change_of_all_that_follows_is_said_to_change_one_occurrence_of_an_endless_series() -> (
    None
):
    made = take(EVENT + "RRULE:FREQ=DAILY\n", FOLLOWING)
    assert told(made) == [("RECURRENCE-ID", "its RANGE is not kept: that occurrence alone changes")]


def _rules(tzid: str, offset: str) -> str:
    return (
        f"BEGIN:VTIMEZONE\nTZID:{tzid}\nBEGIN:STANDARD\nDTSTART:19700101T000000\n"
        f"TZOFFSETFROM:{offset}\nTZOFFSETTO:{offset}\nEND:STANDARD\nEND:VTIMEZONE\n"
    )


def test_a_zone_that_is_defined_in_two_ways_is_asked_for() -> None:
    event = "UID:{}\nSUMMARY:Talk\nDTSTART;TZID=Here:20300211T103000"
    one = ics(event.format(1), head=_rules("Here", "+0500"))
    other = ics(event.format(2), head=_rules("Here", "+0900"))
    with pytest.raises(InvalidInputError, match="there are several definitions, with different"):
        import_calendar(one + other, "desk", "desk")
    same = ics(event.format(2), head=_rules("Here", "+0500"))
    calendar = read(import_calendar(one + same, "desk", "desk").definition)
    assert {each.start.isoformat() for each in calendar.events} == {"2030-02-11T10:30:00+05:00"}


def test_calendars_of_one_file_keep_the_clocks_that_each_names() -> None:
    event = "UID:{}\nSUMMARY:Talk\nDTSTART:20300211T103000{}"
    one = ics(event.format(1, ""), head="X-WR-TIMEZONE:Asia/Karachi\n")
    other = ics(
        event.format(2, ""),
        event.format(3, "Z\nRRULE:FREQ=DAILY"),
        head="X-WR-TIMEZONE:Europe/Berlin\n",
    )
    events = {
        each.uid: each
        for each in read(import_calendar(one + other, "desk", "desk").definition).events
    }
    assert [events[uid].start.isoformat() for uid in "123"] == [
        "2030-02-11T10:30:00+05:00",
        "2030-02-11T10:30:00+01:00",
        "2030-02-11T10:30:00+00:00",
    ]


def test_an_occurrence_whose_series_is_not_there_becomes_an_event_of_its_own() -> None:
    made = take(
        "UID:1\nSUMMARY:A\nRECURRENCE-ID:20300121T093000Z\nDTSTART:20300122T093000Z\n",
        "UID:1\nSUMMARY:B\nRECURRENCE-ID:20300128T093000Z\nDTSTART:20300129T093000Z\n",
    )
    events = read(made.definition).events
    assert {next(iter(event.summary.values())) for event in events} == {"A", "B"}
    assert len({event.uid for event in events}) == 2
    assert [prop for prop, _ in told(made)] == ["RECURRENCE-ID", "RECURRENCE-ID"]


def test_of_two_revisions_of_an_event_the_later_is_kept_and_the_other_told() -> None:
    made = take(EVENT + "SEQUENCE:2\nLOCATION:Here\n", EVENT + "SEQUENCE:1\n")
    (event,) = read(made.definition).events
    assert event.location == {"en": "Here"}
    assert [prop for prop, _ in told(made)] == ["SEQUENCE"]


# What an event says.


def test_what_a_definition_can_say_is_kept() -> None:
    event = only(
        EVENT
        + "STATUS:TENTATIVE\nLOCATION:Room 4\\, second floor\nDESCRIPTION:One\\n\\nTwo\\; three\n"
        "URL:https://example.org/a\nCATEGORIES:one\\, two,three\nCATEGORIES:four\n"
        "GEO:24.8607;67.0011\nPRIORITY:3\nCLASS:PRIVATE\nCONTACT:Ask us\n"
        "ORGANIZER;CN=The Desk:mailto:desk@example.org\n"
        "CONFERENCE;VALUE=URI;LABEL=Join:https://meet.example.org/x\n"
        "IMAGE;VALUE=URI:https://example.org/a.png\n"
    )
    assert event["status"] == "tentative"
    assert event["location"] == {"en": "Room 4, second floor"}
    assert event["description"] == {"en": "One\n\nTwo; three"}
    assert event["categories"] == ["one, two", "three", "four"]
    assert event["geo"] == {"latitude": 24.8607, "longitude": 67.0011}
    assert (event["priority"], event["classification"]) == (3, "private")
    assert event["organizer"] == {"name": "The Desk", "email": "desk@example.org"}
    assert event["conference"] == {"url": "https://meet.example.org/x", "label": "Join"}
    assert (event["contact"], event["image"]) == ("Ask us", "https://example.org/a.png")


def test_texts_keep_their_languages() -> None:
    made = take(
        "UID:1\nSUMMARY;LANGUAGE=ur:آڈٹ\nSUMMARY;LANGUAGE=en:Audit\nDTSTART:20300211T103000Z\n",
        "UID:2\nSUMMARY;LANGUAGE=ur:گرانٹس\nDTSTART:20300212T103000Z\n",
    )
    calendar = read(made.definition)
    assert calendar.language == "ur"
    assert [dict(event.summary) for event in calendar.events] == [
        {"ur": "آڈٹ", "en": "Audit"},
        {"ur": "گرانٹس"},
    ]
    assert made.losses == ()


@pytest.mark.parametrize(
    ("trigger", "reminder"),
    [
        ("TRIGGER:-PT15M", "15 minutes"),
        ("TRIGGER:-P1D", "1 day"),
        ("TRIGGER:PT0S", "0 minutes"),
        ("TRIGGER;RELATED=END:-PT2H", "1 hour"),
        ("TRIGGER;VALUE=DATE-TIME:20300211T093000Z", "1 hour"),
    ],
)
def test_an_alarm_becomes_a_reminder(trigger: str, reminder: str) -> None:
    alarm = f"BEGIN:VALARM\nACTION:DISPLAY\nDESCRIPTION:Talk\n{trigger}\nEND:VALARM\n"
    made = take(EVENT + "DURATION:PT1H\n" + alarm)
    assert f"reminders:\n      - {reminder}\n" in made.definition.decode()
    assert made.losses == ()


def test_an_alarm_of_an_all_day_event_keeps_its_hour() -> None:
    alarms = "".join(
        f"BEGIN:VALARM\nACTION:DISPLAY\nDESCRIPTION:Day\nTRIGGER:{each}\nEND:VALARM\n"
        for each in ("-PT15H", "-P1D", "PT9H", "-P1DT6H")
    )
    made = take("UID:1\nSUMMARY:Day\nDTSTART;VALUE=DATE:20300211\n" + alarms)
    (event,) = read(made.definition).events
    dues = [f"{rule.due(event.start, event.zone):%d %H:%M}" for rule in event.reminders]
    assert dues == ["10 09:00", "10 00:00", "11 09:00", "09 18:00"]
    assert made.losses == ()


@pytest.mark.parametrize(
    ("lines", "name"),
    [
        ("ATTENDEE:mailto:a@example.org\nATTENDEE:mailto:b@example.org", "ATTENDEE"),
        ("ATTACH:https://example.org/a.pdf", "ATTACH"),
        ("X-THING:1", "X-THING"),
        ("COMMENT:x", "COMMENT"),
        ("URL:mailto:desk@example.org", "URL"),
        ("STATUS:PERHAPS", "STATUS"),
        ("GEO:north", "GEO"),
        ("PRIORITY:11", "PRIORITY"),
        ("DTEND:20300210T103000Z", "DTEND"),
        ("EXDATE:20300411T103000Z", "EXDATE"),
        ("SUMMARY:Second", "SUMMARY"),
        ("DESCRIPTION:" + "x" * 10_001, "DESCRIPTION"),
        ("BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:PT5M\nEND:VALARM", "VALARM"),
        ("BEGIN:VALARM\nACTION:EMAIL\nTRIGGER:-PT5M\nEND:VALARM", "VALARM"),
        (
            "BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT5M\nREPEAT:2\nDURATION:PT1M\nEND:VALARM",
            "VALARM",
        ),
        ("BEGIN:X-INNER\nEND:X-INNER", "X-INNER"),
        ("this is no property", "this is no property"),
    ],
)
def test_what_is_not_kept_is_told_with_its_event_and_property(lines: str, name: str) -> None:
    made = take(EVENT + lines + "\n")
    assert {(loss.event, loss.property) for loss in made.losses} == {('"Talk" (2030-02-11)', name)}
    assert all(loss.reason for loss in made.losses)


def test_what_stands_beside_the_events_is_told_too() -> None:
    head = "X-THING:1\nBEGIN:VTODO\nUID:t\nSUMMARY:Buy milk\nEND:VTODO\n"
    assert list(take(EVENT, head=head).losses) == [
        Loss("the calendar", "X-THING", "calfeed has no such property"),
        Loss('"Buy milk"', "VTODO", "is not kept: calfeed's calendars have only events"),
    ]


def test_no_event_can_write_to_the_terminal_through_a_report() -> None:
    made = take("UID:1\nSUMMARY:\x1b[2JTalk\nDTSTART:20300211T103000Z\nX-\x07:1\nSTATUS:\x1b[2J\n")
    assert all(str(loss).isprintable() for loss in made.losses)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"<html><body>Sign in</body></html>", "not iCalendar: it begins with"),
        (b"", "nothing"),
        (b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "has no events"),
        (b"BEGIN:VCARD\r\nEND:VCARD\r\n", "but VCARD"),
        (ics(EVENT)[:-30], "is truncated"),
        (ics(EVENT).replace(b"END:VEVENT", b"END:VEVNT"), "is damaged"),
        (ics("UID:1\nSUMMARY:T\n"), "none of the events"),
        (ics("UID:1\nSUMMARY:T\nDTSTART:16010101T000000Z\n"), "the year must be from 1900"),
    ],
)
def test_what_is_no_calendar_is_an_error_that_says_so(data: bytes, words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        import_calendar(data, "desk", "desk")


def test_a_wrong_byte_in_one_text_leaves_the_others_as_they_are() -> None:
    data = ics("UID:1\nSUMMARY:Zürich – Übung\nDTSTART:20300211T103000Z\nDESCRIPTION:für X\n")
    made = import_calendar(data.replace(b" X", b" \xc3"), "desk", "desk")
    (event,) = read(made.definition).events
    assert event.summary == {"en": "Zürich – Übung"}
    assert event.description == {"en": "für Ã"}
    assert told(made)[0] == (
        "the file",
        "is not UTF-8 in 1 line; the wrong bytes are read as Windows-1252",
    )


def test_a_file_in_windows_1252_is_read_so_even_where_it_looks_like_utf_8() -> None:
    text = ics("UID:1\nSUMMARY:CAFÉ…\nDTSTART:20300211T103000Z\nDESCRIPTION:Zürich – Übung\n")
    made = import_calendar(text.decode().encode("cp1252"), "desk", "desk")
    (event,) = read(made.definition).events
    assert event.summary == {"en": "CAFÉ…"}
    assert event.description == {"en": "Zürich – Übung"}
    assert "read as Windows-1252" in dict(told(made))["the file"]


def test_a_title_that_nobody_could_see_is_no_title() -> None:
    assert (
        only(EVENT.replace("Talk", "\u200f\ufeff"))["summary"]
        == only(EVENT.replace("SUMMARY:Talk\n", ""))["summary"]
    )
