"""Feed requests per second of `calfeed web` beside nginx, and beside a route that renders.

nginx serves the same bytes with the same headers, and an ETag of its own, from files. All have
two processes and are asked in turn, each in each round, by wrk with 32 connections on the same
cores.
"""

from __future__ import annotations

import gzip
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from subprocess import check_output

from benchmarks.machine import cpu_seconds, fetch, free_port, nginx, running, wait_for_port
from benchmarks.rendering import definitions

ROUNDS = 5
_SECONDS = 3
_LENT = ("Cache-Control", "Access-Control-Allow-Origin", "X-Content-Type-Options")

FORMS = ("body", "gzip", "304")
"""What is asked for: the whole feed, the same compressed, and whether it has changed."""


@dataclass
class Server:
    """A server under test, and the requests per second and CPU seconds per request it had."""

    name: str
    url: str
    pid: int
    rates: dict[str, list[float]] = field(default_factory=dict)
    costs: dict[str, list[float]] = field(default_factory=dict)

    def rate(self, form: str) -> float:
        """The median of its requests per second."""
        return median(self.rates[form])

    def cost(self, form: str) -> float:
        """The median of its CPU seconds for each request."""
        return median(self.costs[form])

    def load(self, form: str) -> None:
        """Ask for one form for some seconds, and note what came of it."""
        headers = {"gzip": {"Accept-Encoding": "gzip"}}.get(form, {})
        if form == "304":
            headers = {"If-None-Match": fetch(self.url)[1]["ETag"]}
        before = cpu_seconds(self.pid)
        rate, requests = _run_wrk(self.url, headers)
        self.rates.setdefault(form, []).append(rate)
        self.costs.setdefault(form, []).append((cpu_seconds(self.pid) - before) / requests)


def measure(rounds: int = ROUNDS) -> list[Server]:
    """Load calfeed, nginx and the rendering route, and return them with what they reached."""
    with (
        tempfile.TemporaryDirectory(prefix="calfeed-bench-") as name,
        _calfeed(Path(name)) as calfeed,
        _nginx(Path(name) / "nginx", calfeed.url) as limit,
        _rendering() as rendering,
    ):
        for form in FORMS:
            rendering.load(form)  # so slow that one round says all
        for _ in range(rounds):
            for form in FORMS:
                for server in (limit, calfeed):
                    server.load(form)
                    rate = server.rates[form][-1]
                    print(f"  {server.name}, {form}: {rate:,.0f}", file=sys.stderr)
    return [limit, calfeed, rendering]


@contextmanager
def _calfeed(folder: Path) -> Iterator[Server]:
    """`calfeed web` with two processes, and a calendar that is published."""
    port = free_port()
    (folder / "events").mkdir()
    (folder / "events" / "measured.yaml").write_text(definitions(), "utf-8")
    environment = {
        "CALFEED_EVENTS": str(folder / "events"),
        "CALFEED_DATA": str(folder / "var"),
        "CALFEED_PORT": str(port),
    }
    command = [sys.executable, "-m", "calfeed"]
    with running([*command, "publish"], environment) as publishing:
        if publishing.wait(60):
            raise RuntimeError("the calendar could not be published")
    with running([*command, "web", "--processes", "2"], environment) as process:
        wait_for_port(port)
        url = f"http://127.0.0.1:{port}/calendars/measured.ics"
        yield Server("calfeed web, 2 processes", url, process.pid)


@contextmanager
def _nginx(folder: Path, url: str) -> Iterator[Server]:
    """nginx with two processes, and what is at the URL in files: plain, and compressed."""
    body, headers = fetch(url)
    packed, _ = fetch(url, {"Accept-Encoding": "gzip"})
    if gzip.decompress(packed) != body:
        raise RuntimeError("the compressed feed is another one")
    folder.mkdir()
    (folder / "measured.ics").write_bytes(body)
    (folder / "measured.ics.gz").write_bytes(packed)
    kind, _, charset = headers["Content-Type"].partition("; charset=")
    lent = " ".join(f'add_header {name} "{headers[name]}";' for name in _LENT)
    locations = (
        f"location / {{ gzip_static on; gzip_vary on; types {{ {kind} ics; }} "
        f"charset {charset}; charset_types {kind}; {lent} }}"
    )
    with nginx(folder, locations, processes=2) as server:
        yield Server(
            "nginx, 2 processes", f"http://127.0.0.1:{server.port}/measured.ics", server.pid
        )


@contextmanager
def _rendering() -> Iterator[Server]:
    """The route that renders, under granian with two processes, as calfeed is."""
    port = free_port()
    command = [sys.executable, "-m", "granian", "benchmarks.rendering:app", "--interface", "wsgi"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--workers", "2"]
    command += ["--blocking-threads", "4", "--no-ws", "--log-level", "error"]
    with running(command) as process:
        wait_for_port(port)
        url = f"http://127.0.0.1:{port}/measured.ics"
        yield Server("Flask route that renders, 2 processes", url, process.pid)


def _run_wrk(url: str, headers: Mapping[str, str]) -> tuple[float, int]:
    """Requests per second, and how many there were."""
    command = ["wrk", "-t2", "-c32", f"-d{_SECONDS}s"]
    for name, value in headers.items():
        command += ["-H", f"{name}: {value}"]
    shown = check_output([*command, url], text=True)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", shown)
    count = re.search(r"(\d+) requests in", shown)
    if rate is None or count is None or "Non-2xx" in shown or "Socket errors" in shown:
        raise RuntimeError(f"wrk was not answered as it should be:\n{shown}")
    return float(rate[1]), int(count[1])
