"""The servers that a feed is asked from, and the load that is put on them."""

from __future__ import annotations

import gzip
import re
import sys
import time
import urllib.request
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from subprocess import check_output
from typing import Any
from urllib.error import HTTPError

from icalendar import Calendar

from benchmarks.desk import Desk
from benchmarks.machine import cpu_seconds, fetch, free_port, nginx, running, wait_for_port

FORMS = ("body", "gzip", "304")
"""What is asked for: the whole feed, the same compressed, and whether it has changed."""

_LENT = ("Cache-Control", "Access-Control-Allow-Origin", "X-Content-Type-Options")
_STAMPS = {"DTSTAMP", "CREATED", "LAST-MODIFIED"}
_LONGEST_REST = 30.0
_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0}


@dataclass
class Server:
    """A server under test: the requests per second, CPU seconds per request and p99 it had.

    `headers` go with every request. `whole` are the forms it does not have: asked for one, it
    answers with the whole feed.
    """

    name: str
    url: str
    pid: int
    headers: Mapping[str, str] = field(default_factory=dict)
    rates: dict[str, list[float]] = field(default_factory=dict)
    costs: dict[str, list[float]] = field(default_factory=dict)
    slowest: dict[str, list[float]] = field(default_factory=dict)
    whole: set[str] = field(default_factory=set)

    def rate(self, form: str) -> float:
        """The median of its requests per second."""
        return median(self.rates[form])

    def cost(self, form: str) -> float:
        """The median of its CPU seconds for each request."""
        return median(self.costs[form])

    def p99(self, form: str) -> float:
        """The median of the seconds within which 99 of 100 requests were answered."""
        return median(self.slowest[form])

    def load(self, form: str, seconds: int) -> None:
        """Ask for one form for some seconds, and note and print what came of it."""
        headers = dict(self.headers)
        if form == "gzip":
            headers["Accept-Encoding"] = "gzip"
        elif form == "304":
            headers["If-None-Match"] = fetch(self.url, self.headers)[1]["ETag"]
        if form != "body" and not _has_form(self.url, headers):
            self.whole.add(form)
        before = cpu_seconds(self.pid)
        rate, requests, slowest = _run_wrk(self.url, headers, seconds)
        self.rates.setdefault(form, []).append(rate)
        self.slowest.setdefault(form, []).append(slowest)
        self.costs.setdefault(form, []).append((cpu_seconds(self.pid) - before) / requests)
        print(f"  {self.name}, {form}: {rate:,.0f}", file=sys.stderr)

    def wait_for_rest(self) -> None:
        """Return once it does nothing any more: slow ones go on with what nobody waits for."""
        deadline = time.monotonic() + _LONGEST_REST
        used = cpu_seconds(self.pid)
        while time.monotonic() < deadline:
            time.sleep(0.2)
            before, used = used, cpu_seconds(self.pid)
            if used - before < 0.03:
                return
        raise TimeoutError("a server goes on working though nobody asks it for anything")


@contextmanager
def serve_calfeed(name: str, desk: Desk, calendar: str) -> Iterator[Server]:
    """`calfeed web` with two processes."""
    with desk.web(2, calendar) as process:
        yield Server(name, desk.url(calendar), process.pid)


@contextmanager
def serve_nginx(folder: Path, url: str) -> Iterator[Server]:
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
def serve_rendering(url: str) -> Iterator[Server]:
    """The route that renders, under granian as calfeed is; its feed says what is at the URL."""
    with _granian("benchmarks.rendering:app", threads=4) as (port, pid):
        server = Server(
            "Flask route that renders, 2 processes", f"http://127.0.0.1:{port}/measured.ics", pid
        )
        _check_events(server.url, url)
        yield server


@contextmanager
def serve_radicale(folder: Path, url: str, *, tuned: bool) -> Iterator[Server]:
    """Radicale with the events of the feed at the URL as one collection, open to everybody.

    As it comes: its own server, one process. Tuned: under granian with two processes of one
    thread, which suits it best, and trusting times of files rather than reading them all.
    """
    folder.mkdir()
    configuration = folder / "config"
    # A line in its log for each request would only slow it.
    lines = ["[auth]", "type = none", "[logging]", "level = error"]
    lines += ["[storage]", f"filesystem_folder = {folder}/collections"]
    if tuned:
        lines.append("use_mtime_and_size_for_item_cache = True")
    configuration.write_text("\n".join(lines) + "\n", "utf-8")
    environment = {"RADICALE_CONFIG": str(configuration)}
    name = "Radicale, 2 processes, tuned" if tuned else "Radicale with default settings, 1 process"
    with (
        _granian("radicale:application", 1, environment) if tuned else _own_server(environment)
    ) as (port, pid):
        server = Server(name, f"http://127.0.0.1:{port}/reader/measured/", pid)
        # A name makes its owner's folder; anybody may be its owner.
        _put(server.url, fetch(url)[0], "reader")
        _check_events(server.url, url)
        yield server


@contextmanager
def _granian(
    application: str, threads: int, environment: Mapping[str, str] | None = None
) -> Iterator[tuple[int, int]]:
    """A WSGI application under granian with two processes: its port, its process id."""
    port = free_port()
    command = [sys.executable, "-m", "granian", application, "--interface", "wsgi"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--workers", "2"]
    command += ["--blocking-threads", str(threads), "--no-ws", "--log-level", "error"]
    with running(command, environment) as process:
        wait_for_port(port)
        yield port, process.pid


@contextmanager
def _own_server(environment: Mapping[str, str]) -> Iterator[tuple[int, int]]:
    port = free_port()
    command = [sys.executable, "-m", "radicale", "--hosts", f"127.0.0.1:{port}"]
    with running(command, environment) as process:
        wait_for_port(port)
        yield port, process.pid


def _put(url: str, body: bytes, user: str) -> None:
    credentials = b64encode(f"{user}:anything".encode()).decode()
    headers = {"Content-Type": "text/calendar", "Authorization": f"Basic {credentials}"}
    asked = urllib.request.Request(url, body, headers, method="PUT")
    with urllib.request.urlopen(asked, timeout=60):
        pass


def _check_events(url: str, other: str) -> None:
    """Raise RuntimeError unless two feeds have the same events, each with the same properties."""
    one, two = (_read_events(fetch(address)[0]) for address in (url, other))
    if one != two:
        differing = sorted(uid for uid in one.keys() | two.keys() if one.get(uid) != two.get(uid))
        raise RuntimeError(
            f"{url} and {other} say other things of {len(differing)} events, such as {differing[0]}"
        )


def _read_events(feed: bytes) -> dict[str, list[tuple[str, str, str]]]:
    """What a feed says of each event, by UID. Time stamps only count as being there."""
    found: dict[str, list[tuple[str, str, str]]] = {}
    for event in Calendar.from_ical(feed).walk("VEVENT"):
        properties: list[tuple[str, Any]] = event.property_items()
        found[str(event["UID"])] = sorted(
            (name, str(value.params), "" if name in _STAMPS else str(value.to_ical()))
            for name, value in properties
            if name not in ("BEGIN", "END")
        )
    return found


def _has_form(url: str, headers: Mapping[str, str]) -> bool:
    """Whether the answer to these headers is compressed, or 304."""
    try:
        return fetch(url, headers)[1].get("Content-Encoding") == "gzip"
    except HTTPError as answer:
        with answer:
            return answer.code == 304


def _run_wrk(url: str, headers: Mapping[str, str], seconds: int) -> tuple[float, int, float]:
    """Requests per second, how many there were, and the seconds that 99 of 100 took at most."""
    command = ["wrk", "-t2", "-c32", f"-d{seconds}s", "--timeout", "30s", "--latency"]
    for name, value in headers.items():
        command += ["-H", f"{name}: {value}"]
    shown = check_output([*command, url], text=True)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", shown)
    count = re.search(r"(\d+) requests in", shown)
    slowest = re.search(r"^ +99% +([\d.]+)(us|ms|s) *$", shown, re.MULTILINE)
    if not (rate and count and slowest) or "Non-2xx" in shown or "Socket errors" in shown:
        raise RuntimeError(f"wrk was not answered as it should be:\n{shown}")
    return float(rate[1]), int(count[1]), float(slowest[1]) * _UNITS[slowest[2]]
