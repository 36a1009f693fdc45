"""Retries: decide what to do after the outcome of an attempt.

The schedule is that of Standard Webhooks: ten attempts over about 75 hours. Jitter of up to a
fifth spreads the retries of deliveries that failed together.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from http import HTTPStatus
from typing import NamedTuple

SCHEDULE = (
    timedelta(0),
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""The delay before each attempt, from the end of the previous one."""

MAX_RETRY_AFTER = timedelta(hours=24)
"""The longest Retry-After that is respected."""

_JITTER = 0.2

_SITE_RETRY = timedelta(minutes=1)
"""The delay after a fault of the site's own mail server."""


class Fault(StrEnum):
    """Whose fault a failed attempt is; only mail servers report this."""

    RECEIVER = "receiver"
    """There is no such mailbox, or its address cannot be sent to: a retry is useless."""

    SITE = "site"
    """This site's own mail server or its settings: no attempt succeeds until that is fixed."""


class Outcome(NamedTuple):
    """The outcome of an attempt: the status of a response, or an error.

    `key` is that of the request. `error` is for people. Both `status` and `error` are None after
    success in a channel. `retry_after` is the raw header of a 429 or 503. `response_start` is the
    first kilobyte of the body as text, `started_at` aware, in UTC. `certificate_until` (UTC) is
    when the server's certificate expires, if the attempt opened a connection over TLS.
    """

    key: Hashable
    status: int | None
    error: str | None
    milliseconds: int
    retry_after: str | None
    response_start: str
    started_at: datetime
    fault: Fault | None = None
    certificate_until: datetime | None = None

    @property
    def received(self) -> bool:
        """Whether the receiver accepted the message."""
        return is_received(self.status, self.error)


def is_received(status: int | None, error: str | None) -> bool:
    """Return whether an attempt with this status and error delivered the message."""
    return error is None and (status is None or 200 <= status < 300)


@dataclass(frozen=True, slots=True)
class Delivered:
    """The receiver accepted the message."""


@dataclass(frozen=True, slots=True)
class RetryAt:
    """The next attempt is at `at`."""

    at: datetime


@dataclass(frozen=True, slots=True)
class GiveUp:
    """There is no further attempt; `reason` is for people."""

    reason: str


@dataclass(frozen=True, slots=True)
class Disable:
    """The receiver is gone (410), so its endpoint is to be disabled."""


Decision = Delivered | RetryAt | GiveUp | Disable


def decide(
    outcome: Outcome,
    attempts: int,
    now: datetime,
    matters_until: datetime | None,
    jitter: float,
) -> Decision:
    """Decide what to do after the last of `attempts` attempts, which ended at `now`.

    2xx and success in a channel mean delivered, and 410 disables the endpoint. Everything else,
    redirects included, is retried on the schedule; `jitter` (0 to 1, random) shifts the delay by up
    to a fifth. Retry-After with a 429 or 503 can extend the delay to 24 hours, but not shorten it.
    Gives up after the last attempt of the schedule, or if the next one would be at or after
    `matters_until`. A fault of the receiver ends the delivery. A fault of the site does not use up
    an attempt.
    """
    status = outcome.status
    if outcome.received:
        return Delivered()
    if status == HTTPStatus.GONE:
        return Disable()
    failure = outcome.error or f"the receiver responded with {status}"
    if outcome.fault is Fault.RECEIVER:
        return GiveUp(failure)
    if attempts >= len(SCHEDULE) and outcome.fault is not Fault.SITE:
        return GiveUp(f"{failure}; that was the last of {attempts} attempts")
    delay = _SITE_RETRY if outcome.fault is Fault.SITE else SCHEDULE[attempts]
    wait = delay * (1 - _JITTER + 2 * _JITTER * jitter)
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        wait = max(wait, _read_retry_after(outcome.retry_after, now))
    at = now + wait
    if matters_until is not None and at >= matters_until:
        return GiveUp(f"{failure}; the message would expire before the next attempt")
    return RetryAt(at)


def ends_subscription(status: int | None) -> bool:
    """Return whether a push service's status ends a subscription.

    The subscription is gone (RFC 8030, 7.3), or the service refuses this site's messages. No retry
    can change that.
    """
    temporary = (
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.TOO_EARLY,
        HTTPStatus.TOO_MANY_REQUESTS,
    )
    return status is not None and 400 <= status < 500 and status not in temporary


def _read_retry_after(text: str | None, now: datetime) -> timedelta:
    """Parse Retry-After (RFC 9110, 10.2.3), seconds or a date, as 0 to 24 hours from `now`."""
    value = (text or "").strip()
    if value.isascii() and value.isdigit():
        # Ten digits are more than a day; more could exceed the limits of int() and timedelta.
        return min(timedelta(seconds=int(value.lstrip("0")[:10] or "0")), MAX_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return timedelta(0)
    # The offset "-0000" gives a naive time, which is UTC (RFC 5322, 3.3).
    moment = moment.replace(tzinfo=moment.tzinfo or UTC)
    return min(max(moment - now, timedelta(0)), MAX_RETRY_AFTER)
