"""The page about feed requests: how many, from which programs, and their traffic."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from flask import Flask, render_template

from calfeed.store.reports.poll_counts import PollCounts
from calfeed.store.reports.polls import load_polls
from calfeed.web.console.context import ConsoleContext, form_value

_PERIODS = {"1": "Today", "7": "7 days", "30": "30 days"}
_DEFAULT_PERIOD = "7"

_MAX_FEEDS = 100


@dataclass(frozen=True)
class PollSummary:
    """The requests of one feed, one client family, or everything."""

    name: str
    parts: tuple[PollCounts, ...]

    @property
    def polls(self) -> int:
        return sum(part.polls for part in self.parts)

    @property
    def sent(self) -> int:
        return sum(part.sent for part in self.parts)

    @property
    def unchanged(self) -> int:
        return self.polls - self.sent

    @property
    def bytes(self) -> int:
        return sum(part.bytes for part in self.parts)


def add_routes(console: Flask, context: ConsoleContext) -> None:
    @console.get("/feeds")
    def show_feeds() -> str:
        days = form_value("days") if form_value("days") in _PERIODS else _DEFAULT_PERIOD
        with context.database.read() as connection:
            polls = load_polls(connection, context.clock(), int(days))
        feeds = _group(polls, "feed")
        return render_template(
            "console/feeds.html",
            periods=_PERIODS,
            days=days,
            total=PollSummary("", tuple(polls)),
            families=_group(polls, "family"),
            feeds=feeds[:_MAX_FEEDS],
            more=len(feeds[_MAX_FEEDS:]),
        )


def _group(polls: Iterable[PollCounts], by: str) -> list[PollSummary]:
    """Group requests by feed or family, the largest group first."""
    key = attrgetter(by)
    largest_first = sorted(polls, key=lambda row: -row.polls)
    parts = groupby(sorted(largest_first, key=key), key)
    summaries = [PollSummary(name, tuple(part)) for name, part in parts]
    return sorted(summaries, key=lambda row: -row.polls)
