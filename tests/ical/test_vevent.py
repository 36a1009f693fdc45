"""VEVENTs as calendar apps read them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import pytest

from calfeed.ical.vevent import render_event
from calfeed.model.events import Event
from calfeed.model.revision import Move, Revision
from tests.ical.defining import define_event

NOW = datetime(2024, 7, 12, 9, 30, tzinfo=UTC)
NEW_YORK = ZoneInfo("America/New_York")
IN_NEW_YORK = "time_zone: America/New_York\n"


def revise(event: Event, sequence: int = 0, **fields: object) -> Revision:
    return Revision.model_validate(
        {"event": event, "sequence": sequence, "created": NOW, "modified": NOW, **fields}
    )


def render(event: Event, sequence: int = 0, **fields: object) -> list[Any]:
    """The event's components, read back: the event first, then its changed occurrences."""
    text = render_event(revise(event, sequence, **fields)).decode()
    components: list[Any] = icalendar.Event.from_ical(text, multiple=True)
    return components


def raw(event: Event, name: str) -> str:
    """A property of the event as it is written, with its parameters."""
    return next(line for line in lines_of(event) if line.startswith(name))


def lines_of(event: Event) -> list[str]:
    return render_event(revise(event)).decode().replace("\r\n ", "").splitlines()


def test_a_single_timed_event_is_written_on_the_wall_clock_with_its_zone() -> None:
    event = define_event(IN_NEW_YORK + "start: 2024-09-27 10:30\nduration: 45 minutes")
    assert raw(event, "DTSTART") == "DTSTART;TZID=America/New_York:20240927T103000"
    assert raw(event, "DTEND") == "DTEND;TZID=America/New_York:20240927T111500"


@pytest.mark.parametrize(
    ("zone", "written"),
    [
        ("US/Eastern", "America/New_York"),
        ("Canada/Central", "America/Winnipeg"),
        ("Jamaica", "America/Jamaica"),
        ("Asia/Calcutta", "Asia/Kolkata"),
        ("Iceland", "Atlantic/Reykjavik"),
        ("Africa/Accra", "Africa/Accra"),
        ("Europe/Stockholm", "Europe/Stockholm"),
        ("Etc/GMT+5", "Etc/GMT+5"),
    ],
)
@pytest.mark.parametrize(
    "repeat", ["", "\nrepeat: {rule: FREQ=WEEKLY, except: [2024-10-04 10:30]}"]
)
def test_a_zone_is_written_by_the_name_it_has_today(zone: str, written: str, repeat: str) -> None:
    event = define_event(f"time_zone: {zone}\nstart: 2024-09-27 10:30" + repeat)
    assert raw(event, "DTSTART") == f"DTSTART;TZID={written}:20240927T103000"
    if repeat:
        assert raw(event, "EXDATE") == f"EXDATE;TZID={written}:20241004T103000"


@pytest.mark.parametrize("zone", ["UTC", "Etc/UTC", "Zulu", "GMT"])
def test_what_is_in_utc_is_written_in_utc(zone: str) -> None:
    event = define_event(f"start: 2024-09-27 10:30\ntime_zone: {zone}")
    assert raw(event, "DTSTART") == "DTSTART:20240927T103000Z"


@pytest.mark.parametrize("start", ["2026-11-01 01:30-04:00", "2026-11-01 01:30-05:00"])
def test_a_single_event_at_a_time_that_comes_twice_is_written_in_utc(start: str) -> None:
    event = define_event(IN_NEW_YORK + f"start: {start}\nend: 2026-11-01 05:00")
    hour = 5 if start.endswith("4:00") else 6
    assert raw(event, "DTSTART") == f"DTSTART:20261101T0{hour}3000Z"
    assert raw(event, "DTEND") == "DTEND:20261101T100000Z"


def test_an_offset_with_seconds_is_written_in_utc() -> None:
    event = define_event("start: 1930-05-01 10:00\ntime_zone: Africa/Monrovia")
    assert raw(event, "DTSTART") == "DTSTART:19300501T104430Z"


def test_a_timed_event_without_length_has_no_end() -> None:
    (component,) = render(define_event("start: 2024-09-27 10:30"))
    assert "DTEND" not in component
    assert "DURATION" not in component


def test_a_recurring_timed_event_is_written_on_the_wall_clock_with_its_zone() -> None:
    text = IN_NEW_YORK + "start: 2024-09-27 10:30\nduration: 1 hour\nrepeat: {rule: FREQ=WEEKLY}"
    event = define_event(text)
    assert raw(event, "DTSTART") == "DTSTART;TZID=America/New_York:20240927T103000"
    assert raw(event, "DTEND") == "DTEND;TZID=America/New_York:20240927T113000"


def test_a_recurring_event_in_utc_needs_no_zone() -> None:
    event = define_event("start: 2024-09-27 10:30\ntime_zone: UTC\nrepeat: {rule: FREQ=WEEKLY}")
    assert raw(event, "DTSTART") == "DTSTART:20240927T103000Z"


def test_the_end_of_an_all_day_event_is_the_day_after_its_last() -> None:
    event = define_event("start: 2024-09-24\nend: 2024-09-28")
    assert raw(event, "DTSTART") == "DTSTART;VALUE=DATE:20240924"
    assert raw(event, "DTEND") == "DTEND;VALUE=DATE:20240929"
    one_day = define_event("start: 2024-09-24")
    assert raw(one_day, "DTEND") == "DTEND;VALUE=DATE:20240925"


@pytest.mark.parametrize(
    ("until", "written"),
    [
        ("20241025", "20241026T035959Z"),
        ("20241025T103000", "20241025T143000Z"),
        ("20241025T143000Z", "20241025T143000Z"),
    ],
)
def test_until_of_a_timed_rule_is_written_in_utc(until: str, written: str) -> None:
    """RFC 5545, 3.3.10: UTC wherever DTSTART has a zone."""
    text = f"start: 2024-09-27 10:30\nrepeat: {{rule: FREQ=WEEKLY;UNTIL={until}}}"
    assert f"UNTIL={written}" in raw(define_event(IN_NEW_YORK + text), "RRULE")


def test_until_of_an_all_day_rule_is_a_date() -> None:
    event = define_event("start: 2024-09-27\nrepeat: {rule: FREQ=WEEKLY;UNTIL=20241025}")
    assert raw(event, "RRULE") == "RRULE:FREQ=WEEKLY;UNTIL=20241025"


def test_what_is_taken_out_and_added_is_of_the_kind_of_the_start() -> None:
    extra = "rule: FREQ=DAILY, except: [%s], also: [%s]"
    timed = "start: 2024-09-27 10:30\nrepeat: {" + extra % ("2024-09-28 10:30", "2024-10-01 12:00")
    event = define_event(IN_NEW_YORK + timed + "}")
    assert raw(event, "EXDATE") == "EXDATE;TZID=America/New_York:20240928T103000"
    assert raw(event, "RDATE") == "RDATE;TZID=America/New_York:20241001T120000"
    event = define_event(
        "start: 2024-09-27\nrepeat: {" + extra % ("2024-09-28", "2025-10-01") + "}"
    )
    assert raw(event, "EXDATE") == "EXDATE;VALUE=DATE:20240928"
    assert raw(event, "RDATE") == "RDATE;VALUE=DATE:20251001"


def test_a_changed_occurrence_is_named_by_the_start_the_rule_gives_it() -> None:
    event = define_event(
        """
        start: 2024-09-27 10:30
        duration: 1 hour
        time_zone: America/New_York
        location: New York
        repeat:
          rule: FREQ=WEEKLY
          changes:
            2024-11-08 10:30: {start: 2024-11-09 08:00, summary: Moved, location: Geneva}
            2024-10-04 10:30: {status: cancelled}
        """
    )
    master, cancelled, moved = render(event, sequence=3)
    assert "RECURRENCE-ID" not in master
    assert cancelled["RECURRENCE-ID"].dt == datetime(2024, 10, 4, 10, 30, tzinfo=NEW_YORK)
    assert cancelled["STATUS"] == "CANCELLED"
    assert cancelled["DTSTART"].dt == cancelled["RECURRENCE-ID"].dt
    assert moved["RECURRENCE-ID"].dt == datetime(2024, 11, 8, 10, 30, tzinfo=NEW_YORK)
    assert moved["DTSTART"].dt == datetime(2024, 11, 9, 8, 0, tzinfo=NEW_YORK)
    assert moved["DTEND"].dt == datetime(2024, 11, 9, 9, 0, tzinfo=NEW_YORK)
    assert (moved["SUMMARY"], moved["LOCATION"]) == ("Moved", "Geneva")
    assert {one["UID"] for one in (master, cancelled, moved)} == {event.uid}
    assert {one["SEQUENCE"] for one in (master, cancelled, moved)} == {3}


def test_a_changed_all_day_occurrence_keeps_its_number_of_days() -> None:
    event = define_event(
        """
        start: 2024-09-24
        end: 2024-09-26
        repeat: {rule: FREQ=YEARLY, changes: {2025-09-24: {start: 2025-10-01}}}
        """
    )
    _, changed = render(event)
    assert (changed["DTSTART"].dt, changed["DTEND"].dt) == (date(2025, 10, 1), date(2025, 10, 4))


def test_a_cancelled_event_stays_with_that_status_and_alarms_nobody() -> None:
    (component,) = render(define_event("start: 2024-09-27\nstatus: cancelled\nreminders: [1 day]"))
    assert (component["STATUS"], component["TRANSP"]) == ("CANCELLED", "TRANSPARENT")
    assert component.walk("VALARM") == []


def test_a_withdrawn_event_is_cancelled() -> None:
    (component,) = render(define_event("start: 2024-09-27\nreminders: [1 day]"), withdrawn=True)
    assert component["STATUS"] == "CANCELLED"
    assert component.walk("VALARM") == []


def test_when_the_event_is_cancelled_so_is_every_changed_occurrence() -> None:
    event = define_event(
        """
        start: 2024-09-27
        status: cancelled
        repeat: {rule: FREQ=DAILY, changes: {2024-09-28: {status: confirmed}}}
        """
    )
    assert [one["STATUS"] for one in render(event)] == ["CANCELLED", "CANCELLED"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("start: 2024-09-27 10:30\nduration: 1 hour", "OPAQUE"),
        ("start: 2024-09-27 10:30\nkind: deadline", "TRANSPARENT"),
        ("start: 2024-09-27", "TRANSPARENT"),
    ],
)
def test_deadlines_and_days_block_no_time(text: str, shown: str) -> None:
    (component,) = render(define_event(text))
    assert component["TRANSP"] == shown


def triggers(event: Event) -> list[list[timedelta | datetime]]:
    return [[alarm["TRIGGER"].dt for alarm in one.walk("VALARM")] for one in render(event)]


def test_alarms_ring_when_reminders_go_out() -> None:
    event = define_event(
        """
        start: 2024-09-27 10:30
        reminders: [{before: 1 day}, {before: 1 day, at: "09:00"}, 2 hours, 0 minutes]
        """
    )
    assert triggers(event) == [
        [
            -timedelta(days=1),
            -timedelta(days=1, hours=1, minutes=30),
            -timedelta(hours=2),
            timedelta(0),
        ]
    ]


def test_an_all_day_alarm_rings_at_nine_in_the_morning() -> None:
    """Once, at nine on the clocks of the event; in a series, on those of the reader."""
    text = "start: 2024-09-27\nreminders: [1 day, 0 days]"
    days = [datetime(2024, 9, 26, 4, tzinfo=UTC), datetime(2024, 9, 27, 4, tzinfo=UTC)]
    assert triggers(define_event(text)) == [days]
    series = define_event(text + "\nrepeat: {rule: FREQ=YEARLY}")
    assert triggers(series) == [[-timedelta(hours=15), timedelta(hours=9)]]


def test_an_alarm_counts_days_on_the_wall_clock_and_hours_on_the_timeline() -> None:
    """The clocks change in New York on 3 November 2024, between the alarms and the event."""
    text = IN_NEW_YORK + "start: 2024-11-03 10:00\nreminders: [1 day, 24 hours, 1 day 2 hours]"
    series = define_event(text + "\nrepeat: {rule: FREQ=WEEKLY}")
    # A day of a duration is a day on the wall clock (RFC 5545, 3.3.6).
    assert [line for line in lines_of(series) if line.startswith("TRIGGER")] == [
        "TRIGGER:-P1D",
        "TRIGGER:-PT24H",
        "TRIGGER:-P1DT2H",
    ]


@pytest.mark.parametrize("reminder", ["24 hours", "36 hours", "1 day 2 hours", "90 minutes"])
def test_the_alarm_of_a_series_rings_when_its_reminders_go_out_also_when_the_clocks_change(
    reminder: str,
) -> None:
    text = IN_NEW_YORK + f"start: 2024-10-30 10:00\nreminders: [{reminder}]"
    event = define_event(text + "\nrepeat: {rule: FREQ=DAILY;COUNT=9}")
    (line,) = [each for each in lines_of(event) if each.startswith("TRIGGER")]
    found = re.fullmatch(r"TRIGGER:-P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?", line)
    assert found
    days, hours, minutes = (int(number or 0) for number in found.groups())
    for day in range(9):
        start = datetime(2024, 10, 30, 10, tzinfo=NEW_YORK) + timedelta(days=day)
        nominal = start - timedelta(days=days)
        rings = nominal.astimezone(UTC) - timedelta(hours=hours, minutes=minutes)
        assert event.reminders[0].due(start, NEW_YORK) == rings


@pytest.mark.parametrize(
    ("start", "reminder"),
    [
        ("2024-11-03 10:00", "1 day"),
        ("2024-11-03 10:00", "24 hours"),
        ("2024-11-03 10:00", '{before: 1 week, at: "09:00"}'),
        ("2024-03-12 10:00", "1 week"),
        ("2024-11-03", "1 day"),
    ],
)
def test_the_alarm_of_a_single_event_is_the_moment_of_its_reminder(
    start: str, reminder: str
) -> None:
    """Some apps count a day as 24 hours when the clocks change, and a date has no zone."""
    event = define_event(IN_NEW_YORK + f"start: {start}\nreminders: [{reminder}]")
    due = event.reminders[0].due(event.start, NEW_YORK)
    assert triggers(event) == [[due]]
    (line,) = [each for each in lines_of(event) if each.startswith("TRIGGER")]
    assert line == f"TRIGGER;VALUE=DATE-TIME:{due.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def test_the_alarm_of_a_single_event_is_a_distance_where_all_count_alike() -> None:
    """It moves along with an event that somebody moves."""
    event = define_event(IN_NEW_YORK + "start: 2024-09-27 10:00\nreminders: [1 month, 2 hours]")
    assert triggers(event) == [[-timedelta(days=31), -timedelta(hours=2)]]


def test_the_alarm_of_a_changed_occurrence_rings_at_the_same_time_of_day() -> None:
    event = define_event(
        """
        start: 2024-09-27 10:30
        reminders: [{before: 1 day, at: "09:00"}]
        repeat: {rule: FREQ=DAILY, changes: {2024-09-29 10:30: {start: 2024-09-29 18:00}}}
        """
    )
    assert triggers(event) == [
        [-timedelta(days=1, hours=1, minutes=30)],
        [-timedelta(days=1, hours=9)],
    ]


def test_the_description_tells_the_history_newest_first_and_the_sources() -> None:
    event = define_event(
        """
        start: 2025-06-30
        description: What it is.
        sources:
          - {title: The notice, url: "https://example.org/n", date: 2024-07-12}
          - {title: A letter}
        """
    )
    zone = event.time_zone
    first = Move(start=date(2024, 6, 30), end=date(2024, 7, 1), time_zone=zone, on=NOW.date())
    why = {"en": "extended"}
    second = Move(start=date(2025, 3, 31), time_zone=zone, on=date(2024, 8, 1), note=why)
    (component,) = render(event, history=(first, second))
    assert str(component["DESCRIPTION"]) == (
        "What it is.\n\n"
        "Was 31 March 2025; moved on 1 August 2024: extended\n"
        "Was 30 June 2024; moved on 12 July 2024\n\n"
        "Source: The notice, 12 July 2024, https://example.org/n\n"
        "Source: A letter"
    )


def test_a_revision_renders_the_same_after_it_was_kept_as_json() -> None:
    """An earlier time of another zone is among its history: "EDT" is no part of an offset."""
    event = define_event(
        "start: 2025-06-30 10:00\nrepeat: {rule: FREQ=YEARLY, also: [2026-01-01 9:00]}".replace(
            " 9:00", " 09:00"
        )
    )
    before = datetime(2024, 9, 27, 10, 30, tzinfo=NEW_YORK)
    move = Move(start=before, time_zone="America/New_York", on=NOW.date())
    revision = revise(event, history=(move,))
    text = render_event(revision)
    kept = Revision.model_validate_json(revision.model_dump_json(exclude_defaults=True))
    assert render_event(kept) == text
    assert "Was 27 September 2024\\, 10:30 EDT" in text.decode().replace("\r\n ", "")
    assert kept == revision


def test_texts_come_back_as_they_were_written() -> None:
    nasty = 'a "b" \\n c; d, e: f = g — سلام\U0001f54a️'
    event = define_event(f"start: 2024-09-27\nlocation: '{nasty}'\ndescription: '{nasty}'")
    (component,) = render(event)
    assert str(component["LOCATION"]) == str(component["DESCRIPTION"]) == nasty


def test_the_text_in_the_calendars_language_is_shown_and_named() -> None:
    event = define_event("start: 2024-09-27\nlocation: {ur: نیویارک, en: New York}")
    assert raw(event, "LOCATION") == "LOCATION;LANGUAGE=en:New York"
    only_urdu = define_event("start: 2024-09-27\nlocation: {ur: نیویارک}")
    assert raw(only_urdu, "LOCATION") == "LOCATION;LANGUAGE=ur:نیویارک"


def test_sequence_and_times_come_from_the_revision() -> None:
    (component,) = render(define_event("start: 2024-09-27"), 7, modified=NOW + timedelta(days=1))
    assert component["SEQUENCE"] == 7
    assert component["CREATED"].dt == NOW
    assert component["LAST-MODIFIED"].dt == component["DTSTAMP"].dt == NOW + timedelta(days=1)


def test_the_hours_of_a_rule_are_written_in_their_order() -> None:
    """libical and ical.js go through them as they are written, and COUNT ends by that order."""
    rule = "FREQ=DAILY;BYHOUR=21,14,9;COUNT=19"
    event = define_event(f"start: 2027-11-23 09:30\nrepeat:\n  rule: {rule}")
    assert "BYHOUR=9,14,21" in raw(event, "RRULE")
