"""Messages: the JSON bodies of webhooks (Standard Webhooks: type, timestamp, data).

A body is made once and stored, so that every attempt sends the same bytes. The bodies in other
languages that endpoints want are stored as well.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from calfeed.ical.comparison.changes import EventChange, Kind
from calfeed.ical.occurrences import Moment, Occurrence
from calfeed.ical.wording.change_text import format_change
from calfeed.ical.wording.dates_text import format_times
from calfeed.ical.wording.descriptions import plain_description
from calfeed.ical.wording.distances import format_distance, format_span
from calfeed.ical.wording.words import worded, words_in
from calfeed.model.events import PROPERTIES, Event, fingerprint
from calfeed.model.revision import Revision
from calfeed.model.site import PRODUCT
from calfeed.model.values import text_in
from calfeed.reminders.date_json import describe_cause_of, describe_dating, describe_uncertainty
from calfeed.reminders.filters import Subject, make_subject
from calfeed.reminders.plan import ASK_RULE, Reminder

LATE_AFTER = timedelta(minutes=1)
"""A reminder that is delayed by more than this counts as late, and its text says so."""

_MAX_OCCURRENCES = 50
"""The maximum number of occurrences that a message lists."""

_TYPES = {Kind.WITHDRAWN: "cancelled"}


@dataclass(frozen=True)
class Message:
    """A message; `id` is the webhook-id, the same for every endpoint and attempt.

    `until` (UTC) is when it stops being relevant; None for never. It is not sent before
    `send_from` (UTC). `text` is the message in one line, `uid` the UID of its event. `translations`
    are bodies in other languages (BCP 47 tags), except those that would equal `body`.
    """

    id: str
    subject: Subject
    at: datetime
    body: bytes
    until: datetime | None = None
    send_from: datetime | None = None
    text: str = ""
    uid: str | None = None
    translations: Mapping[str, bytes] = field(default_factory=dict)


def reminder_message(
    reminder: Reminder,
    revision: Revision,
    now: datetime,
    *,
    page: str | None = None,
    rehearsal: str | None = None,
    language: str | None = None,
    languages: Collection[str] = (),
) -> Message:
    """The message of a reminder that is sent at `now`.

    Its id is derived from the reminder's key, so that a crash cannot give one reminder two ids.
    `rehearsal` is the unique name of a rehearsal, which has its own ids and marks the body. The
    body is in `language`, by default the calendar's; there are translations into `languages`.
    """
    event = reminder.event
    message_type = "event.date_open" if reminder.asks else "reminder.due"
    extra = {"rehearsal": True} if rehearsal is not None else {}
    delay = now - reminder.due
    is_late = delay > LATE_AFTER and rehearsal is None
    lateness = delay if is_late else timedelta(0)

    def describe(tag: str) -> dict[str, Any]:
        return {
            "event": describe_event(revision, page, tag),
            "occurrence": describe_occurrence(event, reminder.occurrence, tag),
            "reminder": {
                "rule": str(reminder.rule),
                "due": reminder.due.astimezone(event.zone).isoformat(),
                "late_seconds": int(lateness.total_seconds()),
            },
            **name_language(tag),
            "text": _write_reminder(reminder, now, lateness, tag),
        }

    data = describe(language or event.language)
    return Message(
        id=make_id("reminder", reminder.key, rehearsal or ""),
        subject=make_subject(message_type, event, rehearsal=rehearsal is not None),
        at=now,
        body=make_body(message_type, now, data, extra),
        until=reminder.until if rehearsal is None else None,
        text=data["text"],
        uid=event.uid,
        translations=_translate(data, describe, languages, message_type, now),
    )


def _write_reminder(reminder: Reminder, now: datetime, lateness: timedelta, language: str) -> str:
    """Write a reminder in one line; `lateness` is zero if it is on time."""
    event, occurrence = reminder.event, reminder.occurrence
    title = text_in(occurrence.summary, language, event.language)
    tongue = worded(language)
    words = words_in(tongue)
    when = format_times(occurrence.start, occurrence.end, event.precision, tongue)
    if reminder.asks:
        span = words.plural(words.days, ASK_RULE.before.days)
        return words.date_open.format(title=title, when=when, span=span)
    # Count from the due time, so that milliseconds do not turn "in 7 days" into "in 6 days".
    moment = now if lateness else reminder.due
    distance = format_distance(occurrence.start, event.zone, moment, tongue)
    text = words.reminder.format(title=title, when=when, distance=distance)
    if not lateness:
        return text
    return words.late.format(reminder=text, span=format_span(lateness, tongue))


def change_message(
    change: EventChange,
    now: datetime,
    *,
    page: str | None = None,
    languages: Collection[str] = (),
) -> Message:
    """The message of a change that is announced at `now`, with translations into `languages`.

    Its id is derived from the new state of the event, so that another process, or the same one
    after a restore, gives the same change the same id.
    """
    revision = change.after
    event = revision.event
    message_type = f"event.{_TYPES.get(change.kind, change.kind)}"

    def describe(tag: str) -> dict[str, Any]:
        return _describe_change(change, page, tag)

    data = describe(event.language)
    drops = any(occurrence.dropped for occurrence in change.occurrences)
    return Message(
        id=make_id("state", event.uid, fingerprint(event), "gone" if revision.withdrawn else ""),
        subject=make_subject(message_type, event, drops=drops),
        at=now,
        body=make_body(message_type, now, data),
        text=data["text"],
        uid=event.uid,
        translations=_translate(data, describe, languages, message_type, now),
    )


def _describe_change(change: EventChange, page: str | None, language: str) -> dict[str, Any]:
    event, previous = change.after.event, change.before
    data: dict[str, Any] = {"event": describe_event(change.after, page, language)}
    if previous is not None and change.kind is not Kind.ADDED:
        old = previous.event
        data["previous"] = {
            **describe_time(old, old.start, old.end),
            **describe_uncertainty(old, language),
            "summary": text_in(old.summary, language, old.language),
        }
    if change.shift is not None:
        data["change"] = change.shift.value
    data |= describe_cause_of(change, language)
    if change.occurrences:
        data["occurrences"] = describe_occurrences(change, language)
    if change.reason:
        data["note"] = text_in(change.reason, language, event.language)
    data |= name_language(language)
    title = text_in(event.summary, language, event.language)
    data["text"] = words_in(worded(language)).label(title, format_change(change, language))
    return data


def name_language(language: str) -> dict[str, str]:
    """The key that names the language of a message's texts; empty for English."""
    return {} if language.split("-")[0] == "en" else {"language": language}


def _translate(
    data: dict[str, Any],
    describe: Callable[[str], dict[str, Any]],
    languages: Collection[str],
    message_type: str,
    now: datetime,
) -> dict[str, bytes]:
    """Make the bodies in other languages, except those for which `describe` returns `data`."""
    described = {tag: describe(tag) for tag in languages}
    return {tag: make_body(message_type, now, own) for tag, own in described.items() if own != data}


def repeat_message(message: Message, times: int) -> Message:
    """Make the message of a state to which an event returned, after `times` messages about it."""
    return replace(message, id=make_id(message.id, str(times)))


def probe_message(
    endpoint: str, now: datetime, nonce: str, language: str = "en", site: str = PRODUCT
) -> Message:
    """The message of `calfeed endpoint test`; `site` is the name of the site."""
    text = words_in(language).test.format(site=site)
    data = {"endpoint": endpoint, **name_language(language), "text": text}
    return Message(
        id=make_id("test", endpoint, nonce),
        subject=Subject(type="endpoint.test", calendar="", event=""),
        at=now,
        body=make_body("endpoint.test", now, data),
        text=data["text"],
    )


def verify_message(
    endpoint: str,
    now: datetime,
    challenge: str,
    until: datetime,
    language: str = "en",
    site: str = PRODUCT,
) -> Message:
    """The message that verifies a registered endpoint, which has to confirm before `until`.

    `site` is the name of the site. The challenge is only in the body, so that no report shows it.
    """
    text = words_in(language).verify.format(site=site)
    named = name_language(language)
    data = {"endpoint": endpoint, "challenge": challenge, **named, "text": text}
    return Message(
        id=verify_id(endpoint),
        subject=Subject(type="endpoint.verify", calendar="", event=""),
        at=now,
        body=make_body("endpoint.verify", now, data),
        until=until,
        text=text,
    )


def verify_id(endpoint: str) -> str:
    """The id of an endpoint's verification message."""
    return make_id("verify", endpoint)


def make_id(*parts: str) -> str:
    """Derive a webhook-id from the parts that identify a message."""
    return "msg_" + hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def describe_event(
    revision: Revision, page: str | None = None, language: str | None = None
) -> dict[str, Any]:
    """An event as JSON, with plain texts, and without empty values.

    Texts are in `language` if they have it, else in the calendar's. `page` is the URL of its page.
    """
    event = revision.event
    language = language or event.language
    entries: dict[str, Any] = {
        "calendar": event.calendar,
        "slug": event.slug,
        "uid": event.uid,
        "sequence": revision.sequence,
        "summary": text_in(event.summary, language, event.language),
        "description": plain_description(event, language, event.language) or None,
        "location": text_in(event.location, language, event.language) if event.location else None,
        "status": "cancelled" if revision.withdrawn else event.status.value,
        "kind": event.kind.value,
        "categories": list(event.categories),
        **describe_time(event, event.start, event.end),
        **describe_dating(event, language),
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


def describe_occurrence(
    event: Event, occurrence: Occurrence, language: str | None = None
) -> dict[str, Any]:
    """An occurrence as JSON; `id` is empty for an event that does not recur.

    It has a `summary` only if that differs from the event's. The summary is in `language`, by
    default the calendar's.
    """
    summary = text_in(occurrence.summary, language or event.language, event.language)
    own_summary = {} if occurrence.summary == event.summary else {"summary": summary}
    time = describe_time(event, occurrence.start, occurrence.end)
    return {"id": occurrence.id, **own_summary, **time}


def describe_occurrences(change: EventChange, language: str | None = None) -> list[dict[str, Any]]:
    """The occurrences that a change affects, as `describe_occurrence`, with previous times."""
    event = change.after.event
    old = change.before.event if change.before else event
    return [
        {
            **describe_occurrence(event, occurrence.after, language),
            "status": occurrence.after.status.value,
            **(
                {"previous": describe_time(old, occurrence.before.start, occurrence.before.end)}
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


def make_body(
    message_type: str, now: datetime, data: dict[str, Any], extra: dict[str, Any] | None = None
) -> bytes:
    """Make a message's body; `extra` are further top-level keys."""
    timestamp = now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    body = {"type": message_type, "timestamp": timestamp, **(extra or {}), "data": data}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
