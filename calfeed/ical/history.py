"""How much of the past a feed carries.

All of it, until the feed would grow beyond what Google reads; from there on the oldest years are
left out, whole ones, so that the bytes do not change from one day to the next.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

MOST_EVENTS = 1_000
MOST_BYTES = 1_000_000
"""What Google's calendar still takes of a feed, with a little room."""

ENDLESS = 10_000
"""The last year of what has no end."""


def first_year(years: Iterable[tuple[int, int, int]], this_year: int, keep: int | None) -> int:
    """The first year whose events a feed shows; 0 where it shows all.

    `years` tells what there is: a year (UTC), how many events end in it for the last time, and
    their bytes; a year may come more than once. `keep` is how many past years are wanted; None:
    as many as fit. This year and what comes after it is always shown.
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
        if (count <= MOST_EVENTS and size <= MOST_BYTES) or year >= this_year:
            break
        count -= counts[year]
        size -= sizes[year]
        first = year + 1
    return first
