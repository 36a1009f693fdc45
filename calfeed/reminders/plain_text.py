"""Messages as plain text with a title, for chats and mail."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from calfeed.ical.wording.words import Words, worded, words_in
from calfeed.model.texts import shortened
from calfeed.reminders.operational.messages import TITLES

MAX_TITLE_LENGTH = 100
"""The maximum number of characters of a title, which becomes the subject of a mail."""


@dataclass(frozen=True)
class Notification:
    """A message for people: a title of one line, and plain text."""

    title: str
    text: str


def format_notification(body: bytes) -> Notification:
    """Format a message's body for people, in its language: its text, location, sources and page.

    A digest becomes a list of its dates, nearest first.
    """
    message = json.loads(body)
    data = message["data"]
    words = words_in(worded(data.get("language", "en")))
    if message["type"] == "reminder.digest":
        title, lines = _list_dates(data["reminders"], words)
    elif message["type"] in TITLES:
        title, lines = TITLES[message["type"]], [data["text"]]
    elif "event" in data:
        title = words.label(words.titles[message["type"]], _summary(data))
        lines = [data["text"], *_describe(data["event"], words)]
    else:
        title, lines = words.titles["endpoint.test"], [data["text"]]
    if message.get("rehearsal"):
        title = words.rehearsal.format(title=title)
        lines.append(words.rehearsed)
    return Notification(shortened(" ".join(title.split()), MAX_TITLE_LENGTH), "\n".join(lines))


def _list_dates(reminders: list[dict[str, Any]], words: Words) -> tuple[str, list[str]]:
    # Several reminders of one occurrence become one line.
    by_occurrence = {
        (reminder["event"]["uid"], reminder["occurrence"]["start"]): reminder
        for reminder in reminders
    }
    lines = []
    for reminder in by_occurrence.values():
        page = reminder["event"].get("page")
        lines.append(f"- {reminder['text']}" + (f"\n  {page}" if page else ""))
    return words.plural(words.dates_ahead, len(lines)), lines


def _summary(data: dict[str, Any]) -> str:
    """The summary of the occurrence if it has its own, else that of the event."""
    summary: str = data.get("occurrence", {}).get("summary", data["event"]["summary"])
    return summary


def _describe(event: dict[str, Any], words: Words) -> list[str]:
    lines = []
    if "location" in event:
        lines.append(words.label(words.where, event["location"]))
    for source in event["sources"]:
        parts = [source["title"], source["date"], source["url"]]
        lines.append(words.label(words.source, words.comma.join(filter(None, parts))))
    if "page" in event:
        lines.append(event["page"])
    return lines
