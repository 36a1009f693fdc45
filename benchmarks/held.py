"""How feeds are answered while others hold the server as well as they can.

In each round the feed's 304s are asked for twice, by wrk with 32 connections: alone, and beside the
load of `tests/acceptance/holding.py`, with a large calendar that was published a moment before, so
that its jCal has to be made. Somebody signs in to the console meanwhile.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.cookiejar import CookieJar
from pathlib import Path
from statistics import median
from urllib.parse import urlencode

from benchmarks.desk import Desk, set_up
from benchmarks.machine import fetch
from benchmarks.rendering import definitions
from benchmarks.servers import Server, serve_calfeed

ROUNDS = 5
IDLE = HEADERS = 2_000
EVENTS = 5_000
_SECONDS = 4
_TOKEN = "a-token-for-benchmarks-alone"
_PATIENCE = 60.0


@dataclass
class Held:
    """A server alone and under the load, and the seconds that signing in took beside it."""

    alone: Server
    beside: Server
    sign_ins: list[float] = field(default_factory=list)

    @property
    def sign_in(self) -> float:
        """The median of the seconds that signing in took, from the form to the first page."""
        return median(self.sign_ins)


def measure() -> Held:
    """Load a feed alone and beside the load, in turn."""
    with tempfile.TemporaryDirectory(prefix="calfeed-bench-") as name:
        desk = replace(set_up(Path(name)), admin_token=_TOKEN)
        desk.write({"measured.yaml": definitions(), "large.yaml": _large(0)})
        desk.publish()
        with serve_calfeed("alone", desk, "measured") as alone:
            held = Held(alone, Server("beside all that", alone.url, alone.pid))
            for number in range(1, ROUNDS + 1):
                alone.load("304", _SECONDS)
                desk.write({"large.yaml": _large(number)})
                desk.publish()
                _wait_for(desk, b"Event 0 of round %d" % number)
                alone.wait_for_rest()
                with _holding(desk):
                    held.beside.load("304", _SECONDS)
                    held.sign_ins.append(_sign_in(desk))
                alone.wait_for_rest()
    return held


def _large(number: int) -> str:
    lines = ["name: Large", "time_zone: UTC", "events:"]
    lines += [
        f"  event-{one}: {{summary: Event {one} of round {number if one == 0 else 0}, "
        f"start: 2030-01-01 12:00, description: Some words about it.}}"
        for one in range(EVENTS)
    ]
    return "\n".join([*lines, ""])


def _wait_for(desk: Desk, text: bytes) -> None:
    deadline = time.monotonic() + _PATIENCE
    while text not in fetch(desk.url("large"))[0]:
        if time.monotonic() > deadline:
            raise TimeoutError("a publish does not show")
        time.sleep(0.1)


@contextmanager
def _holding(desk: Desk) -> Iterator[None]:
    arguments = [str(desk.port), "/calendars/large.jcal", str(IDLE), str(HEADERS)]
    command = [sys.executable, "-m", "tests.acceptance.holding", *arguments]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the load has no pipes")
        try:
            if process.stdout.readline() != "holding\n":
                raise RuntimeError("the load could not be put on the server")
            yield
        finally:
            process.stdin.close()
        print(f"  the load was answered {process.stdout.read().strip()}", file=sys.stderr)


def _sign_in(desk: Desk) -> float:
    """Sign in by the form; how many seconds that took. Raises RuntimeError where it fails."""
    address = f"http://127.0.0.1:{desk.port}/console/sign-in"
    visitor = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    began = time.perf_counter()
    page = visitor.open(address, timeout=_PATIENCE).read().decode()
    found = re.search(r'name="form_token" value="([^"]*)"', page)
    form = urlencode({"form_token": found[1] if found else "", "token": _TOKEN}).encode()
    with visitor.open(address, form, timeout=_PATIENCE) as answer:
        if not answer.url.endswith("/console/"):
            raise RuntimeError("signing in leads elsewhere")
    return time.perf_counter() - began
