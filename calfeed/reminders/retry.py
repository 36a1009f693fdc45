"""What follows from one attempt to deliver a message: done, again later, or never.

The schedule is that of Standard Webhooks: ten attempts over about 75 hours, each wait varied by
up to a fifth so that what failed together does not come back together.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
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
"""The wait before each attempt, counted from the end of the one before it."""

LONGEST_WAIT = timedelta(hours=24)
"""The most that a receiver's Retry-After can put an attempt off."""

_JITTER = 0.2


class Outcome(NamedTuple):
    """What came of one attempt: a status, or the error that there was instead of one.

    `key` is the request's own. At most one of `status` and `error` (for people) is there; neither
    is where a channel took the message, which gives no status. `retry_after` is that header's
    value with a 429 or 503, as it was sent. `response_start` is the first kilobyte of the body as
    text, `started_at` aware, in UTC.
    """

    key: Hashable
    status: int | None
    error: str | None
    milliseconds: int
    retry_after: str | None
    response_start: str
    started_at: datetime

    @property
    def received(self) -> bool:
        """Whether the receiver has the message."""
        return is_received(self.status, self.error)


def is_received(status: int | None, error: str | None) -> bool:
    """Whether an attempt that ended so brought the message to its receiver."""
    return error is None and (status is None or 200 <= status < 300)


@dataclass(frozen=True, slots=True)
class Delivered:
    """The receiver has the message."""


@dataclass(frozen=True, slots=True)
class RetryAt:
    """The message is to be posted again at `at`, not before."""

    at: datetime


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The message is not posted again by itself; `reason` is for people."""

    reason: str


@dataclass(frozen=True, slots=True)
class Disable:
    """The receiver says it is gone (410): nothing more is to be posted to this endpoint."""


Decision = Delivered | RetryAt | GiveUp | Disable


def decide(
    outcome: Outcome,
    attempts: int,
    now: datetime,
    matters_until: datetime | None,
    jitter: float,
) -> Decision:
    """Decide what follows from the last of `attempts` attempts, which ended at `now`.

    2xx is delivered, as is what a channel took, and 410 disables the endpoint. Everything else,
    redirects and a missing answer among them, is tried again on the schedule, with `jitter` (0 to
    1, from a random source) choosing within a fifth either way. Retry-After with a 429 or 503 can
    put that off, by 24 hours at most, but not bring it forward. It is given up after the last
    attempt of the schedule, or where the next one would be at or after `matters_until`.
    """
    status = outcome.status
    if outcome.received:
        return Delivered()
    if status == HTTPStatus.GONE:
        return Disable()
    failure = outcome.error or f"the receiver answered {status}"
    if attempts >= len(SCHEDULE):
        return GiveUp(f"{failure}; that was the last of {attempts} attempts")
    wait = SCHEDULE[attempts] * (1 - _JITTER + 2 * _JITTER * jitter)
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        wait = max(wait, _read_retry_after(outcome.retry_after, now))
    at = now + wait
    if matters_until is not None and at >= matters_until:
        return GiveUp(f"{failure}; by the next attempt the message would no longer matter")
    return RetryAt(at)


def _read_retry_after(text: str | None, now: datetime) -> timedelta:
    """Read Retry-After (RFC 9110, 10.2.3), seconds or a date, as 0 to 24 hours from `now`."""
    value = (text or "").strip()
    if value.isascii() and value.isdigit():
        # Ten digits are more than a day; int() and timedelta have limits of their own.
        return min(timedelta(seconds=int(value.lstrip("0")[:10] or "0")), LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return timedelta(0)
    # "-0000" gives a naive time, which RFC 5322 (3.3) says is UTC.
    moment = moment.replace(tzinfo=moment.tzinfo or UTC)
    return min(max(moment - now, timedelta(0)), LONGEST_WAIT)
