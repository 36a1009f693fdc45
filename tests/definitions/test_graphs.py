"""Random dates counted from each other resolve to what a plain recursion gives."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from calfeed.definitions.reader import DefinitionReader
from tests.definitions.counted import read
from tests.definitions.graphs import Graph, Naive, Release, edit_graph, make_graph

_SEEDS = st.integers(0, 1 << 40)


def check_dates(graph: Graph, holidays: Release) -> None:
    """Hold that each date is the one that the recursion gives, and none is missing."""
    defined, naive = read(graph.files, holidays), Naive(graph, holidays)
    events = {
        f"{event.calendar}/{event.slug}": event
        for calendar in defined.calendars
        for event in calendar.events
    }
    undated = {f"{each.draft.calendar}/{each.draft.slug}": each for each in defined.undated}
    assert events.keys() | undated.keys() == graph.entries.keys()
    for name, entry in graph.entries.items():
        days, why = naive.find_days(name), naive.find_why(name)
        if name in undated:
            assert (days, undated[name].on_hold.why) == (None, why), name
            continue
        event = events[name]
        assert (event.on_hold and event.on_hold.why) == why, name
        span = event.span
        start = event.start.isoformat()[:10]
        last = span.latest.isoformat() if span else start
        expected = entry.days if entry.postponed else days
        assert expected is not None, name
        assert (start, last) == tuple(day.isoformat() for day in expected), name
        if entry.rule is not None:
            assert (event.precision is None) == (expected[0] == expected[1]), name


@settings(max_examples=60)
@given(_SEEDS, st.integers(1, 200), st.integers(0, 5))
def test_dates_are_those_that_a_recursion_computes(seed: int, size: int, release: int) -> None:
    check_dates(make_graph(random.Random(seed), size), Release(release))


@settings(max_examples=15)
@given(_SEEDS, st.integers(1, 100))
def test_a_reader_that_skips_what_it_knows_gives_the_same_dates_after_each_edit(
    seed: int, size: int
) -> None:
    chance = random.Random(seed)
    graph, holidays = make_graph(chance, size), Release(1)
    reader = DefinitionReader(code="", holidays=holidays)
    for _ in range(5):
        files = {f"events/{name}.yaml": content for name, content in graph.files.items()}
        again, first = reader.read(files), read(graph.files, holidays)
        assert again.calendars == first.calendars
        assert [each.on_hold for each in again.undated] == [each.on_hold for each in first.undated]
        assert again.known == first.known
        graph = edit_graph(chance, graph)
