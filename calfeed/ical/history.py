"""Decide how many past years a feed contains.

A feed contains all years until it would exceed Google's limits; then the oldest years are dropped.
Only whole years are dropped, so that the bytes do not change from day to day.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

MAX_FEED_EVENTS = 1_000
MAX_FEED_BYTES = 1_000_000
"""The limits of Google Calendar for feeds, with a margin."""

ENDLESS = 10_000
"""The last year of an endless series."""


def first_year(years: Iterable[tuple[int, int, int]], this_year: int, keep: int | None) -> int:
    """Return the first year that a feed contains, 0 for all.

    `years` holds tuples of a year (UTC), the number of events whose last occurrence ends in it,
    and their size in bytes; years may repeat. `keep` is the number of past years to keep, None for
    as many as fit. The current and later years are always included.
    """
    if keep is not None:
        return max(0, this_year - keep)
    counts: Counter[int] = Counter()
    sizes: Counter[int] = Counter()
    for year, number, length in years:
        counts[year] += number
        sizes[year] += length
    count, size = counts.total(), sizes.total()
    first = 0
    for year in sorted(counts):
        if (count <= MAX_FEED_EVENTS and size <= MAX_FEED_BYTES) or year >= this_year:
            break
        count -= counts[year]
        size -= sizes[year]
        first = year + 1
    return first
