"""How costs grow: with a feed's events, with what is published, kept, and told to how many.

The curves behind docs/scaling.md. They take a quarter of an hour, so they are measured only when
asked for: `python -m benchmarks growth`.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.backlogs import SMALL, Cost, count_attempts, measure_cost, wait_for_attempts
from benchmarks.databases import KINDS, Databases, databases, measure_size, tidy
from benchmarks.deliveries import SINK, worker
from benchmarks.desk import Desk, Spent, set_up
from benchmarks.filling import add_endpoints, add_message, fill, mark_delivered
from benchmarks.machine import fetch, nginx
from benchmarks.messages import make_body, make_message_id
from benchmarks.servers import serve_calfeed
from calfeed.reminders.filters import Subject
from calfeed.reminders.messages import Message
from calfeed.store.database import Database
from calfeed.store.migrate import migrate
from calfeed.store.outbox.messages import add_messages
from tests.keys import KEYS

FEEDS = (10, 100, 1_000)
PUBLISHED = (100, 1_000, 10_000, 20_000)
KEPT = (10_000, 100_000, 1_000_000)
TOLD = (1_000, 10_000, 100_000, 1_000_000)

DELIVERY, MESSAGE = THINGS = ("delivery and its attempt", "message")
"""What rows are kept of."""

_CALENDARS = 20
_ENDPOINTS = 1_000
_SECONDS = 2
_SPREAD = timedelta(microseconds=1)
_SIZED = 100_000


@dataclass(frozen=True)
class FeedCost:
    """A feed of so many events: its bytes, plain and compressed, and CPU seconds by form."""

    events: int
    size: int
    packed: int
    costs: dict[str, float]


@dataclass(frozen=True)
class PublishCost:
    """So many events: the first publish, one with one change, and what they take then, in bytes."""

    events: int
    first: Spent
    changed: Spent
    database: int
    web: int


@dataclass(frozen=True)
class FanOut:
    """Seconds until the first and the last endpoint had a message."""

    first: float
    last: float


def measure_feeds() -> list[FeedCost]:
    """What one request costs, by the number of events in the feed."""
    found = []
    for events in FEEDS:
        with _desk(events, calendars=1) as desk:
            desk.publish()
            with serve_calfeed(f"{events} events", desk, "calendar-0") as server:
                size = len(fetch(server.url)[0])
                packed = len(fetch(server.url, {"Accept-Encoding": "gzip"})[0])
                for form in ("body", "gzip", "304"):
                    server.load(form, _SECONDS)
                    server.wait_for_rest()
            found.append(
                FeedCost(events, size, packed, {form: server.cost(form) for form in server.costs})
            )
    return found


def measure_publishes() -> list[PublishCost]:
    """What publishing takes, by the number of events in all calendars."""
    found = []
    for events in PUBLISHED:
        with _desk(events, _CALENDARS) as desk:
            first = desk.publish()
            path = desk.folder / "events" / "calendar-0.yaml"
            path.write_text(path.read_text("utf-8").replace("Event 0 ", "Event zero "), "utf-8")
            changed = desk.publish()
            database = Database(desk.database)
            size = measure_size(database)
            database.close()
            with desk.web(1, "calendar-0") as server:
                web = _memory(server.pid)
            found.append(PublishCost(events, first, changed, size, web))
            _say(f"publishing {events:,} events: {first.seconds:.2f} s")
    return found


def measure_kept() -> dict[tuple[str, int], Cost]:
    """What a delivery costs, by database and the number of deliveries that are kept already."""
    found = {}
    with _receiver() as (made, sink):
        for kind in KINDS:
            for kept in KEPT:
                url = _fill_history(made, kind, sink, kept, SMALL)
                found[kind, kept] = cost = measure_cost(made, kind, url)
                made.drop(url)
                _say(f"{kind}, {kept:,} kept: {cost.processor * 1e6:.0f} µs of processors")
    return found


def measure_sizes() -> dict[tuple[str, str], float]:
    """Bytes on the disk, with the indexes, by database, of each thing that is kept of a message."""
    found: dict[tuple[str, str], float] = {}
    with _receiver() as (made, sink):
        for kind in KINDS:
            shared, own = (
                _grow(made, kind, sink, endpoints) / _SIZED for endpoints in (_ENDPOINTS, 1)
            )
            found[kind, DELIVERY] = shared
            found[kind, MESSAGE] = own - shared
    return found


def measure_fan_out() -> dict[tuple[str, int], FanOut]:
    """How long one message takes to reach so many endpoints, from when it is stored."""
    found = {}
    with _receiver() as (made, sink):
        for kind in KINDS:
            for endpoints in TOLD:
                found[kind, endpoints] = one = _fan_out(made.make(kind), sink, endpoints)
                _say(f"{kind}, {endpoints:,} endpoints: {one.first:.2f} to {one.last:.2f} s")
    return found


def _fan_out(url: str, sink: str, endpoints: int) -> FanOut:
    database = Database(url, KEYS)
    migrate(database)
    before = datetime.now(UTC)
    with database.write() as connection:
        add_endpoints(connection, sink, endpoints, before)
        add_message(connection, before)  # for one endpoint: it shows that the worker is there
    tidy(database)
    with worker(url):
        wait_for_attempts(database, 1)
        subject = Subject(type="reminder.due", calendar="measured", event="told")
        now, began = datetime.now(UTC), time.perf_counter()
        message = Message(make_message_id(1), subject, now, make_body(1))
        with database.write() as connection:
            add_messages(connection, [message])
        wait_for_attempts(database, 2)
        first = time.perf_counter() - began
        while count_attempts(database) < endpoints + 1:
            time.sleep(0.2)  # counting them takes a while, too
        last = time.perf_counter() - began
    database.close()
    return FanOut(first, last)


def _grow(made: Databases, kind: str, sink: str, endpoints: int) -> int:
    """By how many bytes a database grows with a history that is `_SIZED` deliveries long."""
    sizes = []
    for url in (
        _fill_history(made, kind, sink, endpoints, 0, endpoints),
        _fill_history(made, kind, sink, _SIZED + endpoints, 0, endpoints),
    ):
        database = Database(url, KEYS)
        sizes.append(measure_size(database))
        database.close()
        made.drop(url)
    return sizes[1] - sizes[0]


def _fill_history(
    made: Databases, kind: str, sink: str, kept: int, pending: int, endpoints: int = _ENDPOINTS
) -> str:
    """A database with deliveries that are over, and some that are due."""
    url = made.make(kind)
    database = Database(url, KEYS)
    past = datetime.now(UTC) - timedelta(seconds=10)
    messages = (kept + pending) // endpoints
    fill(database, sink, past, messages=messages, endpoints=endpoints, spread=_SPREAD)
    with database.write() as connection:
        mark_delivered(connection, past, kept)
    tidy(database)
    database.close()
    return url


@contextmanager
def _receiver() -> Iterator[tuple[Databases, str]]:
    """Databases, and the URL of an nginx that takes everything."""
    with tempfile.TemporaryDirectory(prefix="calfeed-bench-") as name:
        folder = Path(name)
        with (
            databases(folder) as made,
            nginx(folder / "sink", "location / { return 204; }", processes=1, core=SINK) as sink,
        ):
            yield made, f"http://127.0.0.1:{sink.port}"


@contextmanager
def _desk(events: int, calendars: int) -> Iterator[Desk]:
    with tempfile.TemporaryDirectory(prefix="calfeed-bench-") as name:
        desk = set_up(Path(name) / "desk")
        each = events // calendars
        desk.write(
            {f"calendar-{one}.yaml": "\n".join(_define(one, each)) for one in range(calendars)}
        )
        yield desk


def _define(calendar: int, events: int) -> Sequence[str]:
    first = datetime.now(UTC).date()
    lines = [f"name: Calendar {calendar}", "time_zone: Asia/Karachi"]
    lines += ["reminders: [1 week, 1 day]", "events:"]
    for number in range(events):
        lines += [
            f"  event-{number}:",
            f"    summary: Event {number} of calendar {calendar}",
            f"    start: {first + timedelta(days=number % 700)}",
            "    description: Some words about it that are neither long nor short.",
        ]
    return [*lines, ""]


def _memory(root: int) -> int:
    """The memory of a process's children (PSS), in bytes: those that serve."""
    children = Path(f"/proc/{root}/task/{root}/children").read_text().split()
    total = 0
    for child in children:
        for line in Path(f"/proc/{child}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1]) * 1024
    return total


def _say(text: str) -> None:
    print(f"  {text}", file=sys.stderr)
