"""The health of feeds: how often they are asked for, by which programs, and what that costs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from flask import Flask, render_template

from calfeed.store.reports.poll_counts import PollCounts
from calfeed.store.reports.polls import load_polls
from calfeed.web.console.context import Desk, asked

_SPANS = {"1": "Today", "7": "7 days", "30": "30 days"}
_USUAL = "7"

_MOST_FEEDS = 100
"""How many feeds the page shows, those that are asked for most."""


@dataclass(frozen=True)
class Health:
    """What was asked for under one name: one feed, one family's part, or everything."""

    name: str
    parts: tuple[PollCounts, ...]

    @property
    def polls(self) -> int:
        """How many requests there were."""
        return sum(part.polls for part in self.parts)

    @property
    def sent(self) -> int:
        """How many of them got the feed."""
        return sum(part.sent for part in self.parts)

    @property
    def unchanged(self) -> int:
        """How many were answered with 304."""
        return self.polls - self.sent

    @property
    def bytes(self) -> int:
        """How many bytes were sent."""
        return sum(part.bytes for part in self.parts)


def add_routes(console: Flask, desk: Desk) -> None:
    """Add the page about the health of feeds."""

    @console.get("/feeds")
    def show_feeds() -> str:
        days = asked("days") if asked("days") in _SPANS else _USUAL
        with desk.database.read() as connection:
            polls = load_polls(connection, desk.clock(), int(days))
        feeds = _group(polls, "feed")
        return render_template(
            "console/feeds.html",
            spans=_SPANS,
            days=days,
            total=Health("", tuple(polls)),
            families=_group(polls, "family"),
            feeds=feeds[:_MOST_FEEDS],
            more=len(feeds[_MOST_FEEDS:]),
        )


def _group(polls: Iterable[PollCounts], by: str) -> list[Health]:
    """The health of each feed or family, largest first, and so their parts."""
    key = attrgetter(by)
    largest_first = sorted(polls, key=lambda one: -one.polls)
    parts = groupby(sorted(largest_first, key=key), key)
    found = [Health(name, tuple(part)) for name, part in parts]
    return sorted(found, key=lambda one: -one.polls)
