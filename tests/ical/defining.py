"""Events and calendars written as people write them, for tests of every room."""

from __future__ import annotations

from textwrap import dedent, indent

from calfeed.definitions.reader import read_definitions
from calfeed.definitions.values import Calendar, Event


def define(text: str, slug: str = "desk", head: str = "") -> Calendar:
    """A calendar in Karachi's time, by the `events` of its file; `head` are further keys."""
    file = f"name: Desk\ntime_zone: Asia/Karachi\n{head}\n"
    if text.strip():
        file += "events:\n" + indent(dedent(text), "  ")
    (calendar,) = read_definitions({f"events/{slug}.yaml": file.encode()}).calendars
    return calendar


def define_event(text: str) -> Event:
    """An event `it` in Karachi's time, by its keys; `summary` is there already."""
    return define("it:\n  summary: It\n" + indent(dedent(text), "  ")).events[0]
