"""Digests: the reminders that were gathered for an endpoint, in one message."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from calfeed.counting import count
from calfeed.ical.occurrences import Moment
from calfeed.ical.wording.text import format_when
from calfeed.reminders.filters import Subject
from calfeed.reminders.messages import Message, format_distance, make_body, make_id

MAX_ENTRIES = 200

MAX_BYTES = 200_000
"""The largest sum of the bodies in a digest, unless a single one is larger."""

_MAX_DATES_IN_TEXT = 5


@dataclass(frozen=True)
class DigestEntry:
    """A reminder's message in a digest.

    `begins` (UTC) is when its occurrence begins, `until` (UTC) when it stops being relevant.
    `digest` is an earlier digest with this reminder that was not received.
    """

    message_id: str
    body: bytes
    begins: datetime
    until: datetime
    digest: str | None = None


def split_entries(entries: Iterable[DigestEntry]) -> Iterator[list[DigestEntry]]:
    """Split entries, nearest occurrence first, into the parts that fit into one digest each."""
    part: list[DigestEntry] = []
    size = 0
    for entry in _by_occurrence(entries):
        if part and (len(part) == MAX_ENTRIES or size + len(entry.body) > MAX_BYTES):
            yield part
            part, size = [], 0
        part.append(entry)
        size += len(entry.body)
    if part:
        yield part


def digest_id(endpoint: str, due: datetime, entries: Sequence[DigestEntry]) -> str:
    """The message id of an endpoint's digest that is due at `due`.

    Depends on the first entry, because the same due time comes twice if the clock is set back.
    """
    first = entries[0]
    return make_id("digest", endpoint, due.isoformat(), first.message_id, first.digest or "")


def digest_message(message_id: str, entries: Iterable[DigestEntry], at: datetime) -> Message:
    """The digest of some reminders, nearest occurrence first, that is made at `at`.

    Has the data of each reminder's message, with texts as of `at`. Stays relevant as long as any
    of them.
    """
    entries = _by_occurrence(entries)
    data = [_update_text(json.loads(entry.body)["data"], at) for entry in entries]
    texts = {
        (reminder["event"]["uid"], reminder["occurrence"]["start"]): reminder["text"]
        for reminder in data
    }
    lines = list(texts.values())
    rest = len(lines) - _MAX_DATES_IN_TEXT
    more = f"; and {rest} more" if rest > 0 else ""
    text = f"{count(len(lines), 'date')}: {'; '.join(lines[:_MAX_DATES_IN_TEXT])}{more}"
    return Message(
        id=message_id,
        subject=Subject(type="reminder.digest", calendar="", event=""),
        at=at,
        body=make_body("reminder.digest", at, {"reminders": data, "text": text}),
        until=max(entry.until for entry in entries),
        text=text,
    )


def _by_occurrence(entries: Iterable[DigestEntry]) -> list[DigestEntry]:
    return sorted(entries, key=lambda entry: (entry.begins, entry.message_id))


def _update_text(data: dict[str, Any], at: datetime) -> dict[str, Any]:
    """A reminder's data, with its text as of `at`."""
    event, occurrence = data["event"], data["occurrence"]
    zone, all_day = ZoneInfo(occurrence["time_zone"]), occurrence["all_day"]
    start, end = (_parse_time(occurrence[key], zone, all_day) for key in ("start", "end"))
    summary = occurrence.get("summary", event["summary"])
    distance = format_distance(start, zone, at)
    return {**data, "text": f"{summary}: {format_when(start, end)}, {distance}"}


def _parse_time(text: str, zone: ZoneInfo, all_day: bool) -> Moment:
    return date.fromisoformat(text) if all_day else datetime.fromisoformat(text).astimezone(zone)
