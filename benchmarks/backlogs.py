"""What a delivery costs while a million are pending, compared with ten thousand.

All deliveries are due when the worker starts. The costs of the worker and its database are measured
between the moments at which 5,000 and 15,000 deliveries are recorded: once of 20,000 deliveries, so
that 10,000 are pending on average, and once of 1,000,000. The big backlog is filled once, and each
round uses a part of it.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from sqlalchemy import func, select

from benchmarks.databases import KINDS, POSTGRESQL, Databases, databases, tidy
from benchmarks.deliveries import SINK, worker
from benchmarks.filling import fill
from benchmarks.machine import cpu_seconds, nginx
from calfeed.store import tables
from calfeed.store.database import Database
from tests.keys import KEYS

ROUNDS = 7
"""In fewer, a machine whose pace changes for some seconds decides."""

SMALL, BIG = 20_000, 1_000_000
ENDPOINTS = (1, 1_000)

_SKIPPED, _MEASURED = 5_000, 10_000
_SPREAD = timedelta(microseconds=1)  # no two are due at the same moment
_AGO = timedelta(seconds=10)
_LONGEST = 120.0
_LOOK = 0.01


@dataclass(frozen=True)
class Cost:
    """What one delivery took: seconds on the clock, and of processors.

    SQLite is inside the worker; PostgreSQL's processes are counted apart.
    """

    seconds: float
    worker: float
    database: float

    @property
    def processor(self) -> float:
        """The seconds of processors in all."""
        return self.worker + self.database


def measure(rounds: int = ROUNDS) -> dict[tuple[str, int, int], Cost]:
    """The cost of a delivery, medians of interleaved rounds, by database, endpoints, backlog."""
    found: dict[tuple[str, int, int], list[Cost]] = {}
    with (
        tempfile.TemporaryDirectory(prefix="calfeed-bench-") as name,
        databases(folder := Path(name)) as made,
        nginx(folder / "sink", "location / { return 204; }", processes=1, core=SINK) as sink,
    ):
        receiver = f"http://127.0.0.1:{sink.port}"
        for kind in KINDS:
            for endpoints in ENDPOINTS:
                big = _fill(made, kind, receiver, BIG, endpoints)
                for _ in range(rounds):
                    small = _fill(made, kind, receiver, SMALL, endpoints)
                    for backlog, url in ((SMALL, small), (BIG, big)):
                        cost = measure_cost(made, kind, url)
                        found.setdefault((kind, endpoints, backlog), []).append(cost)
                        print(
                            f"  {kind}, {backlog:,} waiting, {endpoints:,} endpoints: "
                            f"{1 / cost.seconds:,.0f} a second, "
                            f"{cost.processor * 1e6:.0f} µs of processors",
                            file=sys.stderr,
                        )
                    made.drop(small)
                made.drop(big)
    return {key: _middle(costs) for key, costs in found.items()}


def measure_cost(made: Databases, kind: str, url: str) -> Cost:
    """Let a worker deliver some of what is due, and see what each took."""
    database = Database(url, KEYS)
    start = count_attempts(database)
    with worker(url) as process:

        def used() -> tuple[float, float, float]:
            server = cpu_seconds(made.server) if kind == POSTGRESQL else 0.0
            return time.perf_counter(), cpu_seconds(process.pid), server

        first = wait_for_attempts(database, start + _SKIPPED)
        before = used()
        last = wait_for_attempts(database, start + _SKIPPED + _MEASURED)
        after = used()
    database.close()
    return Cost(*((end - begin) / (last - first) for begin, end in zip(before, after, strict=True)))


def _middle(costs: Sequence[Cost]) -> Cost:
    return Cost(
        median(one.seconds for one in costs),
        median(one.worker for one in costs),
        median(one.database for one in costs),
    )


def _fill(made: Databases, kind: str, sink: str, count: int, endpoints: int) -> str:
    url = made.make(kind)
    database = Database(url, KEYS)
    due = datetime.now(UTC) - _AGO
    messages = count // endpoints
    fill(database, sink, due, messages=messages, endpoints=endpoints, spread=_SPREAD)
    tidy(database)
    database.close()
    return url


def wait_for_attempts(database: Database, count: int) -> int:
    """Wait until so many attempts are recorded, and return how many there are then."""
    deadline = time.monotonic() + _LONGEST
    while time.monotonic() < deadline:
        if (found := count_attempts(database)) >= count:
            return found
        time.sleep(_LOOK)
    raise TimeoutError(f"there were no {count:,} attempts after {_LONGEST:.0f} s")


def count_attempts(database: Database) -> int:
    """How many attempts are recorded."""
    with database.read() as connection:
        return connection.scalar(select(func.count()).select_from(tables.attempts)) or 0
