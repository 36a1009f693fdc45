"""Make the operational messages, one function for each type, in English as in the console.

A message's id is derived from what happened, so that processes that find the same thing send one
message. Bodies contain no URL, no secret, no title of an event, and no text of a definition.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from calfeed.counting import count
from calfeed.errors import Problem
from calfeed.reminders.filters import Subject
from calfeed.reminders.messages import Message, make_body, make_id

MAX_LISTED = 10
"""The maximum number of deliveries, reminders or problems that a message lists."""

KEEP_SENDING = timedelta(days=1)
"""How long an operational message is relevant: it is not sent later."""

_HOUR = timedelta(hours=1)

TITLES = {
    "endpoint.failing": "Endpoint is failing",
    "endpoint.disabled": "Endpoint disabled",
    "endpoint.recovered": "Endpoint works again",
    "delivery.failed": "Delivery failed",
    "publish.refused": "Publish refused",
    "reminder.missed": "Reminder missed",
    "worker.silent": "Worker is silent",
    "certificate.expiring": "Certificate expires",
}
"""The titles of these messages in chats and mails."""


class EndpointName(NamedTuple):
    """An endpoint as operators know it; `description` is empty unless an operator wrote it."""

    id: str
    description: str = ""

    def __str__(self) -> str:
        return f"{self.id} ({self.description})" if self.description else self.id


class FailedDelivery(NamedTuple):
    """A delivery that was given up, with the type of its message."""

    id: int
    type: str
    attempts: int


class MissedReminder(NamedTuple):
    """A reminder that was found too late; `event` is the slug."""

    event: str
    rule: str
    due: datetime


class SilentProcess(NamedTuple):
    """A process whose heartbeats have stopped; `id` is that of its start."""

    id: str
    host: str
    pid: int
    version: str
    last_heartbeat: datetime


def failing_id(endpoint_id: str, since: datetime) -> str:
    """Return the id of the message which says that an endpoint has been failing since a time."""
    return make_id("endpoint.failing", endpoint_id, _write(since))


def endpoint_failing(endpoint: EndpointName, since: datetime, error: str, now: datetime) -> Message:
    """The message that all attempts for an endpoint have failed `since`, the last with `error`."""
    data = {"endpoint": endpoint._asdict(), "since": _write(since), "error": error}
    text = f"Endpoint {endpoint} is failing: every attempt since {_show(since)}; {error}"
    subject = Subject(type="endpoint.failing", calendar="", event="", endpoint=endpoint.id)
    return _make(failing_id(endpoint.id, since), subject, data, text, now)


def endpoint_disabled(endpoint: EndpointName, reason: str, now: datetime) -> Message:
    """The message that calfeed has disabled an endpoint."""
    data = {"endpoint": endpoint._asdict(), "reason": reason}
    text = f"Endpoint {endpoint} is disabled: {reason}; its deliveries are held until it is resumed"
    subject = Subject(type="endpoint.disabled", calendar="", event="", endpoint=endpoint.id)
    return _make(make_id("endpoint.disabled", endpoint.id, _write(now)), subject, data, text, now)


def endpoint_recovered(
    endpoint: EndpointName, since: datetime | None, now: datetime, *, resumed: bool = False
) -> Message:
    """The message that an endpoint, which had failed `since`, receives again or was `resumed`."""
    data = {
        "endpoint": endpoint._asdict(),
        "since": None if since is None else _write(since),
        "resumed": resumed,
    }
    done = "was resumed" if resumed else "receives again"
    failed = "" if since is None else f"; it had been failing since {_show(since)}"
    subject = Subject(type="endpoint.recovered", calendar="", event="", endpoint=endpoint.id)
    return _make(
        make_id("endpoint.recovered", endpoint.id, _write(now)),
        subject,
        data,
        f"Endpoint {endpoint} {done}{failed}",
        now,
    )


def delivery_failed(
    kind: str, endpoint: EndpointName | None, failed: Sequence[FailedDelivery], now: datetime
) -> Message:
    """The message that deliveries to an endpoint were given up.

    Others that are given up in the same hour (UTC) are not reported. People and browsers are
    reported together, by the `kind` of their endpoints.
    """
    hour = _hour_of(now)
    receiver = f"{kind} receivers" if endpoint is None else str(endpoint)
    data = {
        "kind": kind,
        "endpoint": None if endpoint is None else endpoint._asdict(),
        "count": len(failed),
        "deliveries": [one._asdict() for one in failed[:MAX_LISTED]],
        "silent_until": _write(hour + _HOUR),
    }
    verb = "has" if len(failed) == 1 else "have"
    text = (
        f"{count(len(failed), 'delivery')} to {receiver} {verb} failed for good; others that fail "
        f"before {hour + _HOUR:%H:%M} UTC are not reported"
    )
    about = "" if endpoint is None else endpoint.id
    subject = Subject(type="delivery.failed", calendar="", event="", endpoint=about)
    return _make(make_id("delivery.failed", kind, about, _write(hour)), subject, data, text, now)


def publish_refused(
    why: str,
    problems: Sequence[Problem],
    published: datetime | None,
    digest: str,
    now: datetime,
) -> Message:
    """The message that definitions were not published.

    `why` is `problems`, `removals` or `error`. `published` is when the state that is still served
    was published, None if there is none. `digest` distinguishes sets of problems.
    """
    data = {
        "why": why,
        "count": len(problems),
        "problems": [
            {"file": one.file, "line": one.line, "column": one.column, "key": one.key}
            for one in problems[:MAX_LISTED]
        ],
        "published": None if published is None else _write(published),
    }
    reason = "too much would be withdrawn"
    if problems:
        first = f"{problems[0].file}:{problems[0].line}" if problems[0].line else problems[0].file
        reason = f"{count(len(problems), 'problem')}, the first in {first}"
    kept = "nothing is published yet"
    if published is not None:
        kept = f"the state of {_show(published)} remains"
    return _make(
        make_id("publish.refused", digest, _write(now)),
        Subject(type="publish.refused", calendar="", event=""),
        data,
        f"The definitions were not published: {reason}; {kept}",
        now,
    )


def reminder_missed(
    calendar: str, missed: Sequence[MissedReminder], number: int, now: datetime
) -> Message:
    """The message that reminders of a calendar were found too late.

    Others that are found in the same hour (UTC) are not reported. `number` is how many reminders
    there are; `missed` are some of them.
    """
    hour = _hour_of(now)
    data = {
        "calendar": calendar,
        "count": number,
        "reminders": [
            {"event": one.event, "rule": one.rule, "due": _write(one.due)}
            for one in missed[:MAX_LISTED]
        ],
        "silent_until": _write(hour + _HOUR),
    }
    verb = "was" if number == 1 else "were"
    text = (
        f"{count(number, 'reminder')} of {calendar} {verb} too late and not sent; others that are "
        f"missed before {hour + _HOUR:%H:%M} UTC are not reported"
    )
    return _make(
        make_id("reminder.missed", calendar, _write(hour)),
        Subject(type="reminder.missed", calendar=calendar, event=""),
        data,
        text,
        now,
    )


def worker_silent(process: SilentProcess, others: int, now: datetime) -> Message:
    """The message that a worker has ended without removing its heartbeat, or hangs.

    `others` is the number of workers that are still running.
    """
    data = {
        "host": process.host,
        "pid": process.pid,
        "version": process.version,
        "last_heartbeat": _write(process.last_heartbeat),
        "others": others,
    }
    text = (
        f"The worker on {process.host} ({process.pid}) has been silent since "
        f"{_show(process.last_heartbeat)}; {count(others, 'other worker')} running"
    )
    return _make(
        make_id("worker.silent", process.id),
        Subject(type="worker.silent", calendar="", event=""),
        data,
        text,
        now,
    )


def certificate_expiring(endpoint: EndpointName, until: datetime, now: datetime) -> Message:
    """The message that the certificate of an endpoint's receiver expires soon.

    The endpoint itself gets this message too.
    """
    data = {"endpoint": endpoint._asdict(), "until": _write(until)}
    return _make(
        make_id("certificate.expiring", endpoint.id, _write(until)),
        Subject(type="certificate.expiring", calendar="", event=""),
        data,
        f"The certificate of the receiver of endpoint {endpoint} expires at {_show(until)}",
        now,
    )


def _make(id_: str, subject: Subject, data: dict[str, Any], text: str, now: datetime) -> Message:
    return Message(
        id=id_,
        subject=subject,
        at=now,
        body=make_body(subject.type, now, data | {"text": text}),
        until=now + KEEP_SENDING,
        text=text,
    )


def _hour_of(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _write(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _show(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
