"""CalDAV: full syncs and syncs by token, beside the feed, and beside Radicale and Xandikos.

The servers have the same events in one collection, and one client asks them on one connection. The
processor time of a sync by token is measured in this process, at 20,000 events.
"""

from __future__ import annotations

import http.client
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

from werkzeug.test import Client

from benchmarks.desk import Desk, set_up
from benchmarks.machine import cpu_seconds, free_port, running, wait_for_port
from benchmarks.servers import serve_radicale
from calfeed.definitions.reader import read_definitions
from calfeed.publish.apply import publish
from calfeed.store.database import Database
from calfeed.store.migrate import migrate
from calfeed.web.caldav.routes import make_caldav
from calfeed.web.published.state import State

EVENTS = 300
_HEAD = "name: Measured\ntime_zone: UTC\nhistory: all\n"
_IN_FILE = 2_000

MANY = 20_000
ROUNDS = 3
_REQUESTS, _SLOW_REQUESTS = 400, 20
_TOKENS = 100

_NOW = datetime(2027, 6, 15, 9, tzinfo=UTC)
_BASE = "https://calendar.example.org"
_SPACES = 'xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"'
_QUERY = (
    f"<C:calendar-query {_SPACES}><prop><getetag/><C:calendar-data/></prop><C:filter>"
    '<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"/></C:comp-filter></C:filter>'
    "</C:calendar-query>"
)
_TOKEN = re.compile(r"<(?:\w+:)?sync-token>([^<]+)</")
_TYPE = {"Content-Type": "application/xml; charset=utf-8", "Depth": "1"}


@dataclass(frozen=True)
class Asked:
    """What requests cost: bytes and seconds of each, and seconds of the server's processors."""

    bytes: float
    seconds: float
    cpu: float

    @property
    def rate(self) -> float:
        """Bytes in a second."""
        return self.bytes / self.seconds


@dataclass(frozen=True)
class Synced:
    """A server's full syncs, and its syncs by token when nothing has changed."""

    name: str
    full: Asked
    unchanged: Asked


@dataclass(frozen=True)
class Figures:
    """What was measured. `one_changed` is of a sync by token, in this process: bytes, seconds."""

    feed: Asked
    servers: tuple[Synced, ...]
    first: float
    one_changed: Asked


def measure() -> Figures:
    """Ask calfeed, Radicale and Xandikos in turn."""
    with tempfile.TemporaryDirectory(prefix="calfeed-bench-") as name:
        folder = Path(name)
        desk = set_up(folder / "desk")
        desk.write({"measured.yaml": _definitions(EVENTS)})
        desk.publish()
        with (
            desk.web(2, "measured") as calfeed,
            serve_radicale(folder / "radicale", desk.url("measured"), tuned=True) as radicale,
            _serve_xandikos(folder / "xandikos", desk) as (xandikos, xandikos_pid),
        ):
            ours = f"http://127.0.0.1:{desk.port}/dav/calendars/measured/"
            feed = _ask("GET", desk.url("measured"), "", calfeed.pid, _REQUESTS)
            servers = (
                _sync("calfeed web, 2 processes", ours, calfeed.pid, _REQUESTS),
                _sync("Radicale, 2 processes, tuned", radicale.url, radicale.pid, _SLOW_REQUESTS),
                _sync("Xandikos, 1 process", xandikos, xandikos_pid, _SLOW_REQUESTS),
            )
    return Figures(feed, servers, *_measure_change())


def _sync(name: str, url: str, pid: int, requests: int) -> Synced:
    text = _report(url, _by_token(""))[1]
    found = _TOKEN.search(text)
    if found is None or text.count("getetag>") < 2 * EVENTS:
        raise RuntimeError(f"{name} does not list its events")
    full = _ask("REPORT", url, _QUERY, pid, requests)
    return Synced(name, full, _ask("REPORT", url, _by_token(found[1]), pid, requests))


def _by_token(token: str) -> str:
    wanted = "<sync-level>1</sync-level><prop><getetag/></prop>"
    return f"<sync-collection {_SPACES}><sync-token>{token}</sync-token>{wanted}</sync-collection>"


def _report(url: str, body: str) -> tuple[int, str]:
    address = urlsplit(url)
    with closing(http.client.HTTPConnection(address.netloc, timeout=120)) as connection:
        connection.request("REPORT", address.path, body, _TYPE)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def _ask(method: str, url: str, body: str, pid: int, requests: int) -> Asked:
    """Send requests one after the other; the medians of the rounds."""
    address = urlsplit(url)
    rounds = []
    with closing(http.client.HTTPConnection(address.netloc, timeout=120)) as connection:
        for number in range(ROUNDS + 1):
            size, cpu, began = 0, cpu_seconds(pid), time.perf_counter()
            for _ in range(requests):
                connection.request(method, address.path, body, _TYPE)
                answer = connection.getresponse()
                size += len(answer.read())
            seconds = time.perf_counter() - began
            if number:  # the first round fills caches
                rounds.append((size, seconds, cpu_seconds(pid) - cpu))
    return Asked(*(median(column) / requests for column in zip(*rounds, strict=True)))


@contextmanager
def _serve_xandikos(folder: Path, desk: Desk) -> Iterator[tuple[str, int]]:
    """Xandikos with the events of calfeed's calendar, each put there alone."""
    port = free_port()
    command = [sys.executable, "-m", "xandikos", "serve", "--directory", str(folder)]
    command += ["--port", str(port), "--listen-address", "127.0.0.1", "--defaults"]
    command += ["--current-user-principal", "/reader", "--autocreate"]
    with running(command) as process:
        wait_for_port(port)
        path = "/reader/calendars/calendar/"
        ours = f"http://127.0.0.1:{desk.port}/dav/calendars/measured/"
        _, text = _report(ours, _by_token(""))
        names = re.findall(r"/dav/calendars/measured/([^<]+)</", text)
        with (
            closing(http.client.HTTPConnection("127.0.0.1", desk.port)) as source,
            closing(http.client.HTTPConnection("127.0.0.1", port)) as target,
        ):
            for name in names:
                source.request("GET", f"/dav/calendars/measured/{name}")
                event = source.getresponse().read()
                target.request("PUT", path + name, event, {"Content-Type": "text/calendar"})
                answer = target.getresponse()
                answer.read()
                if answer.status not in (201, 204):
                    raise RuntimeError(f"Xandikos did not take an event: {answer.status}")
        yield f"http://127.0.0.1:{port}{path}", process.pid


def _measure_change() -> tuple[float, Asked]:
    """Move one of 20,000 events; the processor time of the first sync by token, and later ones."""
    with tempfile.TemporaryDirectory(prefix="calfeed-bench-") as folder:
        database = Database(f"sqlite:///{folder}/calfeed.sqlite3")
        migrate(database)
        state = State(database, _BASE, lambda: _NOW)
        client = Client(make_caldav(state, _BASE))

        def sync(token: str, number: int = 0) -> tuple[str, float]:
            # A comment keeps the answer from being one that is stored.
            body, began = f"{_by_token(token)}<!--{number}-->", time.process_time()
            answer = client.open("/calendars/measured/", method="REPORT", data=body)
            return answer.text, time.process_time() - began

        _publish(database, {}, state)
        found = _TOKEN.search(sync("")[0])
        assert found is not None
        _publish(database, {7: date(2031, 1, 1)}, state)
        text, first = sync(found[1])
        later = median(sync(found[1], number)[1] for number in range(1, _TOKENS))
        database.close()
    if text.count("getetag>") != 2:
        raise RuntimeError("the sync does not have the one event that moved")
    return first, Asked(len(text), later, later)


def _publish(database: Database, moved: Mapping[int, date], state: State) -> None:
    # A file may have 4 MiB.
    parts = [range(first, first + _IN_FILE) for first in range(0, MANY, _IN_FILE)]
    texts = {"events/measured/calendar.yaml": _HEAD.encode()} | {
        f"events/measured/{part[0]}.yaml": _define(part, moved).encode() for part in parts
    }
    publish(database, read_definitions(texts), _NOW, _BASE, allow_removals=True)
    state.refresh()


def _definitions(count: int) -> str:
    return _HEAD + _define(range(count), {})


def _define(numbers: range, moved: Mapping[int, date]) -> str:
    lines = ["events:"]
    text = "The committee meets in the large hall; whoever speaks has ten minutes. " * 3
    for number in numbers:
        day = moved.get(number, date(2028, 1, 1) + timedelta(days=number % 1_000))
        lines += [
            f"  event-{number}:",
            f"    summary: Meeting {number}",
            f'    start: "{day} 10:00"',
            "    duration: 1 hour",
            f"    description: {text.strip()}",
        ]
    return "\n".join(lines) + "\n"
