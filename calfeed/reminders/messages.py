"""Messages: the JSON bodies of webhooks (Standard Webhooks: type, timestamp, data).

A body is made once and stored, so that every attempt sends the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from calfeed.counting import count
from calfeed.ical.comparison.changes import EventChange, Kind
from calfeed.ical.occurrences import Moment, Occurrence
from calfeed.ical.wording.change_text import format_change
from calfeed.ical.wording.dates_text import format_times
from calfeed.ical.wording.descriptions import plain_description
from calfeed.model.events import PROPERTIES, Event, fingerprint
from calfeed.model.revision import Revision
from calfeed.model.values import Text, text_in
from calfeed.reminders.dating import describe_cause_of, describe_dating, describe_uncertainty
from calfeed.reminders.filters import UPDATE_TYPE, WELCOME_TYPE, Subject
from calfeed.reminders.plan import ASK_RULE, Reminder

LATE_AFTER = timedelta(minutes=1)
"""The delay after which a reminder counts as late, and mentions it."""

_MAX_OCCURRENCES = 50
"""How many occurrences a message lists."""

_TYPES = {Kind.WITHDRAWN: "cancelled"}


@dataclass(frozen=True)
class Message:
    """A message; `id` is the webhook-id, the same for every endpoint and attempt.

    `until` (UTC) is when it stops being relevant; None for never. It is not sent before
    `send_from` (UTC). `text` is the message in one line, `uid` its event.
    """

    id: str
    subject: Subject
    at: datetime
    body: bytes
    until: datetime | None = None
    send_from: datetime | None = None
    text: str = ""
    uid: str | None = None


def reminder_message(
    reminder: Reminder,
    revision: Revision,
    now: datetime,
    *,
    page: str | None = None,
    rehearsal: str | None = None,
) -> Message:
    """The message of a reminder that is sent at `now`.

    Its id is derived from the reminder's key, so that a crash cannot give one reminder two ids.
    `rehearsal` is the unique name of a rehearsal, which has its own ids and marks the body.
    """
    event = reminder.event
    message_type = "event.date_open" if reminder.asks else "reminder.due"
    delay = now - reminder.due
    is_late = delay > LATE_AFTER and rehearsal is None
    summary = text_in(reminder.occurrence.summary, event.language)
    occurrence = reminder.occurrence
    when = format_times(occurrence.start, occurrence.end, event.precision)
    lateness = f" (this reminder is {format_span(delay)} late)" if is_late else ""
    # Count from the due time, so that milliseconds do not turn "in 7 days" into "in 6 days".
    moment = now if is_late else reminder.due
    distance = format_distance(reminder.occurrence.start, event.zone, moment)
    data: dict[str, Any] = {
        "event": describe_event(revision, page),
        "occurrence": describe_occurrence(event, reminder.occurrence),
        "reminder": {
            "rule": str(reminder.rule),
            "due": reminder.due.astimezone(event.zone).isoformat(),
            "late_seconds": int(delay.total_seconds()) if is_late else 0,
        },
        "text": f"{summary}: {when}, {distance}{lateness}",
    }
    if reminder.asks:
        days = ASK_RULE.before.days
        data["text"] = f"{summary}: {when}, day still open {days} days before its earliest day"
    extra = {"rehearsal": True} if rehearsal is not None else {}
    return Message(
        id=make_id("reminder", reminder.key, rehearsal or ""),
        subject=make_subject(message_type, event, rehearsal=rehearsal is not None),
        at=now,
        body=make_body(message_type, now, data, extra),
        until=reminder.until if rehearsal is None else None,
        text=data["text"],
        uid=event.uid,
    )


def change_message(change: EventChange, now: datetime, *, page: str | None = None) -> Message:
    """The message of a change that is announced at `now`.

    Its id is derived from the new state of the event, so that another process, or this one after
    a restore, gives the same change the same id.
    """
    revision, previous = change.after, change.before
    event = revision.event
    kind = _TYPES.get(change.kind, change.kind)
    data: dict[str, Any] = {"event": describe_event(revision, page)}
    if previous is not None and change.kind is not Kind.ADDED:
        old = previous.event
        data["previous"] = {
            **describe_time(old, old.start, old.end),
            **describe_uncertainty(old),
            "summary": text_in(old.summary, old.language),
        }
    if change.shift is not None:
        data["change"] = change.shift.value
    data |= describe_cause_of(change)
    if change.occurrences:
        data["occurrences"] = describe_occurrences(change)
    if change.reason:
        data["note"] = text_in(change.reason, event.language)
    data["text"] = f"{text_in(event.summary, event.language)}: {format_change(change)}"
    return Message(
        id=make_id("state", event.uid, fingerprint(event), "gone" if revision.withdrawn else ""),
        subject=make_subject(f"event.{kind}", event),
        at=now,
        body=make_body(f"event.{kind}", now, data),
        text=data["text"],
        uid=event.uid,
    )


def repeat_message(message: Message, times: int) -> Message:
    """The message of a state that an event returned to, after so many earlier messages."""
    return replace(message, id=make_id(message.id, str(times)))


def probe_message(endpoint: str, now: datetime, nonce: str) -> Message:
    """The message of `calfeed endpoint test`."""
    data = {"endpoint": endpoint, "text": "A test from calfeed: this endpoint receives messages."}
    return Message(
        id=make_id("test", endpoint, nonce),
        subject=Subject(type="endpoint.test", calendar="", event=""),
        at=now,
        body=make_body("endpoint.test", now, data),
        text=data["text"],
    )


def verify_message(endpoint: str, now: datetime, challenge: str, until: datetime) -> Message:
    """The message that verifies a registered endpoint, which has to confirm before `until`.

    The challenge is only in the body, so that no report shows it.
    """
    text = "Somebody registered this endpoint with calfeed. Ignore this if it was not you."
    data = {"endpoint": endpoint, "challenge": challenge, "text": text}
    return Message(
        id=verify_id(endpoint),
        subject=Subject(type="endpoint.verify", calendar="", event=""),
        at=now,
        body=make_body("endpoint.verify", now, data),
        until=until,
        text=text,
    )


def update_message(calendar: str, number: int, now: datetime) -> Message:
    """The message for CalDAV clients that publish `number` changed a calendar.

    It matters for a day: a client that was offline for longer looks for changes by itself.
    """
    data = {"calendar": calendar, "text": "The calendar has changed."}
    return Message(
        id=make_id("update", calendar, str(number)),
        subject=Subject(type=UPDATE_TYPE, calendar=calendar, event=""),
        at=now,
        body=make_body(UPDATE_TYPE, now, data),
        until=now + timedelta(days=1),
        text=data["text"],
    )


def welcome_message(endpoint: str, now: datetime, nonce: str, title: str, text: str) -> Message:
    """The first message to a browser, in its language, which shows that pushing works."""
    return Message(
        id=make_id("welcome", endpoint, nonce),
        subject=Subject(type=WELCOME_TYPE, calendar="", event=""),
        at=now,
        body=make_body(WELCOME_TYPE, now, {"title": title, "text": text}),
        until=now + timedelta(hours=1),
        text="The first message to a browser.",
    )


def verify_id(endpoint: str) -> str:
    """The id of an endpoint's verification message."""
    return make_id("verify", endpoint)


def make_id(*parts: str) -> str:
    """Derive a webhook-id from the parts that identify a message."""
    return "msg_" + hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def describe_event(revision: Revision, page: str | None = None) -> dict[str, Any]:
    """An event as JSON, with plain texts in the calendar's language, and without empty values.

    `page` is the URL of its page.
    """
    event = revision.event
    entries: dict[str, Any] = {
        "calendar": event.calendar,
        "slug": event.slug,
        "uid": event.uid,
        "sequence": revision.sequence,
        "summary": text_in(event.summary, event.language),
        "description": plain_description(event, event.language) or None,
        "location": _in_language(event.location, event),
        "status": "cancelled" if revision.withdrawn else event.status.value,
        "kind": event.kind.value,
        "categories": list(event.categories),
        **describe_time(event, event.start, event.end),
        **describe_dating(event),
        "recurrence": event.repeat.rule if event.repeat else None,
        "url": event.url,
        "page": page,
        "sources": [source.model_dump(mode="json") for source in event.sources],
        **_describe_details(event),
        "busy": event.busy,
    }
    return {key: value for key, value in entries.items() if value is not None}


def _describe_details(event: Event) -> dict[str, Any]:
    values = event.model_dump(mode="json", include=set(PROPERTIES), exclude_defaults=True)
    return {PROPERTIES[name].key: value for name, value in values.items()}


def describe_occurrence(event: Event, occurrence: Occurrence) -> dict[str, Any]:
    """An occurrence as JSON; `id` is empty for an event that does not recur.

    Has a `summary` only if it differs from the event's.
    """
    summary = text_in(occurrence.summary, event.language)
    own_summary = {} if occurrence.summary == event.summary else {"summary": summary}
    time = describe_time(event, occurrence.start, occurrence.end)
    return {"id": occurrence.id, **own_summary, **time}


def describe_occurrences(change: EventChange) -> list[dict[str, Any]]:
    """The occurrences that a change affects, as JSON, with their previous times."""
    event = change.after.event
    return [
        {
            **describe_occurrence(event, occurrence.after),
            "status": occurrence.after.status.value,
            **(
                {"previous": describe_time(event, occurrence.before.start, occurrence.before.end)}
                if occurrence.before is not None
                else {}
            ),
        }
        for occurrence in change.occurrences[:_MAX_OCCURRENCES]
    ]


def describe_time(event: Event, start: Moment, end: Moment | None) -> dict[str, Any]:
    """A time as JSON: dates, or wall times with their offset. `end` is exclusive, as in feeds."""
    return {
        "start": start.isoformat(),
        "end": (end if end is not None else start).isoformat(),
        "all_day": event.all_day,
        "time_zone": event.time_zone,
    }


def format_distance(start: Moment, zone: ZoneInfo, moment: datetime) -> str:
    """The time from a moment to `start`, in `zone`: "in 7 days", "today", "now"."""
    if not isinstance(start, datetime):
        days = (start - moment.astimezone(zone).date()).days
        return {0: "today", 1: "tomorrow"}.get(days, f"in {days} days")
    left = start - moment
    return f"in {format_span(left)}" if left >= timedelta(minutes=1) else "now"


def format_span(span: timedelta) -> str:
    """Format a duration in its largest unit: "3 days", "1 hour"."""
    minutes = int(abs(span).total_seconds()) // 60
    for unit, size in (("day", 1440), ("hour", 60), ("minute", 1)):
        if minutes >= size:
            return count(minutes // size, unit)
    return "less than a minute"


def make_subject(message_type: str, event: Event, *, rehearsal: bool = False) -> Subject:
    """The subject of a message about an event."""
    return Subject(
        type=message_type,
        calendar=event.calendar,
        event=event.slug,
        categories=event.categories,
        rehearsal=rehearsal,
    )


def _in_language(text: Text | None, event: Event) -> str | None:
    return text_in(text, event.language) if text else None


def make_body(
    message_type: str, now: datetime, data: dict[str, Any], extra: dict[str, Any] | None = None
) -> bytes:
    """Make a message's body; `extra` are further top-level keys."""
    timestamp = now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    body = {"type": message_type, "timestamp": timestamp, **(extra or {}), "data": data}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
