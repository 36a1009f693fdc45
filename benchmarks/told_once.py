"""Let thousands of histories happen: `python -m benchmarks.told_once 20000`.

Edits, restarts, clock steps, new zone rules, pauses, digests and quiet hours, at random; at the end
of each, all must have been told under one id, or a reason be on record. See
`tests.delivery.test_told_once`. Prints what there was; ends with 1 if anything failed.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, seed

from benchmarks.databases import POSTGRESQL, databases
from benchmarks.trying import Counts, many, note_failure, try_chunks
from calfeed.store.database import Database
from calfeed.store.migrate import migrate
from tests.delivery.test_told_once import History, histories, live, make_database, make_releases

_CHUNK = 250


def try_chunk(number: int, *, postgresql: bool = False) -> tuple[Counts, str]:
    """Try a chunk of histories, always the same for a number: the counts, and what failed."""
    logging.disable()
    counts: Counts = Counter()
    make = _make_postgresql if postgresql else make_database
    with make() as database, make_releases() as zones:

        @seed(number)
        @many(_CHUNK)
        @given(history=histories())
        def try_one(history: History) -> None:
            life = live(database, zones, history)
            counts["histories"] += 1
            counts["recalled"] += sum(life.recalls.values())
            counts["told"] += len(life.told)
            counts["told again under the same id"] += sum(
                len(told) > 1 for told in life.told.values()
            )

        return note_failure(number, counts, try_one)


@contextmanager
def _make_postgresql() -> Iterator[Database]:
    """A database of a PostgreSQL of its own, in memory where there is such a place."""
    memory = Path("/dev/shm")
    with (
        TemporaryDirectory(
            dir=memory if memory.is_dir() else None, ignore_cleanup_errors=True
        ) as folder,
        databases(Path(folder)) as made,
        closing(Database(made.make(POSTGRESQL))) as database,
    ):
        migrate(database)
        yield database


def main() -> int:
    """Try as many histories as are wanted, on every processor; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.told_once")
    parser.add_argument("histories", type=int, nargs="?", default=20_000)
    parser.add_argument("--seed", type=int, default=0, help="the number of the first chunk")
    parser.add_argument("--processes", type=int)
    parser.add_argument("--postgresql", action="store_true", help="instead of SQLite")
    wanted = parser.parse_args()
    chunks = range(wanted.seed, wanted.seed + -(-wanted.histories // _CHUNK))
    names = ("histories", "told", "told again under the same id", "recalled")
    trying = partial(try_chunk, postgresql=wanted.postgresql)
    return try_chunks(trying, chunks, names, wanted.processes)


if __name__ == "__main__":
    sys.exit(main())
