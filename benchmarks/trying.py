"""Many random examples, in chunks, on every processor, and what came of them."""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence

from hypothesis import HealthCheck, Phase, settings

Counts = Counter[str]


def many(examples: int) -> settings:
    """Hypothesis's settings for a chunk of so many: it looks for failures and makes them small."""
    return settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )


def note_failure(number: int, counts: Counts, try_all: Callable[[], None]) -> tuple[Counts, str]:
    """Try a chunk: its counts, with the failure among them, and the failure's traceback."""
    try:
        try_all()
    except Exception:
        counts["failures"] += 1
        return counts, f"seed {number}:\n{traceback.format_exc()}"
    return counts, ""


def try_chunks(
    try_chunk: Callable[[int], tuple[Counts, str]],
    chunks: Sequence[int],
    names: Sequence[str],
    processes: int | None = None,
) -> int:
    """Try chunks by their numbers, and print the counts of these names; the exit code."""
    total: Counts = Counter()
    began = time.monotonic()
    with multiprocessing.Pool(processes or os.cpu_count()) as pool:
        for counts, failure in pool.imap_unordered(try_chunk, chunks):
            total += counts
            print(f"\r{total[names[0]]:,}", end="", file=sys.stderr, flush=True)
            if failure:
                print(f"\n{failure}", flush=True)
    print(file=sys.stderr)
    shown = ", ".join(f"{total[name]:,} {name}" for name in (*names, "failures"))
    print(f"{shown}, in {time.monotonic() - began:,.0f} s")
    return 1 if total["failures"] else 0
