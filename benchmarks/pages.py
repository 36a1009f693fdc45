"""Requests per second of public pages, beside those of the feed that they show.

All are asked of one `calfeed web`, in turn, each in each round, with the language header of a
browser. The pages are Flask's, kept for a minute at the most.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.desk import set_up
from benchmarks.rendering import definitions
from benchmarks.servers import FORMS, Server, serve_calfeed

ROUNDS = 5
_SECONDS = 1

PAGES = {
    "the home page": "/",
    "a calendar's page": "/calendars/measured/",
    "an event's page": "/calendars/measured/event-100/",
}
"""The pages that are asked for, and their paths."""

_READER = {"Accept-Language": "ur,en;q=0.5"}


def measure() -> list[Server]:
    """Load the feed of 200 events, then each of the pages, and return them in this order."""
    with tempfile.TemporaryDirectory(prefix="calfeed-bench-") as name:
        desk = set_up(Path(name))
        desk.write({"measured.yaml": definitions()})
        desk.publish()
        with serve_calfeed("the feed", desk, "measured") as feed:
            home = feed.url.removesuffix("/calendars/measured.ics")
            pages = [
                Server(page, f"{home}{path}", feed.pid, _READER) for page, path in PAGES.items()
            ]
            for _ in range(ROUNDS):
                for form in FORMS:
                    for server in (feed, *pages):
                        server.load(form, _SECONDS)
                        server.wait_for_rest()
    return [feed, *pages]
