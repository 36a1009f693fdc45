"""Ask a real server for everything public, by chance and with hostile parameters.

`python -m tests.acceptance.queries --count 100000` sees that no request is answered with 5xx, and
that the memory of the server, measured from outside, stays within what the docs state.
"""

from __future__ import annotations

import argparse
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from socket import create_connection, socket
from tempfile import TemporaryDirectory

from calfeed.store.database import Database
from calfeed.web.app import make_flask
from calfeed.web.published.state import State
from tests.acceptance.hostile_queries import Asker, list_paths
from tests.acceptance.site import Running, Site
from tests.patience import PATIENCE

BOUND = 64_000_000 + 32_000_000
"""Bytes that docs/operating.md states for what the back keeps, which is more than a front does."""

ROOM = 64_000_000
"""Bytes for requests under way, and for what the allocator does not give back."""

_THREADS = 4
_EACH = 1_000  # requests of one thread from one look at the memory to the next

_NAMED = """
name: {en: Desk, ur: ڈیسک}
description: All that the desk keeps
time_zone: Asia/Karachi
formerly: [former]
events:
"""


@dataclass
class Seen:
    """What came of the requests: how many of each status, the first failures, the memory."""

    statuses: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    before: int = 0
    peak: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(self, request: bytes, status: int) -> None:
        """Count a response; 0 for none."""
        with self._lock:
            self.statuses[status] += 1
            if (status >= 500 or status == 0) and len(self.failures) < 20:
                self.failures.append(f"{status}: {request[:300]!r}")

    def look(self, serve: Running) -> None:
        """Look at the memory of the largest of the server's processes."""
        with self._lock:
            self.peak = max(self.peak, measure(serve))

    @property
    def grown(self) -> int:
        """By how many bytes the memory grew."""
        return self.peak - self.before


def measure(serve: Running) -> int:
    """Bytes of memory that the largest of a server's processes has (VmRSS of Linux)."""
    sizes = []
    for pid, words in serve.members().items():
        if "calfeed web" in words or "calfeed.web" in words:
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
            sizes += [int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS")]
    return max(sizes)


def ask(site: Site, serve: Running, count: int, seed: int) -> Seen:
    """Make so many requests of a site that is served, from several threads."""
    database = Database(site.environment["CALFEED_DATABASE_URL"])
    state = State(database, site.url)
    state.refresh()
    paths = list_paths(make_flask(state, site.url), state.snapshot)
    rows = list(state.snapshot.rows())
    categories = sorted({name for row in rows for name in row.revision.event.categories})
    database.close()
    seen = Seen()
    site.get("/")
    seen.before = measure(serve)
    shares = range(-(-count // (_THREADS * _EACH)) * _THREADS)

    def run(number: int) -> None:
        asker = Asker(paths, categories, seed * 1_000_003 + number)
        requests = (asker.make() for _ in range(min(_EACH, -(-count // len(shares)))))
        for request, status in exchange(site.port, requests):
            seen.add(request, status)
        seen.look(serve)
        print(f"{seen.statuses.total():,} asked, {seen.peak // 10**6} MB", file=sys.stderr)

    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(run, shares))
    return seen


def exchange(port: int, requests: Iterator[bytes]) -> Iterator[tuple[bytes, int]]:
    """Send requests one after the other, and give each with the status of its response."""
    connection: socket | None = None
    for request in requests:
        for attempt in (1, 2):  # a connection that was kept open may have been closed meanwhile
            connection = connection or create_connection(("127.0.0.1", port), PATIENCE)
            status = 0
            try:
                connection.sendall(request)
                with closing(HTTPResponse(connection, method=request.split()[0].decode())) as read:
                    read.begin()
                    read.read()
                    status = read.status
                    if not read.will_close:
                        break
            except (OSError, HTTPException):
                pass
            connection.close()
            connection = None
            if status or attempt == 2:
                break
        yield request, status
    if connection is not None:
        connection.close()


def make_site(folder: Path, events: int) -> Site:
    """A site with the shipped calendars, and one with so many events in two languages."""
    site = Site(folder, f"sqlite:///{folder}/calfeed.sqlite3")
    lines = [
        f"  e{number}: {{summary: {{en: Talk {number}, ur: اجلاس}}, "
        f"start: {2020 + number % 12}-{1 + number % 11:02}-{1 + number % 28:02}, "
        f"categories: [c{number % 5}], location: Hall {number % 7}}}"
        for number in range(events)
    ]
    lines.append(
        "  weekly: {summary: Weekly, start: 2024-01-01 09:00, repeat: {rule: FREQ=WEEKLY}}"
    )
    site.write("desk.yaml", _NAMED + "\n".join(lines) + "\n")
    site.do("publish")
    return site


def check(seen: Seen) -> list[str]:
    """What is wrong with what was seen."""
    wrong = list(seen.failures)
    if seen.grown > BOUND + ROOM:
        wrong.append(f"the memory grew by {seen.grown:,} bytes")
    return wrong


def main(arguments: list[str]) -> int:
    """Run as a command; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--events", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    with TemporaryDirectory() as folder:
        site = make_site(Path(folder, "site"), given.events)
        with site.serving(anew=True) as serve:
            seen = ask(site, serve, given.count, given.seed)
            said = serve.everything
    print(f"{seen.statuses.total():,} requests: {dict(sorted(seen.statuses.items()))}")
    print(f"memory: {seen.before / 1e6:.0f} MB before, {seen.peak / 1e6:.0f} MB at most")
    wrong = check(seen)
    if "Traceback" in said:
        wrong.append(said)
    print("\n".join(wrong) or "nothing is wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
