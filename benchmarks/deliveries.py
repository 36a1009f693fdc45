"""Durable deliveries per second of one worker, beside aiohttp alone and beside task queues.

All post the same signed bodies from core 0 to the same nginx on core 1, in turn. The worker is
`calfeed worker` as it is, over a database with 60,000 deliveries that fall due at one moment;
each attempt is recorded. PostgreSQL's connections are on core 1 too, so that whoever posts has
core 0 for himself; Redis's process runs on whichever core is free.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median
from subprocess import Popen, check_output

from sqlalchemy import func, select

from benchmarks.databases import POSTGRESQL, SQLITE, Databases, databases, tidy
from benchmarks.filling import fill
from benchmarks.machine import nginx, on_core, running
from benchmarks.rivals import COUNTER, post_with_celery, post_with_procrastinate
from calfeed.store import tables
from calfeed.store.database import Database
from tests.keys import KEYS

DELIVERIES = 60_000
"""Three seconds for a worker: in one, a machine's noise is as large as what is sought."""

ROUNDS = 7
CLIENT, SINK = 0, 1
"""The cores of who posts and of who receives."""

_AHEAD = timedelta(seconds=12)  # time to fill, and for a worker to start
_LONGEST = 120.0

BARE = "aiohttp, 64 at a time, nothing stored"
ON_SQLITE, ON_POSTGRESQL = WORKERS = ("calfeed worker, SQLite", "calfeed worker, PostgreSQL")
CLIENTS = (BARE, *WORKERS)
QUEUES = (
    "Procrastinate on PostgreSQL, 50 at a time",
    "Celery on Redis, 2 processes",
    "Celery on Redis, 2 processes, both cores",
)
RECEIVERS = {"1 endpoint": 1, "20 endpoints": 20}


def measure(rounds: int = ROUNDS) -> dict[tuple[str, str], float]:
    """Deliveries per second, medians of interleaved rounds, by client and receivers.

    The task queues post to 20 endpoints only.
    """
    found: dict[tuple[str, str], list[float]] = {}
    with (
        tempfile.TemporaryDirectory(prefix="calfeed-bench-") as name,
        databases(folder := Path(name)) as made,
        nginx(
            folder / "sink", f"location / {{ return 204; }} {COUNTER}", processes=1, core=SINK
        ) as sink,
    ):
        os.sched_setaffinity(made.server, {SINK})  # and so each connection's process
        url = f"http://127.0.0.1:{sink.port}"
        for _ in range(rounds):
            for receivers, many in RECEIVERS.items():
                urls = [f"{url}/{number}" for number in range(many)]
                clients = {
                    BARE: partial(_post_bare, urls),
                    ON_SQLITE: partial(_work_off, made, SQLITE, url, many),
                    ON_POSTGRESQL: partial(_work_off, made, POSTGRESQL, url, many),
                }
                if many > 1:
                    procrastinate, celery, widely = QUEUES
                    clients |= {
                        procrastinate: partial(
                            post_with_procrastinate, made.make(POSTGRESQL), urls, CLIENT
                        ),
                        celery: partial(post_with_celery, urls, CLIENT),
                        widely: partial(post_with_celery, urls, None),
                    }
                for client, post in clients.items():
                    rate = post()
                    found.setdefault((client, receivers), []).append(rate)
                    print(f"  {client}, {receivers}: {rate:,.0f}", file=sys.stderr)
    return {key: median(rates) for key, rates in found.items()}


@contextmanager
def worker(url: str) -> Iterator[Popen[bytes]]:
    """Run `calfeed worker` on its core, over the database of this URL."""
    environment = {
        "CALFEED_DATABASE_URL": url,
        "CALFEED_KEYS_FILE": str(KEYS),
        "CALFEED_ALLOW_PRIVATE_ENDPOINTS": "true",
    }
    command = on_core(CLIENT, [sys.executable, "-m", "calfeed", "worker"])
    with running(command, environment) as process:
        yield process


def _post_bare(urls: list[str]) -> float:
    command = [sys.executable, "-m", "benchmarks.bare_aiohttp", str(DELIVERIES), *urls]
    return DELIVERIES / float(check_output(on_core(CLIENT, command)))


def _work_off(made: Databases, kind: str, sink: str, endpoints: int) -> float:
    """Let a worker deliver everything: deliveries per second from the due moment to the end."""
    url = made.make(kind)
    database = Database(url, KEYS)
    due = datetime.now(UTC) + _AHEAD
    fill(database, sink, due, messages=DELIVERIES // endpoints, endpoints=endpoints)
    tidy(database)
    if datetime.now(UTC) > due - _AHEAD / 2:
        raise TimeoutError("the deliveries were due before they were all there")
    with worker(url):
        ended = _wait_for_end(database)
    database.close()
    made.drop(url)
    return DELIVERIES / (ended - due).total_seconds()


def _wait_for_end(database: Database) -> datetime:
    """When the last delivery was recorded, once all are, each with one attempt."""
    deliveries, attempts = tables.deliveries, tables.attempts
    deadline = time.monotonic() + _LONGEST
    pending = select(deliveries.c.id).where(deliveries.c.state == "pending").limit(1)
    while time.monotonic() < deadline:
        time.sleep(0.2)
        with database.read() as connection:
            if connection.execute(pending).first() is not None:
                continue
            counted = select(deliveries.c.state, func.count()).group_by(deliveries.c.state)
            states = {state.value: count for state, count in connection.execute(counted)}
            made = connection.scalar(
                select(func.count()).select_from(attempts).where(attempts.c.status == 204)
            )
            if states != {"delivered": DELIVERIES} or made != DELIVERIES:
                raise RuntimeError(f"not everything was delivered once: {states}, {made} attempts")
            ended: datetime = connection.execute(
                select(func.max(deliveries.c.settled_at))
            ).scalar_one()
            return ended
    raise TimeoutError(f"the worker was not done after {_LONGEST:.0f} s")
