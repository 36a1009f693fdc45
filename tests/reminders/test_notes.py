"""The text of a message in a chat or a mail."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from calfeed.reminders.contract.registry import MESSAGE_TYPES
from calfeed.reminders.digests import DigestEntry, digest_message
from calfeed.reminders.messages import make_body, probe_message
from calfeed.reminders.plain_text import MAX_TITLE_LENGTH, Notification, format_notification
from tests.publish.desk import NOW

PAGE = "https://calendar.example.org/calendars/desk/stay/"


def make_data(**extra: Any) -> dict[str, Any]:
    source = {"title": "Radio", "url": "https://radio.example.org/1", "date": "2025-05-30"}
    return {
        "event": {
            "uid": "stay@desk",
            "summary": "The stay ends",
            "location": "Karachi",
            "page": PAGE,
            "sources": [source, {"title": "A letter", "url": None, "date": None}],
        },
        "occurrence": {
            "start": "2025-06-30",
            "end": "2025-07-01",
            "all_day": True,
            "time_zone": "Asia/Karachi",
        },
        "text": "The stay ends: 30 June 2025, in 7 days",
        **extra,
    }


def write(kind: str, data: dict[str, Any], **extra: Any) -> Notification:
    return format_notification(make_body(kind, NOW, data, extra))


def test_a_note_has_the_text_the_place_the_sources_and_the_page() -> None:
    note = write("reminder.due", make_data())
    assert note.title == "Reminder: The stay ends"
    assert note.text.splitlines() == [
        "The stay ends: 30 June 2025, in 7 days",
        "Where: Karachi",
        "Source: Radio, 2025-05-30, https://radio.example.org/1",
        "Source: A letter",
        PAGE,
    ]


@pytest.mark.parametrize(
    ("kind", "title"),
    [
        ("event.added", "New: The stay ends"),
        ("event.moved", "Moved: The stay ends"),
        ("event.corrected", "Corrected: The stay ends"),
        ("event.changed", "Changed: The stay ends"),
        ("event.cancelled", "Cancelled: The stay ends"),
    ],
)
def test_the_title_says_what_happened_to_which_event(kind: str, title: str) -> None:
    assert write(kind, make_data()).title == title


def test_what_an_event_does_not_have_is_not_in_its_note() -> None:
    bare = make_data(event={"uid": "a", "summary": "A", "sources": []})
    assert write("reminder.due", bare).text == bare["text"]


def test_a_note_is_called_as_the_occurrence_is() -> None:
    data = make_data()
    data["occurrence"]["summary"] = "The last stay ends"
    assert write("reminder.due", data).title == "Reminder: The last stay ends"


def test_a_title_is_one_short_line() -> None:
    data = make_data()
    data["event"]["summary"] = "very\nlong " * 100
    title = write("reminder.due", data).title
    assert len(title) == MAX_TITLE_LENGTH
    assert title.startswith("Reminder: very long very")
    assert "\n" not in title


def test_a_rehearsal_says_so_in_title_and_text() -> None:
    note = write("reminder.due", make_data(), rehearsal=True)
    assert note.title == "Rehearsal: Reminder: The stay ends"
    assert note.text.endswith("This is a rehearsal.")


def test_a_digest_lists_each_date_once_with_its_page() -> None:
    late = make_data()
    other = make_data(event={"uid": "b", "summary": "B", "sources": [], "page": PAGE + "b"})
    told = [
        DigestEntry(
            f"msg_{number}", make_body("reminder.due", NOW, data), NOW + timedelta(days=number), NOW
        )
        for number, data in enumerate([make_data(), late, other])
    ]
    note = format_notification(digest_message("msg_9", told, NOW).body)
    assert note.title == "2 dates ahead"
    assert note.text.splitlines() == [
        "- The stay ends: 30 June 2025, in 29 days",
        f"  {PAGE}",
        "- B: 30 June 2025, in 29 days",
        f"  {PAGE}b",
    ]


def test_a_test_message_is_a_note_as_well() -> None:
    message = probe_message("ch_newsroom", NOW, "1")
    note = format_notification(message.body)
    assert note.title == "Test"
    assert note.text == json.loads(message.body)["data"]["text"]


@pytest.mark.parametrize("kind", MESSAGE_TYPES)
def test_every_type_of_message_has_a_title_of_its_own(kind: str) -> None:
    assert write(kind, make_data()).title.endswith(": The stay ends")
