"""The content and the ids of messages."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from calfeed.ical.comparison.changes import EventChange, Kind, compare_revisions
from calfeed.ical.wording.distances import format_span
from calfeed.model.events import Event
from calfeed.model.revision import ComparableRevision, Revision
from calfeed.reminders.messages import (
    Message,
    change_message,
    probe_message,
    reminder_message,
    repeat_message,
)
from calfeed.reminders.plan import Reminder, plan_reminders
from tests.ical.defining import define_event

CREATED = datetime(2025, 1, 1, tzinfo=UTC)
DEADLINE = "start: 2025-06-30\nreminders: [1 week]\n"
HEARING = "start: 2025-06-30 10:00\nduration: 1 hour\nreminders: [2 hours]\n"


def revise(event: Event, sequence: int = 0) -> Revision:
    return Revision(event=event, sequence=sequence, created=CREATED, modified=CREATED)


def first_reminder(event: Event) -> Reminder:
    return next(plan_reminders(event, CREATED, CREATED + timedelta(days=4000)))


def remind(text: str, late: timedelta = timedelta(0), rehearsal: str | None = None) -> Message:
    event = define_event(text)
    reminder = first_reminder(event)
    return reminder_message(reminder, revise(event), reminder.due + late, rehearsal=rehearsal)


def body(message: Message) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(message.body)
    return read


def text_of(message: Message) -> str:
    text: str = body(message)["data"]["text"]
    return text


@pytest.mark.parametrize(
    ("definition", "late", "text"),
    [
        (DEADLINE, timedelta(0), "It: 30 June 2025, in 7 days"),
        (DEADLINE, timedelta(seconds=59), "It: 30 June 2025, in 7 days"),
        (
            DEADLINE,
            timedelta(hours=3),
            "It: 30 June 2025, in 7 days (this reminder is 3 hours late)",
        ),
        (DEADLINE, timedelta(days=6), "It: 30 June 2025, tomorrow (this reminder is 6 days late)"),
        (DEADLINE, timedelta(days=7), "It: 30 June 2025, today (this reminder is 7 days late)"),
        (HEARING, timedelta(0), "It: 30 June 2025, 10:00 to 11:00 PKT, in 2 hours"),
        (
            HEARING,
            timedelta(minutes=75),
            "It: 30 June 2025, 10:00 to 11:00 PKT, in 45 minutes (this reminder is 1 hour late)",
        ),
    ],
)
def test_the_text_says_how_far_off_it_is_and_how_late_it_comes(
    definition: str, late: timedelta, text: str
) -> None:
    message = remind(definition, late)
    assert text_of(message) == text
    seconds = body(message)["data"]["reminder"]["late_seconds"]
    assert seconds == (int(late.total_seconds()) if late > timedelta(minutes=1) else 0)


def test_a_reminder_has_the_same_id_whenever_it_is_made() -> None:
    assert remind(DEADLINE).id == remind(DEADLINE, timedelta(days=2)).id
    assert remind(DEADLINE).id == remind(DEADLINE + "description: edited").id
    assert remind(DEADLINE).id != remind(DEADLINE.replace("06-30", "07-30")).id


def test_a_rehearsal_has_ids_of_its_own_and_says_what_it_is() -> None:
    message = remind(DEADLINE, timedelta(days=400), rehearsal="one")
    assert body(message)["rehearsal"] is True
    assert text_of(message) == "It: 30 June 2025, in 7 days"
    assert message.until is None, "what is rehearsed may be over"
    ids = {message.id, remind(DEADLINE, rehearsal="two").id, remind(DEADLINE).id}
    assert len(ids) == 3
    assert "rehearsal" not in body(remind(DEADLINE))


def test_a_reminder_matters_until_its_occurrence_begins() -> None:
    message = remind(HEARING)
    assert message.until == datetime(2025, 6, 30, 5, tzinfo=UTC)


def test_the_body_is_that_of_standard_webhooks() -> None:
    """Compact JSON with type, timestamp and data; texts as they are, not escaped."""
    event = define_event("start: 2025-06-30\nreminders: [1 week]\nlocation: کراچی")
    reminder = first_reminder(event)
    message = reminder_message(reminder, revise(event), reminder.due, page="https://example.org/p")
    assert list(body(message)) == ["type", "timestamp", "data"]
    assert body(message)["timestamp"] == "2025-06-23T04:00:00.000Z"
    assert "کراچی".encode() in message.body
    data = body(message)["data"]
    assert data["event"]["page"] == "https://example.org/p"
    assert (data["event"]["uid"], data["event"]["sequence"]) == (event.uid, 0)
    assert data["occurrence"] == {
        "id": "",
        "start": "2025-06-30",
        "end": "2025-07-01",
        "all_day": True,
        "time_zone": "Asia/Karachi",
    }
    assert data["reminder"]["due"] == "2025-06-23T09:00:00+05:00"


def test_an_occurrence_is_named_and_told_with_its_own_time_and_title() -> None:
    event = define_event(
        """
        start: 2025-06-30 10:00
        reminders: [1 hour]
        repeat:
          rule: FREQ=DAILY;COUNT=2
          changes: {2025-06-30 10:00: {start: 2025-06-30 15:00, summary: In the afternoon}}
        """
    )
    reminder = first_reminder(event)
    data = body(reminder_message(reminder, revise(event), reminder.due))["data"]
    assert data["occurrence"]["id"] == "20250630T050000Z"
    assert data["occurrence"]["start"] == "2025-06-30T15:00:00+05:00"
    assert data["text"].startswith("In the afternoon: 30 June 2025, 15:00")


def test_a_moved_event_tells_both_dates_and_why() -> None:
    before = define_event("start: 2025-06-30")
    after = define_event("start: 2025-08-31\nnote: the stay was extended")
    change = compare_revisions(
        ComparableRevision(revise(before)), ComparableRevision(revise(after, 1))
    )
    message = change_message(change, CREATED)
    data = body(message)["data"]
    assert body(message)["type"] == message.subject.type == "event.moved"
    assert data["previous"]["start"] == "2025-06-30"
    assert data["event"]["start"] == "2025-08-31"
    assert data["note"] == "the stay was extended"
    assert data["text"] == ("It: moved from 30 June 2025 to 31 August 2025 (the stay was extended)")
    assert message.until is None


def test_each_state_of_an_event_has_one_id_whenever_and_however_it_was_reached() -> None:
    """So that what was told before a restore has the same id when it is found out again."""
    one, other = define_event("start: 2025-06-30"), define_event("start: 2025-07-01")
    gone = revise(one, 3).model_copy(update={"withdrawn": True})
    states = {
        state: {
            change_message(EventChange(kind, None, revision), CREATED + timedelta(days=day)).id
            for kind in (Kind.ADDED, Kind.MOVED, Kind.CHANGED)
            for day, revision in enumerate(revisions)
        }
        for state, revisions in {
            "one": [revise(one, 0), revise(one, 1_000)],
            "other": [revise(other, 1)],
            "gone": [gone],
        }.items()
    }
    ids = set().union(*states.values())
    assert [len(found) for found in states.values()] == [1, 1, 1]
    assert len(ids) == 3
    assert all(each.startswith("msg_") and len(each) == 36 for each in ids)


def test_a_state_that_is_told_again_has_another_id_each_time() -> None:
    first = change_message(
        EventChange(Kind.ADDED, None, revise(define_event("start: 2025-06-30"))), CREATED
    )
    assert len({first.id, repeat_message(first, 1).id, repeat_message(first, 2).id}) == 3


def test_a_withdrawn_event_is_told_as_cancelled() -> None:
    published = revise(define_event("start: 2025-06-30"))
    revision = published.model_copy(update={"withdrawn": True, "sequence": 1})
    change = compare_revisions(ComparableRevision(published), ComparableRevision(revision))
    data = body(change_message(change, CREATED))["data"]
    assert data["event"]["status"] == "cancelled"
    assert data["text"] == "It: cancelled, 30 June 2025"


def test_a_message_is_about_its_event_for_filters() -> None:
    event = define_event(DEADLINE + "categories: [stay, deadline]")
    reminder = first_reminder(event)
    subject = reminder_message(reminder, revise(event), reminder.due).subject
    assert (subject.type, subject.calendar, subject.event) == ("reminder.due", "desk", "it")
    assert subject.categories == ("stay", "deadline")


def test_a_probe_has_another_id_each_time() -> None:
    first, second = (probe_message("end_1", CREATED, nonce) for nonce in ("a", "b"))
    assert first.id != second.id
    assert body(first)["type"] == "endpoint.test"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (59, "less than a minute"),
        (60, "1 minute"),
        (3599, "59 minutes"),
        (3600, "1 hour"),
        (86399, "23 hours"),
        (172800, "2 days"),
    ],
)
def test_a_span_is_told_in_its_largest_unit(seconds: int, words: str) -> None:
    assert format_span(timedelta(seconds=seconds)) == words


def test_an_event_of_several_days_is_told_from_its_first_to_its_last() -> None:
    text = text_of(remind(DEADLINE + "end: 2025-07-02"))
    assert text == "It: 30 June to 2 July 2025, in 7 days"
