"""Notes: a message as people read it in a chat or a mail, a title and plain text."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from calfeed.counting import count
from calfeed.model.texts import shortened

LONGEST_TITLE = 100
"""How many characters a title has at the most; it becomes the subject of a mail."""

_TITLES = {
    "reminder.due": "Reminder",
    "event.added": "New",
    "event.moved": "Moved",
    "event.changed": "Changed",
    "event.cancelled": "Cancelled",
}


@dataclass(frozen=True)
class Note:
    """What people read: a title of one line, and plain text in lines."""

    title: str
    text: str


def write_note(body: bytes) -> Note:
    """Write what a message's bytes say for people: what, where, its sources and its page.

    A digest becomes a list of its dates, nearest first. A note of why an event changed is part of
    the message's own text.
    """
    message = json.loads(body)
    data = message["data"]
    if message["type"] == "reminder.digest":
        title, lines = _list_dates(data["reminders"])
    elif "event" in data:
        title = f"{_TITLES[message['type']]}: {_summary(data)}"
        lines = [data["text"], *_describe(data["event"])]
    else:
        title, lines = "Test", [data["text"]]
    if message.get("rehearsal"):
        title = f"Rehearsal: {title}"
        lines.append("This is a rehearsal.")
    return Note(shortened(" ".join(title.split()), LONGEST_TITLE), "\n".join(lines))


def _list_dates(reminders: list[dict[str, Any]]) -> tuple[str, list[str]]:
    # Two reminders of one date are one entry.
    dates = {(one["event"]["uid"], one["occurrence"]["start"]): one for one in reminders}
    lines = []
    for one in dates.values():
        page = one["event"].get("page")
        lines.append(f"- {one['text']}" + (f"\n  {page}" if page else ""))
    return f"{count(len(lines), 'date')} ahead", lines


def _summary(data: dict[str, Any]) -> str:
    """What the occurrence is called, or else its event."""
    summary: str = data.get("occurrence", {}).get("summary", data["event"]["summary"])
    return summary


def _describe(event: dict[str, Any]) -> list[str]:
    lines = []
    if "location" in event:
        lines.append(f"Where: {event['location']}")
    for source in event["sources"]:
        named = [source["title"], source["date"], source["url"]]
        lines.append("Source: " + ", ".join(part for part in named if part))
    if "page" in event:
        lines.append(event["page"])
    return lines
