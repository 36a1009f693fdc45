"""Random dates, published state after state: nothing is left behind, and each change is told once.

Each sequence of states edits some dates, cancels or postpones some, and may come with another
release of holidays.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from calfeed.definitions.resolution import describe_cause
from calfeed.ical.comparison.changes import Kind
from calfeed.ical.comparison.reasons import CauseChange, HolidayChange, find_reason
from calfeed.model.dates.dating import Hold
from calfeed.model.events import Event
from calfeed.publish.plan import Plan
from calfeed.store.catalog.installation import save_installation
from tests.conftest import INSTALLATION
from tests.definitions.graphs import Graph, Naive, Release, edit_graph, make_graph
from tests.migrated import migrated_sqlite
from tests.publish.dated import publish, tell
from tests.publish.desk import Desk


@contextmanager
def _open_desk() -> Iterator[Desk]:
    """A desk with a SQLite database of its own, which an example has to itself."""
    with TemporaryDirectory(prefix="calfeed-") as folder:
        database = migrated_sqlite(Path(folder))
        with database.write() as connection:
            save_installation(connection, INSTALLATION)
        desk = Desk(database)
        desk.add_endpoint()
        yield desk
        database.close()


def _read_events(desk: Desk) -> dict[str, Event]:
    """What is published, by `calendar/slug`."""
    events = [row.revision.event for row in desk.rows().values()]
    return {f"{event.calendar}/{event.slug}": event for event in events}


def _date_of(event: Event) -> tuple[object, ...]:
    """All that is known of an event's date."""
    why = event.on_hold and event.on_hold.why
    return event.start, event.end, event.precision, why


def check_no_consequence_is_behind(events: dict[str, Event]) -> None:
    """Hold that each counted date was counted from its cause as it is published now."""
    for name, event in events.items():
        if event.derivation is not None:
            cause = event.derivation.cause
            assert describe_cause(events[f"{cause.calendar}/{cause.slug}"]) == cause, name
        if event.on_hold is not None and event.on_hold.cause is not None:
            found = event.on_hold.cause
            cause_now = events.get(f"{found.calendar}/{found.slug}")
            assert cause_now is None or describe_cause(cause_now) == found, name
            assert found.earliest is None, name


def check_changes_are_told(
    plan: Plan, before: dict[str, Event], after: dict[str, Event], edited: set[str]
) -> None:
    """Hold that each new date is announced once, and with its reason if nobody edited it."""
    changes = {
        f"{change.after.event.calendar}/{change.after.event.slug}": change
        for change in plan.announced
    }
    assert len(changes) == len(plan.announced)
    dated = {
        name
        for name, event in after.items()
        if name not in before or _date_of(before[name]) != _date_of(event)
    }
    assert dated <= changes.keys() <= dated | edited
    for name in changes.keys() - edited:
        change = changes[name]
        reason = find_reason(change)
        if change.kind is Kind.ADDED:
            assert before.get(name) is None, name
        elif isinstance(reason, HolidayChange):
            assert reason.added or reason.removed, name
        else:
            assert isinstance(reason, CauseChange), name
    for name, change in changes.items():
        if change.after.event.on_hold is not None and change.kind is not Kind.ADDED:
            assert change.kind in (Kind.MOVED, Kind.CANCELLED, Kind.CHANGED), name
    assert len(tell(plan)) == sum(change.coming for change in plan.announced)


@settings(max_examples=12)
@given(st.integers(0, 1 << 40), st.integers(2, 200))
def test_a_sequence_of_publishes_ends_as_its_last_state_alone_and_tells_each_change_once(
    seed: int, size: int
) -> None:
    chance = random.Random(seed)
    graph, holidays = make_graph(chance, size), Release(1)
    edited, before = set(graph.entries), dict[str, Event]()
    former: dict[str, tuple[object, ...]] = {}
    with _open_desk() as desk, _open_desk() as fresh:
        for state in range(5):
            if state:
                last = graph
                graph, holidays = _take_next_state(chance, graph, holidays)
                edited = {
                    name for name in last.entries if last.entries[name] != graph.entries[name]
                }
            plan = publish(desk, graph.files, holidays)
            events = _read_events(desk)
            check_no_consequence_is_behind(events)
            check_changes_are_told(plan, before, events, edited)
            before = events
            dated = {
                name: event for name, event in events.items() if not _waits(graph, name, event)
            }
            former |= {name: _date_of(event)[:3] for name, event in dated.items()}
            everything = desk.everything()
            assert publish(desk, graph.files, holidays).empty
            assert desk.everything() == everything
        publish(fresh, graph.files, holidays)
        alone, naive = _read_events(fresh), Naive(graph, holidays)
    assert {name: _date_of(event) for name, event in dated.items()} == {
        name: _date_of(event) for name, event in alone.items()
    }
    assert {name for name, event in events.items() if event.on_hold is None} == {
        name for name in graph.entries if naive.find_days(name) is not None
    }
    for name in events.keys() - alone.keys():
        assert (*former[name], Hold(naive.find_why(name) or "")) == _date_of(events[name]), name


def _waits(graph: Graph, name: str, event: Event) -> bool:
    """Return whether an event is on hold at a date that only the published state knows."""
    return event.on_hold is not None and graph.entries[name].days is None


def _take_next_state(
    chance: random.Random, graph: Graph, holidays: Release
) -> tuple[Graph, Release]:
    """Edit some dates, or take another release of holidays, or both."""
    kind = chance.randrange(3)
    if kind != 0:
        graph = edit_graph(chance, graph)
    return graph, Release(holidays.number + 1) if kind != 1 else holidays
