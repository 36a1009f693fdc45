"""Digests: the reminders that were gathered for an endpoint, told in one message."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from calfeed.counting import count
from calfeed.ical.occurrences import Moment
from calfeed.ical.text import format_when
from calfeed.reminders.filters import Subject
from calfeed.reminders.messages import Message, make_body, make_id, tell_distance

MOST = 200
"""How many reminders one digest tells of at the most."""

LARGEST = 200_000
"""And how many bytes of them, unless one alone has more."""

_IN_LINE = 5
"""How many dates the line for people names."""


@dataclass(frozen=True)
class Told:
    """A reminder's message as a digest tells it: its id and body, and when (UTC) the occurrence
    begins and the message stops to matter.

    `digest` is the digest that told of it before, and was not received.
    """

    message_id: str
    body: bytes
    begins: datetime
    until: datetime
    digest: str | None = None


def split(told: Iterable[Told]) -> Iterator[list[Told]]:
    """Put reminders, nearest occurrence first, into parts that one digest has room for."""
    part: list[Told] = []
    size = 0
    for one in _in_order(told):
        if part and (len(part) == MOST or size + len(one.body) > LARGEST):
            yield part
            part, size = [], 0
        part.append(one)
        size += len(one.body)
    if part:
        yield part


def name_digest(endpoint: str, due: datetime, told: Sequence[Told]) -> str:
    """The id of an endpoint's digest that goes out at `due`.

    What it tells first is part of it: a clock that is put back comes to the same time twice.
    """
    first = told[0]
    return make_id("digest", endpoint, due.isoformat(), first.message_id, first.digest or "")


def digest_message(message_id: str, told: Iterable[Told], at: datetime) -> Message:
    """The digest of some reminders, nearest occurrence first, that is made at `at`.

    It has the data of each reminder's message, with a text that is true at `at`. It matters as
    long as any of them does.
    """
    told = _in_order(told)
    data = [_tell_at(json.loads(one.body)["data"], at) for one in told]
    dates = {(one["event"]["uid"], one["occurrence"]["start"]): one["text"] for one in data}
    lines = list(dates.values())
    more = f"; and {len(lines) - _IN_LINE} more" if len(lines) > _IN_LINE else ""
    text = f"{count(len(lines), 'date')}: {'; '.join(lines[:_IN_LINE])}{more}"
    return Message(
        id=message_id,
        subject=Subject(type="reminder.digest", calendar="", event=""),
        at=at,
        body=make_body("reminder.digest", at, {"reminders": data, "text": text}),
        until=max(one.until for one in told),
        text=text,
    )


def _in_order(told: Iterable[Told]) -> list[Told]:
    return sorted(told, key=lambda one: (one.begins, one.message_id))


def _tell_at(data: dict[str, Any], at: datetime) -> dict[str, Any]:
    """A reminder's data with its text as of another time than it was made."""
    event, occurrence = data["event"], data["occurrence"]
    zone, all_day = ZoneInfo(occurrence["time_zone"]), occurrence["all_day"]
    start, end = (_read(occurrence[key], zone, all_day) for key in ("start", "end"))
    summary = occurrence.get("summary", event["summary"])
    distance = tell_distance(start, zone, at)
    return {**data, "text": f"{summary}: {format_when(start, end)}, {distance}"}


def _read(text: str, zone: ZoneInfo, all_day: bool) -> Moment:
    return date.fromisoformat(text) if all_day else datetime.fromisoformat(text).astimezone(zone)
