"""How long after a reminder is due its message is received, at 200 reminders a second.

12,000 events are published with `calfeed publish`, each with one reminder, of which 200 fall due
at each second of one minute, all at once: definitions know no fractions of seconds. The worker
looks each event up again before it tells of it. Each of 20 calendars has an endpoint, and the
receiver is an nginx that notes each message's id and the time.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, select

from benchmarks.databases import KINDS, databases, tidy
from benchmarks.deliveries import SINK, worker
from benchmarks.machine import nginx, running
from benchmarks.messages import SECRET
from calfeed.reminders.filters import Filters
from calfeed.store import tables
from calfeed.store.database import Database
from calfeed.store.endpoints.records import Endpoint, add_endpoint
from tests.keys import KEYS

RATE = 200
SECONDS = 60
SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "latest": 1.0}

_CALENDARS = 20
_NOTICE = timedelta(hours=1)
_AHEAD = timedelta(seconds=60)  # time to publish
_LONGEST = 60.0


def measure() -> dict[tuple[str, str], float]:
    """Seconds from due to received, by database and share of the reminders."""
    found: dict[tuple[str, str], float] = {}
    with tempfile.TemporaryDirectory(prefix="calfeed-bench-") as name:
        folder = Path(name)
        with databases(folder) as made:
            for kind in KINDS:
                late = sorted(_measure_one(folder / kind, made.make(kind)))
                for share, part in SHARES.items():
                    found[kind, share] = late[round(part * (len(late) - 1))]
                shown = ", ".join(f"{share} {found[kind, share]:.3f} s" for share in SHARES)
                print(f"  {kind}, {len(late):,} reminders: {shown}", file=sys.stderr)
    return found


def _measure_one(folder: Path, url: str) -> list[float]:
    """Seconds from due to received of every reminder."""
    (folder / "events").mkdir(parents=True)
    first = (datetime.now(UTC) + _AHEAD).replace(microsecond=0)
    for calendar in range(_CALENDARS):
        text = _define(calendar, first)
        (folder / "events" / f"calendar-{calendar}.yaml").write_text(text, "utf-8")
    environment = {
        "CALFEED_EVENTS": str(folder / "events"),
        "CALFEED_DATABASE_URL": url,
        "CALFEED_KEYS_FILE": str(KEYS),
    }
    with running([sys.executable, "-m", "calfeed", "publish"], environment) as publishing:
        if publishing.wait(_AHEAD.total_seconds()):
            raise RuntimeError("the calendars could not be published")
    notes = folder / "received"
    location = f"location / {{ access_log {notes} received; return 204; }}"
    database = Database(url, KEYS)
    with nginx(folder / "sink", location, processes=1, core=SINK) as sink:
        with database.write() as connection:
            _add_endpoints(connection, f"http://127.0.0.1:{sink.port}")
        tidy(database)
        if datetime.now(UTC) > first - timedelta(seconds=5):
            raise TimeoutError("the first reminders were due before the worker could start")
        with worker(url):
            _wait_for_lines(notes, RATE * SECONDS)
    due = _load_due(database)
    database.close()
    received: dict[str, str] = {}
    for message, at in map(str.split, _lines(notes)):
        received.setdefault(message, at)
    if set(received) != set(due) or len(due) != RATE * SECONDS:
        raise RuntimeError(f"of {len(due):,} messages {len(received):,} were received")
    return [float(at) - due[message].timestamp() for message, at in received.items()]


def _define(calendar: int, first: datetime) -> str:
    lines = [f"name: Calendar {calendar}", "time_zone: UTC", "reminders: [1 hour]", "events:"]
    for number in range(RATE * SECONDS // _CALENDARS):
        start = first + _NOTICE + timedelta(seconds=number * _CALENDARS // RATE)
        lines += [
            f"  event-{number}:",
            f"    summary: Event {number} of calendar {calendar}",
            f'    start: "{start:%Y-%m-%d %H:%M:%S}"',
            "    duration: 1 hour",
            "    description: Some words about it that are neither long nor short.",
        ]
    return "\n".join(lines) + "\n"


def _add_endpoints(connection: Connection, sink: str) -> None:
    now = datetime.now(UTC)
    for calendar in range(_CALENDARS):
        filters = Filters(calendars=(f"calendar-{calendar}",))
        endpoint = Endpoint(f"ep_{calendar:016d}", f"{sink}/{calendar}", filters, SECRET, now)
        add_endpoint(connection, endpoint)


def _load_due(database: Database) -> dict[str, datetime]:
    """When the reminder of each message was due, by the message's id."""
    reminders, messages = tables.reminders, tables.messages
    query = select(messages.c.id, reminders.c.due).join(
        reminders, reminders.c.key == messages.c.reminder
    )
    with database.read() as connection:
        return {row.id: row.due for row in connection.execute(query)}


def _wait_for_lines(path: Path, count: int) -> None:
    deadline = time.monotonic() + _AHEAD.total_seconds() + SECONDS + _LONGEST
    while sum(1 for _ in _lines(path)) < count:
        if time.monotonic() > deadline:
            raise TimeoutError(f"not all of {count:,} messages were received")
        time.sleep(1)


def _lines(path: Path) -> Iterator[str]:
    with path.open() as file:
        yield from file
