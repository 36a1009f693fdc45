"""Files become calendars, complete: everything inherited is settled, every end exclusive."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import permutations

import pytest

from calfeed.definitions.reader import read_definitions
from calfeed.errors import DefinitionError
from calfeed.model.dates.durations import Duration
from calfeed.model.dates.reminder_rules import ReminderRule
from calfeed.model.events import (
    Calendar,
    Change,
    Event,
    Kind,
    Repeat,
    Source,
    Status,
    canonical_json,
    length_of,
)
from calfeed.model.uids import NAME_BASED_UIDS

HEAD = "name: X\ntime_zone: America/New_York\n"
TIMED = HEAD + "events:\n  a:\n    summary: S\n    start: 2024-09-27 10:30\n"
ALL_DAY = HEAD + "events:\n  a:\n    summary: S\n    start: 2024-09-27\n"


def read(text: str) -> Calendar:
    (calendar,) = read_definitions({"events/x.yaml": text.encode()}).calendars
    return calendar


def read_event(text: str) -> Event:
    (event,) = read(text).events
    return event


FULL = """\
name: {en: The desk, ur: میز}
description: All of it
time_zone: America/New_York
language: en
color: SeaGreen
reminders: [1 week, {before: 1 day, at: "09:00"}]
events:
  pm-address:
    summary: Address
    start: 2024-09-27
    end: 2024-09-28
    status: tentative
    kind: deadline
    location: UN Headquarters
    description: |
      Two
      lines
    categories: [address, un, address]
    url: https://example.org/a b
    sources: [{title: Paper, url: "https://example.org/ü", date: 2024-08-14}]
    note: {fa-af: یادداشت, en: moved}
    uid: kept@example.org
  call:
    summary: Call
    start: 2024-09-27 14:30Z
    duration: 45 minutes
    time_zone: Asia/Karachi
    reminders: []
  talk:
    summary: Talk
    start: 2025-09-26 10:30
    reminders: [7 days, 1 week, 2 hours]
    repeat:
      rule: FREQ=YEARLY
      except: [2027-09-26 10:30]
      also: [2026-01-05 11:00]
      changes:
        2028-09-26 10:30: {start: 2028-09-27 10:30, duration: 1 hour, summary: Later}
        2026-09-26T10:30: {status: cancelled}
        2026-01-05 11:00: {end: 2026-01-05 12:00}
""".replace("a b", "a%20b")


def test_everything_that_can_be_written_is_read() -> None:
    calendar = read(FULL)
    week = ReminderRule(before=Duration(days=7))
    day = ReminderRule(before=Duration(days=1), at=time(9))
    zone = calendar.events[1].zone
    karachi = calendar.events[0].zone

    def at(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
        return datetime(year, month, day, hour, minute, tzinfo=zone)

    common = {"calendar": "x", "language": "en"}
    assert calendar == Calendar(
        slug="x",
        name={"en": "The desk", "ur": "میز"},
        description={"en": "All of it"},
        time_zone="America/New_York",
        color="seagreen",
        events=(
            Event(
                slug="call",
                uid=NAME_BASED_UIDS.make("x", "call"),
                summary={"en": "Call"},
                start=datetime(2024, 9, 27, 19, 30, tzinfo=karachi),
                end=datetime(2024, 9, 27, 20, 15, tzinfo=karachi),
                time_zone="Asia/Karachi",
                **common,
            ),
            Event(
                slug="pm-address",
                uid="kept@example.org",
                summary={"en": "Address"},
                start=date(2024, 9, 27),
                end=date(2024, 9, 29),
                time_zone="America/New_York",
                status=Status.TENTATIVE,
                kind=Kind.DEADLINE,
                location={"en": "UN Headquarters"},
                description={"en": "Two\nlines"},
                categories=("address", "un"),
                url="https://example.org/a%20b",
                sources=(
                    Source(title="Paper", url="https://example.org/%C3%BC", date=date(2024, 8, 14)),
                ),
                reminders=(week, day),
                note={"en": "moved", "fa-AF": "یادداشت"},
                **common,
            ),
            Event(
                slug="talk",
                uid=NAME_BASED_UIDS.make("x", "talk"),
                summary={"en": "Talk"},
                start=at(2025, 9, 26, 10, 30),
                time_zone="America/New_York",
                reminders=(week, ReminderRule(before=Duration(minutes=120))),
                repeat=Repeat(
                    rule="FREQ=YEARLY",
                    exclude=(at(2027, 9, 26, 10, 30),),
                    also=(at(2026, 1, 5, 11),),
                    changes=(
                        Change(original=at(2026, 1, 5, 11), end=at(2026, 1, 5, 12)),
                        Change(original=at(2026, 9, 26, 10, 30), status=Status.CANCELLED),
                        Change(
                            original=at(2028, 9, 26, 10, 30),
                            start=at(2028, 9, 27, 10, 30),
                            end=at(2028, 9, 27, 11, 30),
                            summary={"en": "Later"},
                        ),
                    ),
                ),
                **common,
            ),
        ),
    )


def test_values_come_back_from_their_json_as_they_were() -> None:
    for event in read(FULL).events:
        again = Event.model_validate_json(canonical_json(event))
        assert again == event
        assert canonical_json(again) == canonical_json(event)
        assert list(again.summary) == list(event.summary)


def test_a_timed_event_at_midnight_stays_timed() -> None:
    event = read_event(TIMED.replace("10:30", "00:00"))
    assert isinstance(event.start, datetime)
    assert isinstance(Event.model_validate_json(canonical_json(event)).start, datetime)


def test_an_all_day_event_lasts_one_day_where_nothing_else_is_written() -> None:
    assert read_event(ALL_DAY).end == date(2024, 9, 28)


def test_a_timed_event_has_no_end_where_none_is_written() -> None:
    assert read_event(TIMED).end is None


def test_days_of_a_duration_keep_the_wall_clock_and_hours_do_not() -> None:
    text = TIMED.replace("2024-09-27", "2025-03-08")
    assert read_event(text + "    duration: 1 day\n").end == datetime(
        2025, 3, 9, 14, 30, tzinfo=UTC
    )
    assert read_event(text + "    duration: 24 hours\n").end == datetime(
        2025, 3, 9, 15, 30, tzinfo=UTC
    )


def test_an_end_is_later_than_the_start_on_the_timeline_where_the_clocks_go_back() -> None:
    head = HEAD.replace("America/New_York", "Europe/Berlin")
    text = head + "events:\n  a:\n    summary: S\n    start: 2027-10-31 02:30{}\n    end: {}\n"
    event = read_event(text.format("+02:00", "2027-10-31 02:30+01:00"))
    assert length_of(event) == timedelta(hours=1)
    with pytest.raises(DefinitionError, match="must be later than the start"):
        read_event(text.format("+01:00", "2027-10-31 02:45+02:00"))


def test_an_all_day_duration_is_counted_in_days() -> None:
    assert read_event(ALL_DAY + "    duration: 1 week\n").end == date(2024, 10, 4)


def test_plain_texts_are_in_the_calendar_s_language() -> None:
    event = read_event(ALL_DAY.replace("name:", "language: UR-pk\nname:"))
    assert (event.language, event.summary) == ("ur-PK", {"ur-PK": "S"})


def test_an_optional_key_without_a_value_is_as_if_it_were_not_there() -> None:
    assert read_event(ALL_DAY + "    location:\n    repeat:\n    reminders:\n") == read_event(
        ALL_DAY
    )


def test_a_repeat_may_be_dates_alone() -> None:
    event = read_event(ALL_DAY + "    repeat: {also: [2025-03-01, 2024-12-01]}\n")
    assert event.repeat == Repeat(also=(date(2024, 12, 1), date(2025, 3, 1)))


def test_no_files_are_no_calendars_and_a_calendar_may_have_no_events() -> None:
    assert read_definitions({}).calendars == ()
    assert read(HEAD).events == ()
    assert read(HEAD + "events:\n").events == ()


FOLDER = {
    "events/un/calendar.yaml": HEAD + "events:\n  z: {summary: Z, start: 2024-01-01}\n",
    "events/un/2024.yaml": "events:\n  b: {summary: B, start: 2024-01-01}\n",
    "events/un/2025.yml": "events:\n  a: {summary: A, start: 2025-01-01}\n",
    "events/other.yaml": HEAD,
}


def test_a_folder_is_one_calendar_whatever_the_order_of_its_files() -> None:
    results = {
        canonical_json({"all": [calendar.model_dump(mode="json") for calendar in calendars]})
        for order in permutations(FOLDER)
        for calendars in [
            read_definitions({file: FOLDER[file].encode() for file in order}).calendars
        ]
    }
    assert len(results) == 1
    calendars = read_definitions({file: text.encode() for file, text in FOLDER.items()}).calendars
    assert [calendar.slug for calendar in calendars] == ["other", "un"]
    assert [event.slug for event in calendars[1].events] == ["a", "b", "z"]


def test_the_events_of_a_folder_inherit_from_its_calendar() -> None:
    files = {
        file: text.replace("events:", "reminders: [1 day]\nevents:", 1) if "cal" in file else text
        for file, text in FOLDER.items()
    }
    _, un = read_definitions({file: text.encode() for file, text in files.items()}).calendars
    assert {event.time_zone for event in un.events} == {"America/New_York"}
    assert all(event.reminders for event in un.events)


def test_byte_order_marks_around_a_text_are_no_part_of_it_as_white_space_is_none() -> None:
    event = read_event(ALL_DAY.replace("summary: S", 'summary: " \\ufeff\\ufeffA\\ufeffB\\ufeff "'))
    assert event.summary == {"en": "A\ufeffB"}
