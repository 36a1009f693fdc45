"""Try definitions by the thousand: `python -m benchmarks.fuzz --examples 100000`.

Each must be refused with a place and a reason, or make a feed that clients take; see
`tests.definitions.test_accepted_feeds`. Prints what was tried; ends with 1 if anything failed.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter

from hypothesis import given, seed

from benchmarks.trying import Counts, many, note_failure, try_chunks
from tests.definitions.test_accepted_feeds import DOCUMENTS, Document, check_document

_CHUNK = 500
"""Hypothesis remembers what it has tried, so many short runs are faster than a long one."""


def try_chunk(number: int) -> tuple[Counts, str]:
    """Try a chunk of examples, always the same for a number: the counts, and what failed."""
    counts: Counts = Counter()

    @seed(number)
    @many(_CHUNK)
    @given(DOCUMENTS)
    def try_one(document: Document) -> None:
        counts["examples"] += 1
        accepted = check_document(document)
        counts["accepted" if accepted else "refused"] += 1

    return note_failure(number, counts, try_one)


def main() -> int:
    """Try as many examples as are wanted, on every processor; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz")
    parser.add_argument("--examples", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0, help="the number of the first chunk")
    wanted = parser.parse_args()
    chunks = range(wanted.seed, wanted.seed + -(-wanted.examples // _CHUNK))
    return try_chunks(try_chunk, chunks, ("examples", "accepted", "refused"))


if __name__ == "__main__":
    sys.exit(main())
