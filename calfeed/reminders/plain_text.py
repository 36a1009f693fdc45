"""Messages as plain text with a title, for chats and mail."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from calfeed.counting import count
from calfeed.model.texts import shortened

MAX_TITLE_LENGTH = 100
"""The title becomes the subject of a mail."""

_TITLES = {
    "reminder.due": "Reminder",
    "event.date_open": "Date still open",
    "event.added": "New",
    "event.moved": "Moved",
    "event.corrected": "Corrected",
    "event.changed": "Changed",
    "event.cancelled": "Cancelled",
}


@dataclass(frozen=True)
class Notification:
    """A message for people: a title of one line, and plain text."""

    title: str
    text: str


def format_notification(body: bytes) -> Notification:
    """Format a message's body for people: its text, location, sources and page.

    A digest becomes a list of its dates, nearest first.
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
    return Notification(shortened(" ".join(title.split()), MAX_TITLE_LENGTH), "\n".join(lines))


def _list_dates(reminders: list[dict[str, Any]]) -> tuple[str, list[str]]:
    # Several reminders of one occurrence give one line.
    by_occurrence = {
        (reminder["event"]["uid"], reminder["occurrence"]["start"]): reminder
        for reminder in reminders
    }
    lines = []
    for reminder in by_occurrence.values():
        page = reminder["event"].get("page")
        lines.append(f"- {reminder['text']}" + (f"\n  {page}" if page else ""))
    return f"{count(len(lines), 'date')} ahead", lines


def _summary(data: dict[str, Any]) -> str:
    """The summary of the occurrence if it has its own, else that of the event."""
    summary: str = data.get("occurrence", {}).get("summary", data["event"]["summary"])
    return summary


def _describe(event: dict[str, Any]) -> list[str]:
    lines = []
    if "location" in event:
        lines.append(f"Where: {event['location']}")
    for source in event["sources"]:
        parts = [source["title"], source["date"], source["url"]]
        lines.append("Source: " + ", ".join(part for part in parts if part))
    if "page" in event:
        lines.append(event["page"])
    return lines
