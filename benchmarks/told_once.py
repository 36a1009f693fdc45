"""Let thousands of histories happen: `python -m benchmarks.told_once 20000`.

Edits, restarts, clock steps, pauses, digests and quiet hours, at random; at the end of each, all
must have been told under one id, or a reason be on record. See `tests.delivery.test_told_once`.
Prints what there was; ends with 1 if anything failed.
"""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import os
import sys
import time
import traceback
from collections import Counter

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.delivery.test_told_once import History, histories, live, make_database

_CHUNK = 250

_SETTINGS = settings(
    max_examples=_CHUNK,
    database=None,
    deadline=None,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)


def run_chunk(number: int) -> tuple[Counter[str], str]:
    """Try a chunk of histories, always the same for a number: the counts, and what failed."""
    logging.disable()
    counts: Counter[str] = Counter()

    with make_database() as database:

        @seed(number)
        @_SETTINGS
        @given(history=histories())
        def try_one(history: History) -> None:
            life = live(database, history)
            counts["histories"] += 1
            counts["recalled"] += sum(life.recalls.values())
            counts["told"] += len(life.told)
            counts["told again under the same id"] += sum(
                len(told) > 1 for told in life.told.values()
            )

        try:
            try_one()
        except Exception:
            counts["failures"] += 1
            return counts, f"seed {number}:\n{traceback.format_exc()}"
    return counts, ""


def main() -> int:
    """Try as many histories as are wanted, on every processor; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.told_once")
    parser.add_argument("histories", type=int, nargs="?", default=20_000)
    parser.add_argument("--seed", type=int, default=0, help="the number of the first chunk")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    wanted = parser.parse_args()
    chunks = range(wanted.seed, wanted.seed + -(-wanted.histories // _CHUNK))
    total: Counter[str] = Counter()
    began = time.monotonic()
    with multiprocessing.Pool(wanted.processes) as pool:
        for counts, failure in pool.imap_unordered(run_chunk, chunks):
            total += counts
            print(f"\r{total['histories']:,}", end="", file=sys.stderr, flush=True)
            if failure:
                print(f"\n{failure}", flush=True)
    print(file=sys.stderr)
    names = ("histories", "told", "told again under the same id", "recalled", "failures")
    print(", ".join(f"{total[name]:,} {name}" for name in names), end="")
    print(f", in {time.monotonic() - began:,.0f} s")
    return 1 if total["failures"] else 0


if __name__ == "__main__":
    sys.exit(main())
