"""Feed requests per second of `calfeed web` beside nginx, and beside what renders when asked.

nginx serves the same bytes with the same headers, and an ETag of its own, from files. What is
compared is asked in turn, each in each round, by wrk with 32 connections on the same cores.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.desk import set_up
from benchmarks.rendering import definitions
from benchmarks.servers import (
    FORMS,
    Server,
    serve_calfeed,
    serve_nginx,
    serve_radicale,
    serve_rendering,
)

ROUNDS = 5
SLOW_ROUNDS = 3
CALENDAR_ROUNDS = 7
_SECONDS, _CALENDAR_SECONDS = 2, 1

CALENDARS = (10, 10_000)
"""How many calendars are published beside each other, in the one and the other server."""

_OTHER = """\
name: Calendar {number}
time_zone: UTC
events:
  day:
    summary: The day of calendar {number}
    start: 2030-01-01
"""


@dataclass(frozen=True)
class Published:
    """A server of the measured feed, which is one among few or many calendars.

    `seconds` are those that publishing them all took, reading included.
    """

    server: Server
    seconds: float


def measure() -> list[Server]:
    """Load nginx, calfeed, and the servers that render, and return them in this order."""
    with tempfile.TemporaryDirectory(prefix="calfeed-bench-") as name:
        folder = Path(name)
        desk = set_up(folder / "desk")
        desk.write({"measured.yaml": definitions()})
        desk.publish()
        with (
            serve_calfeed("calfeed web, 2 processes", desk, "measured") as calfeed,
            serve_nginx(folder / "nginx", calfeed.url) as limit,
            serve_rendering(calfeed.url) as rendering,
            serve_radicale(folder / "tuned", calfeed.url, tuned=True) as tuned,
            serve_radicale(folder / "plain", calfeed.url, tuned=False) as plain,
        ):
            slow = [rendering, tuned, plain]
            for number in range(ROUNDS):
                for form in FORMS:
                    for server in (limit, calfeed):
                        server.load(form, _SECONDS)
                        server.wait_for_rest()
                    for server in slow if number < SLOW_ROUNDS else ():
                        server.load(form, _SECONDS)
                        server.wait_for_rest()
    return [limit, calfeed, *slow]


def measure_calendars() -> list[Published]:
    """Load the same feed where few and where many calendars are published."""
    with tempfile.TemporaryDirectory(prefix="calfeed-bench-") as name:
        few, many = (set_up(Path(name) / str(count)) for count in CALENDARS)
        spent = []
        for desk, count in zip((few, many), CALENDARS, strict=True):
            others = {
                f"other-{number}.yaml": _OTHER.format(number=number) for number in range(count - 1)
            }
            desk.write({"measured.yaml": definitions(), **others})
            spent.append(desk.publish().seconds)
        with (
            serve_calfeed(f"{CALENDARS[0]:,} calendars", few, "measured") as beside_few,
            serve_calfeed(f"{CALENDARS[1]:,} calendars", many, "measured") as beside_many,
        ):
            servers = [beside_few, beside_many]
            for _ in range(CALENDAR_ROUNDS):
                for form in FORMS:
                    for server in servers:
                        server.load(form, _CALENDAR_SECONDS)
                        server.wait_for_rest()
    return [Published(*one) for one in zip(servers, spent, strict=True)]
