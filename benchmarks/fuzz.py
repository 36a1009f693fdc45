"""Try definitions by the thousand: `python -m benchmarks.fuzz --examples 100000`.

Each must be refused with a place and a reason, or make a feed that clients take; see
`tests.definitions.test_accepted_feeds`. Prints what was tried; ends with 1 if anything failed.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
import traceback
from collections import Counter

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.definitions.test_accepted_feeds import DOCUMENTS, Document, check_document

_CHUNK = 500
"""Hypothesis remembers what it has tried, so many short runs are faster than a long one."""

_SETTINGS = settings(
    max_examples=_CHUNK,
    database=None,
    deadline=None,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)


def run_chunk(number: int) -> tuple[Counter[str], str]:
    """Try a chunk of examples, always the same for a number: the counts, and what failed."""
    counts: Counter[str] = Counter()

    @seed(number)
    @_SETTINGS
    @given(DOCUMENTS)
    def try_one(document: Document) -> None:
        counts["examples"] += 1
        accepted = check_document(document)
        counts["accepted" if accepted else "refused"] += 1

    try:
        try_one()
    except Exception:
        counts["failures"] += 1
        return counts, f"seed {number}:\n{traceback.format_exc()}"
    return counts, ""


def main() -> int:
    """Try as many examples as are wanted, on every processor; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz")
    parser.add_argument("--examples", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0, help="the number of the first chunk")
    wanted = parser.parse_args()
    chunks = range(wanted.seed, wanted.seed + -(-wanted.examples // _CHUNK))
    total: Counter[str] = Counter()
    began = time.monotonic()
    with multiprocessing.Pool(os.cpu_count()) as pool:
        for counts, failure in pool.imap_unordered(run_chunk, chunks):
            total += counts
            print(f"\r{total['examples']:,}", end="", file=sys.stderr, flush=True)
            if failure:
                print(f"\n{failure}", flush=True)
    print(file=sys.stderr)
    names = ("examples", "accepted", "refused", "failures")
    print(", ".join(f"{total[name]:,} {name}" for name in names), end="")
    print(f", in {time.monotonic() - began:,.0f} s")
    return 1 if total["failures"] else 0


if __name__ == "__main__":
    sys.exit(main())
