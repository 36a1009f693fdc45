"""Uncertain, held, counted, done and corrected dates as calendar apps get them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import icalendar
import pytest

from calfeed.ical.comparison.changes import extend_history
from calfeed.ical.vevent import render_event
from calfeed.model.dates.dating import Cause, Hold, OnHold
from calfeed.model.dates.offsets import Offset
from calfeed.model.events import Event
from calfeed.model.revision import ComparableRevision, Revision
from calfeed.publish.compare import revise
from tests.ical.clients import CLIENTS, check_lines, differences, render_feed
from tests.ical.corpus import MAIN
from tests.ical.defining import define
from tests.ical.parsers import parsers_required
from tests.ical.test_vevent import NOW

LANGUAGES = ("en", "ur", "ps", "fa")

EVENTS = """
    range: {summary: Range, start: 2026-06-03..2026-06-07, reminders: [1 week]}
    long: {summary: Long, start: 2026-06-03..2026-06-10, reminders: [1 week]}
    month: {summary: Month, start: 2026-06, reminders: [1 week]}
    quarter: {summary: Quarter, start: 2026-Q3, reminders: [1 week]}
    half: {summary: Half, start: 2026-H2}
    season: {summary: Season, start: winter 2026}
    year: {summary: Year, start: 2026}
    part: {summary: Part, start: mid-June 2026}
    time-open: {summary: Time open, start: 2026-06-15 time TBC, reminders: [1 week]}
    held: {summary: Held, start: postponed from 2026-06-12 10:00, reminders: [1 week]}
    held-month: {summary: Held month, start: postponed from June 2026}
    hearing: {summary: Hearing, start: 2026-06-15}
    papers:
      summary: Papers
      start: 3 working days before hearing
      at: "17:00"
      reminders: [2 working days, {before: 1 working day, at: "08:00"}]
    reply: {summary: Reply, start: 14 days after month}
    rolled: {summary: Rolled, start: 5 days after hearing, roll: next}
    met: {summary: Met, start: 2026-06-12, kind: deadline, done: 2026-06-10, reminders: [1 week]}
    waived: {summary: Waived, start: 2026-06-12, done: waived}
    series:
      summary: Series
      start: 2026-06-12 10:00
      repeat: {rule: FREQ=WEEKLY;COUNT=3}
      reminders: [3 working days, 1 hour]
    ending:
      summary: Ending
      start: 2026-06-12 10:00
      duration: 2 hours
      reminders: [on the day, the last hour]
    """
CALENDAR = define(EVENTS, head="working_days: {holidays: [PK]}")
BY_SLUG = {event.slug: event for event in CALENDAR.events}


def read(event: Event, *languages: str, marked: bool = False) -> Any:
    """An event as icalendar reads it."""
    revision = Revision(event=event, sequence=0, created=NOW, modified=NOW)
    text = render_event(revision, languages, marked=marked).decode()
    return icalendar.Event.from_ical(text)


def read_slug(slug: str) -> dict[str, object]:
    """What an app shows of an event of the calendar."""
    component = read(BY_SLUG[slug])
    end = component.get("DTEND")
    return {
        "start": component["DTSTART"].dt,
        "end": end.dt if end else None,
        "title": str(component["SUMMARY"]),
        "status": str(component["STATUS"]),
        "busy": str(component["TRANSP"]),
        "alarms": len(component.walk("VALARM")),
    }


VAGUE = {"status": "TENTATIVE", "busy": "TRANSPARENT"}
OPEN = {**VAGUE, "end": None, "alarms": 0}
DUE = {"status": "CONFIRMED", "busy": "TRANSPARENT"}

SHOWN: dict[str, dict[str, object]] = {
    "range": {
        **VAGUE,
        "start": date(2026, 6, 3),
        "end": date(2026, 6, 8),
        "title": "Range",
        "alarms": 1,
    },
    "long": {
        **OPEN,
        "start": date(2026, 6, 3),
        "title": "one of 3 to 10 June 2026, day open: Long",
    },
    "month": {**OPEN, "start": date(2026, 6, 1), "title": "June 2026, day open: Month"},
    "quarter": {
        **OPEN,
        "start": date(2026, 7, 1),
        "title": "third quarter of 2026, day open: Quarter",
    },
    "half": {
        **OPEN,
        "start": date(2026, 7, 1),
        "title": "second half of 2026, day open: Half",
    },
    "season": {
        **OPEN,
        "start": date(2026, 12, 1),
        "title": "winter 2026/27, day open: Season",
    },
    "year": {**OPEN, "start": date(2026, 1, 1), "title": "2026, day open: Year"},
    "part": {**OPEN, "start": date(2026, 6, 11), "title": "mid-June 2026, day open: Part"},
    "time-open": {
        **VAGUE,
        "start": date(2026, 6, 15),
        "end": date(2026, 6, 16),
        "title": "Time open",
        "alarms": 1,
    },
    "held-month": {
        "start": date(2026, 6, 1),
        "end": None,
        "title": "Postponed: Held month",
        "status": "CANCELLED",
        "busy": "TRANSPARENT",
        "alarms": 0,
    },
    "reply": {
        **OPEN,
        "start": date(2026, 6, 15),
        "title": "one of 15 June to 14 July 2026, day open: Reply",
    },
    "met": {
        **DUE,
        "start": date(2026, 6, 12),
        "end": date(2026, 6, 13),
        "title": "✓ Met",
        "alarms": 0,
    },
    "waived": {
        **DUE,
        "start": date(2026, 6, 12),
        "end": date(2026, 6, 13),
        "title": "✓ Waived",
        "alarms": 0,
    },
}


@pytest.mark.parametrize("slug", SHOWN)
def test_an_app_shows_an_uncertain_date_as_what_it_is(slug: str) -> None:
    assert read_slug(slug) == SHOWN[slug]


def test_a_postponed_event_stays_where_it_was_as_cancelled_and_without_alarms() -> None:
    component = read(BY_SLUG["held"])
    assert component["DTSTART"].dt.astimezone(UTC) == datetime(2026, 6, 12, 5, tzinfo=UTC)
    assert (str(component["STATUS"]), str(component["TRANSP"])) == ("CANCELLED", "TRANSPARENT")
    assert component.walk("VALARM") == []
    # Where a cancelled event would be hidden, the title alone says it.
    marked = read(BY_SLUG["held"], marked=True)
    assert (str(marked["STATUS"]), str(marked["SUMMARY"])) == ("CONFIRMED", "Postponed: Held")
    assert str(marked["TRANSP"]) == "TRANSPARENT"


def test_an_event_that_waits_names_what_it_waits_for() -> None:
    cause = Cause(calendar="court", slug="ruling", uid="x@example", summary={"en": "The Ruling"})
    on_hold = OnHold(why=Hold.WAITING, cause=cause, offset=Offset(direction=1, days=3))
    event = BY_SLUG["hearing"].model_copy(update={"on_hold": on_hold})
    component = read(event)
    assert str(component["SUMMARY"]) == "Waiting for The Ruling: Hearing"
    assert str(component["STATUS"]) == "CANCELLED"
    assert str(component["DESCRIPTION"]).startswith("Waiting for The Ruling")


def test_a_counted_date_names_its_cause_and_shows_the_sum() -> None:
    component = read(BY_SLUG["papers"])
    related = component["RELATED-TO"]
    assert (str(related), related.params["RELTYPE"]) == (BY_SLUG["hearing"].uid, "DEPENDS-ON")
    assert str(component["DESCRIPTION"]) == (
        "3 working days before Hearing (15 June 2026): 10 June 2026\n"
        "Not counted: 13 June 2026 (weekend), 14 June 2026 (weekend)"
    )
    rolled = str(read(BY_SLUG["rolled"])["DESCRIPTION"])
    assert rolled.startswith("5 days after Hearing (15 June 2026): 20 June 2026")
    assert "22 June 2026" in rolled


def test_alarms_in_working_days_are_at_a_fixed_moment_and_not_in_a_series() -> None:
    # Of a series no trigger that is relative to the start skips weekends.
    triggers = [alarm["TRIGGER"].dt for alarm in read(BY_SLUG["papers"]).walk("VALARM")]
    start = datetime(2026, 6, 10, 12, tzinfo=UTC)
    moments = [start + each if isinstance(each, timedelta) else each for each in triggers]
    assert moments == [
        datetime(2026, 6, 8, 12, tzinfo=UTC),
        datetime(2026, 6, 9, 3, tzinfo=UTC),
    ]
    (alarm,) = read(BY_SLUG["series"]).walk("VALARM")
    assert alarm["TRIGGER"].dt == timedelta(hours=-1)


def test_alarms_may_be_on_the_day_or_before_the_end() -> None:
    triggers = [alarm["TRIGGER"].dt for alarm in read(BY_SLUG["ending"]).walk("VALARM")]
    assert triggers == [timedelta(hours=-1), timedelta(hours=1)]


def test_a_correction_has_a_higher_sequence_and_says_that_the_date_was_wrong() -> None:
    wrong = define("it: {summary: It, start: 2026-06-12}").events[0]
    right = define("it: {summary: It, start: 2026-06-21, correction: {was: 2026-06-12}}").events[0]
    first = Revision(event=wrong, sequence=4, created=NOW, modified=NOW)
    last = ComparableRevision(first)
    change = revise(right, last, last, NOW + timedelta(days=1))
    assert extend_history(change, change.after.modified)[-1].corrected
    component = icalendar.Event.from_ical(render_event(change.after).decode())
    assert component["SEQUENCE"] == 5
    assert str(component["DESCRIPTION"]) == ("Correction of 13 July 2024: 12 June 2026 was wrong")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("slug", BY_SLUG)
def test_each_date_is_written_in_each_language_in_whole_lines(slug: str, language: str) -> None:
    revision = Revision(event=BY_SLUG[slug], sequence=0, created=NOW, modified=NOW)
    for marked in (False, True):
        text = render_event(revision, (language,), marked=marked)
        check_lines(text)
        component = icalendar.Event.from_ical(text.decode())
        assert "{" not in str(component["SUMMARY"])
        assert "{" not in str(component.get("DESCRIPTION", ""))
        assert "None" not in str(component.get("DESCRIPTION", ""))


@pytest.mark.parametrize("client", CLIENTS)
def test_real_clients_see_each_date_on_its_first_day(client: str) -> None:
    check_lines(render_feed(CALENDAR))
    with parsers_required():
        assert list(differences(CALENDAR, MAIN, [client])) == []
