"""The shipped calendars agree with their sources, and there is always an upcoming date."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from calfeed.definitions.files import load_definitions
from calfeed.ical.occurrences import expand
from calfeed.model.events import Calendar, Event, Kind, Status
from calfeed.reminders.plan import plan_reminders

FOLDER = Path(__file__).parents[2] / "events"

# Each event with its zone, first day and last day, read from the sources by hand.
DATES = {
    "afghan-refugees-pakistan/stay-ends": ("Asia/Karachi", date(2025, 6, 30), date(2025, 6, 30)),
    "pakistan-unga-2024/arrival": ("America/New_York", date(2024, 9, 21), date(2024, 9, 21)),
    "pakistan-unga-2024/general-debate": ("America/New_York", date(2024, 9, 24), date(2024, 9, 28)),
    "pakistan-unga-2024/pm-address": ("America/New_York", date(2024, 9, 27), date(2024, 9, 27)),
    "pakistan-unga-2024/us-reception": ("America/New_York", date(2024, 9, 21), date(2024, 9, 30)),
    "security-council-term/seat-passes-on": (
        *("America/New_York", date(2027, 1, 1)),
        date(2027, 1, 1),
    ),
    "security-council-term/term-begins": ("America/New_York", date(2025, 1, 1), date(2025, 1, 1)),
    "security-council-term/term-ends": ("America/New_York", date(2026, 12, 31), date(2026, 12, 31)),
    "un-observances/human-rights-day": ("UTC", date(2024, 12, 10), date(2024, 12, 10)),
    "un-observances/migrants-day": ("UTC", date(2024, 12, 18), date(2024, 12, 18)),
    "un-observances/un-day": ("UTC", date(2024, 10, 24), date(2024, 10, 24)),
    "un-observances/world-refugee-day": ("UTC", date(2024, 6, 20), date(2024, 6, 20)),
}


@pytest.fixture(scope="module")
def calendars() -> tuple[Calendar, ...]:
    return load_definitions(FOLDER).calendars


@pytest.fixture(scope="module")
def events(calendars: tuple[Calendar, ...]) -> dict[str, Event]:
    return {
        f"{calendar.slug}/{event.slug}": event
        for calendar in calendars
        for event in calendar.events
    }


def test_the_events_are_these_on_these_days_and_no_others(events: dict[str, Event]) -> None:
    """A name that changes takes the event away from everybody who subscribed to it."""
    found = {
        name: (event.time_zone, event.start, event.end - timedelta(days=1))
        for name, event in events.items()
        if event.end is not None
    }
    assert found == DATES


def test_the_uid_of_an_event_that_ships_never_changes(events: dict[str, Event]) -> None:
    uid = events["afghan-refugees-pakistan/stay-ends"].uid
    assert uid == "b7639fa2-4b34-570f-ba28-be4cbfcad8a3"


def test_only_the_end_of_the_stay_is_a_deadline(events: dict[str, Event]) -> None:
    deadlines = [name for name, event in events.items() if event.kind is Kind.DEADLINE]
    assert deadlines == ["afghan-refugees-pakistan/stay-ends"]
    assert all(event.status is Status.CONFIRMED for event in events.values())


def test_every_event_tells_where_its_date_is_known_from(events: dict[str, Event]) -> None:
    assert [name for name, event in events.items() if not event.sources] == []


def test_every_title_is_there_in_english_and_urdu(
    calendars: tuple[Calendar, ...], events: dict[str, Event]
) -> None:
    titles = [calendar.name for calendar in calendars]
    titles += [event.summary for event in events.values()]
    assert {tuple(title) for title in titles} == {("en", "ur")}


def test_every_file_names_the_schema_that_an_editor_checks_it_with() -> None:
    for file in FOLDER.glob("*.yaml"):
        first, _, _ = file.read_text("utf-8").partition("\n")
        schema = first.removeprefix("# yaml-language-server: $schema=")
        assert (FOLDER / schema).is_file(), f"{file.name}: {first}"


@pytest.mark.parametrize("year", [2024, 2026, 2040])
def test_the_observances_come_every_year_on_their_days(events: dict[str, Event], year: int) -> None:
    begin = datetime(year, 1, 1, tzinfo=UTC)
    found = {
        event.slug: [occurrence.start for occurrence in expand(event, begin, _next(begin))]
        for event in events.values()
        if event.calendar == "un-observances"
    }
    assert found == {
        "human-rights-day": [date(year, 12, 10)],
        "migrants-day": [date(year, 12, 18)],
        "un-day": [date(year, 10, 24)],
        "world-refugee-day": [date(year, 6, 20)],
    }


@pytest.mark.parametrize("month", range(1, 13))
def test_whenever_one_starts_a_reminder_comes_within_half_a_year_and_two_weeks(
    events: dict[str, Event], month: int
) -> None:
    """The longest wait is the one from 17 December to 13 June."""
    now = datetime(2035, month, 18, tzinfo=UTC)
    ahead = now + timedelta(days=196)
    assert any(True for event in events.values() for _ in plan_reminders(event, now, ahead))


def test_the_deadline_reminds_a_month_a_week_and_a_day_before_in_karachi(
    events: dict[str, Event],
) -> None:
    event = events["afghan-refugees-pakistan/stay-ends"]
    begin = datetime(2025, 1, 1, tzinfo=UTC)
    due = [
        reminder.due.astimezone(event.zone)
        for reminder in plan_reminders(event, begin, _next(begin))
    ]
    assert [f"{moment:%d.%m.%Y %H:%M %z}" for moment in due] == [
        "30.05.2025 09:00 +0500",
        "23.06.2025 09:00 +0500",
        "29.06.2025 09:00 +0500",
    ]


def _next(begin: datetime) -> datetime:
    return begin.replace(year=begin.year + 1)
