"""How much of the past a feed carries."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from calfeed.ical.history import ENDLESS, MAX_FEED_BYTES, MAX_FEED_EVENTS, first_year

years = st.lists(
    st.tuples(
        st.integers(1990, 2040) | st.just(ENDLESS), st.integers(1, 900), st.integers(1, 900_000)
    ),
    max_size=30,
)


def test_a_feed_that_apps_can_read_carries_everything() -> None:
    assert first_year([(2001, 500, 1000), (2026, 500, 1000)], 2026, None) == 0


def test_the_oldest_years_are_left_out_whole_until_the_rest_can_be_read() -> None:
    found = [(2001, 400, 1), (2002, 400, 1), (2003, 400, 1), (2026, 300, 1)]
    assert first_year(found, 2026, None) == 2003


def test_this_year_and_what_comes_is_always_shown() -> None:
    assert first_year([(2026, 5000, 1), (2027, 5000, 1)], 2026, None) == 0


def test_what_is_asked_for_is_what_is_kept() -> None:
    assert first_year([(2001, 5000, 1)], 2026, 2) == 2024
    assert first_year([(2001, 5000, 1)], 2026, 10_000) == 0


@given(years, st.integers(2000, 2030))
def test_what_is_left_fits_or_is_not_past(found: list[tuple[int, int, int]], now: int) -> None:
    first = first_year(found, now, None)
    kept = [entry for entry in found if entry[0] >= first]
    assert first <= now
    fits = (
        sum(count for _, count, _ in kept) <= MAX_FEED_EVENTS
        and sum(size for *_, size in kept) <= MAX_FEED_BYTES
    )
    assert fits or all(year >= now for year, *_ in kept)
