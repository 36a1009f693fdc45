"""A timeline gives the same results as a search through all events, in a reader's days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from calfeed.ical.history import ENDLESS
from calfeed.ical.occurrences import expand, last_end
from calfeed.model.dates.uncertainty import Precision
from calfeed.model.events import Change, Event, Repeat
from calfeed.model.revision import Revision
from calfeed.store.rows import EventRow
from calfeed.web.published.timeline import (
    EventOccurrence,
    Timeline,
    days_of,
    list_days_of,
    make_span,
)
from tests.ical.defining import PUBLISHED

ZONES = ["UTC", "Pacific/Kiritimati", "Etc/GMT+12", "America/New_York", "Asia/Karachi"]
FIRST, LAST = date(2026, 1, 1), date(2028, 12, 31)
BEGIN, END = datetime(2020, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC)


def make_row(event: Event) -> EventRow:
    end = last_end(event)
    revision = Revision(event=event, sequence=0, created=PUBLISHED, modified=PUBLISHED)
    year = ENDLESS if end is None else end.year
    return EventRow(event.uid, event.calendar, event.slug, "", 0, revision, {}, year)


def make_timeline(rows: list[EventRow]) -> Timeline:
    return Timeline([make_span(row) for row in rows])


@st.composite
def events(draw: st.DrawFn) -> Event:
    zone = draw(st.sampled_from(ZONES))
    day = draw(st.dates(FIRST, LAST))
    hour = draw(st.sampled_from([0, 1, 12, 23]))
    timed = draw(st.booleans())
    start = datetime(day.year, day.month, day.day, hour, tzinfo=ZoneInfo(zone)) if timed else day
    days = draw(st.sampled_from([0, 1, 2, 40, 900]))
    hours = draw(st.sampled_from([0, 1, 24])) if timed else 0
    length = timedelta(days=days, hours=hours)
    if not timed:
        length = max(length, timedelta(days=1))
    rule = draw(st.sampled_from([None, None, "FREQ=WEEKLY", "FREQ=MONTHLY;COUNT=9", "FREQ=YEARLY"]))
    repeat = Repeat(rule=rule) if rule else None
    if repeat and draw(st.booleans()):
        moved = start + timedelta(days=draw(st.integers(-400, 400)))
        changed = Change(original=start, start=moved, end=moved + 2 * length + timedelta(days=1))
        repeat = Repeat(rule=rule, changes=(changed,))
    vague = not timed and repeat is None and draw(st.booleans())
    return Event(
        calendar="desk",
        slug="it",
        uid=f"{draw(st.integers(0, 9**9))}@desk",
        summary={"en": "It"},
        start=start,
        end=start + length if length else None,
        time_zone=zone,
        language="en",
        repeat=repeat,
        precision=Precision.RANGE if vague else None,
    )


def list_everything(rows: list[EventRow], zone: ZoneInfo) -> list[EventOccurrence]:
    found = (
        EventOccurrence(row, one) for row in rows for one in expand(row.revision.event, BEGIN, END)
    )
    return sorted(found, key=lambda one: place_of(one, zone))


def place_of(one: EventOccurrence, zone: ZoneInfo) -> tuple[date, bool, datetime, str, str]:
    timed = isinstance(one.occurrence.start, datetime)
    first, _ = days_of(one.occurrence, zone)
    return first, timed, one.occurrence.begins, one.row.uid, one.occurrence.id


@settings(max_examples=40)
@given(
    st.lists(events(), max_size=6, unique_by=lambda event: event.uid),
    st.dates(FIRST, LAST),
    st.integers(0, 70),
    st.sampled_from(ZONES),
)
def test_a_timeline_gives_what_every_event_would_give(
    defined: list[Event], first: date, days: int, reader: str
) -> None:
    zone, last = ZoneInfo(reader), first + timedelta(days=days)
    rows = [make_row(event) for event in defined]
    timeline, everything = make_timeline(rows), list_everything(rows, zone)
    placed = [(one, *days_of(one.occurrence, zone)) for one in everything]
    assert timeline.overlapping(first, last, zone) == [
        one for one, begins, ends in placed if begins <= last and ends >= first
    ]
    listed = sorted(
        ((one, *list_days_of(one, zone)) for one in everything),
        key=lambda each: (each[1], *place_of(each[0], zone)[1:]),
    )
    # Series go on after the last that is listed, and some events are listed later than that.
    far = min(listed[-1][1], (END - timedelta(days=2)).date()) if listed else first
    following = takewhile(
        lambda one: list_days_of(one, zone)[0] < far, timeline.following(first, zone)
    )
    assert list(following) == [
        one for one, begins, ends in listed if ends >= first and begins < far
    ]
    assert list(timeline.preceding(first, zone)) == [
        one for one, begins, ends in reversed(listed) if begins < first
    ]
    after = datetime.combine(first, datetime.min.time(), UTC)
    before = after + timedelta(days=days)
    beginning = sorted(timeline.beginning(after, before), key=lambda one: place_of(one, zone))
    assert beginning == [one for one in everything if after <= one.occurrence.begins < before]
    assert {one.row.uid for one in beginning} <= {
        row.uid for row in timeline.candidates(after, before)
    }


def test_a_choice_of_events_has_only_theirs() -> None:
    rows = [
        make_row(
            Event(
                calendar="desk",
                slug=f"e{number}",
                uid=f"e{number}",
                summary={"en": "It"},
                start=date(2026, 6, number),
                end=date(2026, 6, number + 1),
                time_zone="UTC",
                language="en",
            )
        )
        for number in range(1, 11)
    ]
    chosen = make_timeline(rows).choose(lambda row: row.slug in ("e2", "e9"))
    found = chosen.overlapping(date(2026, 6, 1), date(2026, 6, 30), ZoneInfo("UTC"))
    assert [one.row.slug for one in found] == ["e2", "e9"]


@given(
    st.lists(events(), min_size=3, max_size=6, unique_by=lambda event: event.uid),
    st.dates(FIRST, LAST),
    st.sampled_from(ZONES),
    st.integers(0, 8),
)
@settings(max_examples=25)
def test_most_of_a_timeline_is_what_these_events_alone_would_be(
    given_events: list[Event], day: date, zone_name: str, left_out: int
) -> None:
    rows = [make_row(event) for event in given_events]
    kept = [row for row in rows if row is not rows[left_out % len(rows)]]
    most, alone = make_timeline(rows).choose(lambda row: row in kept), make_timeline(kept)
    zone, month_later = ZoneInfo(zone_name), day + timedelta(days=30)
    assert list(islice(most.following(day, zone), 20)) == list(
        islice(alone.following(day, zone), 20)
    )
    assert list(islice(most.preceding(day, zone), 20)) == list(
        islice(alone.preceding(day, zone), 20)
    )
    assert most.by_day(day, month_later, zone) == alone.by_day(day, month_later, zone)
    moment = datetime.combine(day, datetime.min.time(), UTC)
    window = moment, moment + timedelta(days=30)
    assert sorted(one.row.uid for one in most.beginning(*window)) == sorted(
        one.row.uid for one in alone.beginning(*window)
    )
    assert most.candidates(*window) == alone.candidates(*window)


def test_a_month_is_expanded_once() -> None:
    event = Event(
        calendar="desk",
        slug="it",
        uid="it",
        summary={"en": "It"},
        start=date(2026, 6, 1),
        end=date(2026, 6, 2),
        time_zone="UTC",
        language="en",
        repeat=Repeat(rule="FREQ=WEEKLY"),
    )
    timeline = make_timeline([make_row(event)])
    once, again = (
        timeline.overlapping(date(2030, 6, 1), date(2030, 6, 30), ZoneInfo("UTC")) for _ in range(2)
    )
    assert [one.occurrence for one in once] == [one.occurrence for one in again]
    assert all(one.occurrence is other.occurrence for one, other in zip(once, again, strict=True))
