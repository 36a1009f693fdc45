"""Digests: the reminders that were gathered for an endpoint, in one message."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from calfeed.ical.occurrences import Moment
from calfeed.ical.wording.distances import format_distance
from calfeed.ical.wording.text import format_when
from calfeed.ical.wording.words import Words, shared_language, worded, words_in
from calfeed.reminders.filters import Subject
from calfeed.reminders.messages import Message, make_body, make_id, name_language

MAX_ENTRIES = 200

MAX_BYTES = 200_000
"""The largest total size of the bodies in a digest, unless a single body is larger."""

_MAX_DATES_IN_TEXT = 5


@dataclass(frozen=True)
class DigestEntry:
    """A reminder's message in a digest.

    `begins` (UTC) is when its occurrence begins, `until` (UTC) when it stops being relevant.
    `digest` is the message id of an earlier digest with this reminder that was not received.
    """

    message_id: str
    body: bytes
    begins: datetime
    until: datetime
    digest: str | None = None


def split_entries(entries: Iterable[DigestEntry]) -> Iterator[list[DigestEntry]]:
    """Split entries, nearest occurrence first, into parts that each fit into one digest."""
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

    The id also depends on the first entry, because the same due time comes twice if the clock is
    set back.
    """
    first = entries[0]
    return make_id("digest", endpoint, due.isoformat(), first.message_id, first.digest or "")


def digest_message(message_id: str, entries: Iterable[DigestEntry], at: datetime) -> Message:
    """The digest of some reminders, nearest occurrence first, that is made at `at`.

    It has the data of each reminder's message, with texts as of `at`. The digest's own text is in
    the language of the reminders, in English if they have several. The digest stays relevant as
    long as any of the reminders.
    """
    entries = _by_occurrence(entries)
    data = [_update_text(json.loads(entry.body)["data"], at) for entry in entries]
    texts = {
        (reminder["event"]["uid"], reminder["occurrence"]["start"]): reminder["text"]
        for reminder in data
    }
    language = shared_language(reminder.get("language", "en") for reminder in data)
    text = _write_text(list(texts.values()), words_in(language))
    return Message(
        id=message_id,
        subject=Subject(type="reminder.digest", calendar="", event=""),
        at=at,
        body=make_body(
            "reminder.digest", at, {"reminders": data, **name_language(language), "text": text}
        ),
        until=max(entry.until for entry in entries),
        text=text,
    )


def _write_text(lines: Sequence[str], words: Words) -> str:
    """Write the number of dates, and the first of them."""
    named = list(lines[:_MAX_DATES_IN_TEXT])
    if rest := len(lines) - len(named):
        named.append(words.plural(words.and_more, rest))
    return words.label(words.plural(words.dates, len(lines)), words.semicolon.join(named))


def _by_occurrence(entries: Iterable[DigestEntry]) -> list[DigestEntry]:
    return sorted(entries, key=lambda entry: (entry.begins, entry.message_id))


def _update_text(data: dict[str, Any], at: datetime) -> dict[str, Any]:
    """A reminder's data, with its text as of `at`."""
    event, occurrence = data["event"], data["occurrence"]
    zone, all_day = ZoneInfo(occurrence["time_zone"]), occurrence["all_day"]
    start, end = (_parse_time(occurrence[key], zone, all_day) for key in ("start", "end"))
    tongue = worded(data.get("language", "en"))
    text = words_in(tongue).reminder.format(
        title=occurrence.get("summary", event["summary"]),
        when=format_when(start, end, tongue),
        distance=format_distance(start, zone, at, tongue),
    )
    return {**data, "text": text}


def _parse_time(text: str, zone: ZoneInfo, all_day: bool) -> Moment:
    return date.fromisoformat(text) if all_day else datetime.fromisoformat(text).astimezone(zone)
