"""How long 1,000 healthy endpoints wait for their messages beside receivers that fail.

Each healthy endpoint has one delivery, all due at one moment; each bad one has 50, due before. The
healthy receiver is an nginx that notes each message's id and the time, the bad one is that of the
tests. A round counts only if each healthy delivery arrived once and no other one was lost.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from sqlalchemy import Connection, func, insert, select

from benchmarks.databases import KINDS, databases, tidy
from benchmarks.deliveries import CLIENT, SINK
from benchmarks.machine import nginx, on_core, running
from benchmarks.messages import SECRET, make_body, make_message_id
from calfeed.reminders.filters import Filters, Subject
from calfeed.reminders.messages import Message
from calfeed.store import tables
from calfeed.store.database import Database
from calfeed.store.endpoints.records import Endpoint, add_endpoint
from calfeed.store.migrate import migrate
from calfeed.store.outbox.messages import add_messages
from tests.delivery.receiver import Receiver
from tests.keys import KEYS

HEALTHY = 1_000
ROUNDS = 3
RUNNING, STARTING = CASES = ("while it runs", "at its start, all overdue")
SHARES = {"p50": 0.5, "p99": 0.99, "latest": 1.0}

_TAKEN, _GONE = "huge", "status/410"
_PATHS = (
    *("reset", "hang", "slow", "closed", "half", "garbage", "headers", "moved"),
    *("status/429", "status/500", "status/503", _TAKEN, _GONE),
)
_NO_TLS, _NO_NAME = "https", "no-name"
_EACH, _BACKLOG = 3, 50
_BAD = (len(_PATHS) + 2) * _EACH

_AHEAD = timedelta(seconds=11)  # time to fill, for a worker to start, and for the bad to fail
_FAILING = timedelta(seconds=6)  # how much of it has to be left for the latter
_LONGEST = 60.0


@dataclass(frozen=True)
class Late:
    """Seconds from due to received: by share, medians of the rounds, and the worst there was."""

    shares: dict[str, float]
    worst: float


def measure(rounds: int = ROUNDS) -> dict[tuple[str, str], Late]:
    """How late the healthy endpoints had their messages, by database and case.

    At a worker's start the time counts from the first post that a bad receiver gets.
    """
    found: dict[tuple[str, str], list[dict[str, float]]] = {}
    with tempfile.TemporaryDirectory(prefix="calfeed-bench-") as name:
        folder = Path(name)
        with databases(folder) as made:
            for number in range(rounds):
                for kind in KINDS:
                    for case in CASES:
                        url = made.make(kind)
                        place = folder / f"{kind}-{CASES.index(case)}-{number}"
                        late = sorted(_measure_one(place, url, case))
                        shares = {
                            share: late[round(part * (len(late) - 1))]
                            for share, part in SHARES.items()
                        }
                        found.setdefault((kind, case), []).append(shares)
                        made.drop(url)
                        shown = ", ".join(f"{share} {at:.3f} s" for share, at in shares.items())
                        print(f"  {kind}, {case}: {shown}", file=sys.stderr)
    return {key: _sum_up(all_rounds) for key, all_rounds in found.items()}


def _sum_up(rounds: list[dict[str, float]]) -> Late:
    shares = {share: median(one[share] for one in rounds) for share in SHARES}
    return Late(shares, max(one["latest"] for one in rounds))


def _measure_one(folder: Path, url: str, case: str) -> list[float]:
    """Seconds from due to received at each healthy endpoint."""
    folder.mkdir()
    notes = folder / "received"
    location = f"location / {{ access_log {notes} received; return 204; }}"
    database = Database(url, KEYS)
    with nginx(folder / "sink", location, processes=1, core=SINK) as sink, Receiver() as receiver:
        migrate(database)
        now = datetime.now(UTC)
        overdue = now - timedelta(seconds=1)
        due = now + _AHEAD if case == RUNNING else overdue + timedelta(milliseconds=1)
        with database.write() as connection:
            _add_bad(connection, receiver, overdue)
            _add_healthy(connection, f"http://127.0.0.1:{sink.port}", due)
        tidy(database)
        with _worker(url, folder / "log"):
            first = _wait_for_post(receiver)
            if case == RUNNING and first > due - _FAILING:
                raise TimeoutError("the worker came too late for the bad ones to fail first")
            _wait_for_lines(notes)
            receiver.released.set()  # what hangs would keep the worker from its end
    _check(database)
    database.close()
    received = dict(line.split() for line in _lines(notes))
    if len(received) != HEALTHY or sum(1 for _ in _lines(notes)) != HEALTHY:
        raise RuntimeError(f"{len(received):,} of {HEALTHY:,} messages came, or some came twice")
    start = (due if case == RUNNING else first).timestamp()
    return [float(at) - start for at in received.values()]


@contextmanager
def _worker(url: str, log: Path) -> Iterator[None]:
    """Run `calfeed worker` on its core; the thousands of lines of its log go to a file."""
    environment = {
        "CALFEED_DATABASE_URL": url,
        "CALFEED_KEYS_FILE": str(KEYS),
        "CALFEED_ALLOW_PRIVATE_ENDPOINTS": "true",
    }
    command = on_core(CLIENT, [sys.executable, "-m", "calfeed", "worker"])
    with running(["sh", "-c", 'exec "$@" 2> "$0"', str(log), *command], environment):
        yield


def _add_bad(connection: Connection, receiver: Receiver, due: datetime) -> None:
    urls = {path: receiver.url(f"/{path}") for path in _PATHS}
    urls[_NO_TLS] = receiver.url("/").replace("http:", "https:")
    urls[_NO_NAME] = "http://nowhere.invalid/"
    numbers = range(HEALTHY, HEALTHY + _BACKLOG)
    ids = [f"bad {name} {number}" for name in urls for number in range(_EACH)]
    for one in ids:
        name = one.split()[1]
        add_endpoint(connection, Endpoint(one, urls[name], Filters(), SECRET, due))
    _add_deliveries(connection, [(number, one) for number in numbers for one in ids], due)


def _add_healthy(connection: Connection, sink: str, due: datetime) -> None:
    ids = [f"good {number}" for number in range(HEALTHY)]
    for number, one in enumerate(ids):
        add_endpoint(connection, Endpoint(one, f"{sink}/{number}", Filters(), SECRET, due))
    _add_deliveries(connection, list(enumerate(ids)), due)


def _add_deliveries(connection: Connection, pairs: list[tuple[int, str]], due: datetime) -> None:
    """Keep messages, by their numbers, each for the endpoints it is paired with."""
    subject = Subject(type="reminder.due", calendar="measured", event="measured")
    numbers = sorted({number for number, _ in pairs})
    messages = [Message(make_message_id(one), subject, due, make_body(one)) for one in numbers]
    add_messages(connection, messages)
    connection.execute(tables.messages.update().values(fanned_out_to=None))
    alike = {"state": "pending", "next_at": due, "claim": 0, "attempts": 0}
    rows = [
        {**alike, "message_id": make_message_id(number), "endpoint_id": endpoint}
        for number, endpoint in pairs
    ]
    connection.execute(insert(tables.deliveries), rows)


def _wait_for_post(receiver: Receiver) -> datetime:
    """When the bad receiver had its first post."""
    deadline = time.monotonic() + _LONGEST
    while not receiver.posts:
        if time.monotonic() > deadline:
            raise TimeoutError("the worker posted nothing")
        time.sleep(0.001)
    return datetime.now(UTC)


def _wait_for_lines(notes: Path) -> None:
    deadline = time.monotonic() + _AHEAD.total_seconds() + _LONGEST
    while sum(1 for _ in _lines(notes)) < HEALTHY:
        if time.monotonic() > deadline:
            raise TimeoutError(f"not all of {HEALTHY:,} messages were received")
        time.sleep(0.1)


def _lines(path: Path) -> Iterator[str]:
    with path.open() as file:
        yield from file


def _check(database: Database) -> None:
    """Raise RuntimeError unless each delivery is there, in a state that its receiver explains."""
    table = tables.deliveries
    query = select(table.c.endpoint_id, table.c.state, table.c.attempts, func.count())
    counts = {"good": 0, "bad": 0}
    with database.read() as connection:
        rows = connection.execute(
            query.group_by(table.c.endpoint_id, table.c.state, table.c.attempts)
        )
        for endpoint, state, attempts, count in rows:
            side, name, *_ = endpoint.split()
            counts[side] += count
            if side == "good":
                right = (state, attempts) == ("delivered", 1)
            elif name == _TAKEN:
                right = state in ("pending", "delivered")
            elif name == _GONE:
                right = state != "delivered"
            else:
                right = state == "pending"
            if not right:
                raise RuntimeError(f"{endpoint}: {count} {state} after {attempts} attempts")
    if counts != {"good": HEALTHY, "bad": _BAD * _BACKLOG}:
        raise RuntimeError(f"deliveries were lost: {counts} are left")
