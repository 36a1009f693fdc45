"""A clock that is safe against jumps of the system clock.

A decision made at a wrong time cannot always be undone: a reminder is missed, a delivery expires,
an endpoint is disabled. When the system clock jumps, calfeed therefore continues from the previous
time with the monotonic clock, until the system clock has been consistent for `CONFIRM_AFTER`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

_log = logging.getLogger(__name__)

CONFIRM_AFTER = timedelta(minutes=2)
"""How long the system clock must stay consistent after a jump before it is trusted again."""

MAX_CORRECTION = timedelta(seconds=1)
"""Smaller corrections are trusted at once; NTP makes no larger ones once it is in sync."""

MAX_DOWNTIME = timedelta(days=7)
"""At startup, the system clock is trusted if it is at most this far after the last recorded time.

It is longer than usual downtimes. If the clock is wrong by less, reminders and deliveries that were
given up by mistake are planned again."""


def read_wall() -> datetime:
    """Return the system time in UTC."""
    return datetime.now(UTC)


def read_elapsed() -> float:
    """Return the seconds of a monotonic clock that includes time asleep."""
    # Only Linux has CLOCK_BOOTTIME. Elsewhere, waking from sleep looks like a clock change.
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class SteadyClock:
    """A thread-safe clock (UTC) that ignores jumps of the system clock until they are confirmed.

    `last` is the newest time (UTC) that an earlier process recorded. If the system clock is far
    ahead of it, either the machine was off for long or its clock is wrong. `certain` is then False
    until the system clock has been consistent for `CONFIRM_AFTER`, or is set back.
    """

    def __init__(
        self,
        last: datetime | None = None,
        wall: Callable[[], datetime] = read_wall,
        elapsed: Callable[[], float] = read_elapsed,
    ) -> None:
        self._wall = wall
        self._elapsed = elapsed
        self._lock = threading.Lock()
        began = timedelta(seconds=elapsed())
        self._latest = None if last is None else last + MAX_DOWNTIME - began
        # Offsets from elapsed to wall time: the trusted one, and the system clock's current one.
        self._offset: datetime | None = None
        self._current = wall() - began
        self._since = began
        self()

    def __call__(self) -> datetime:
        """Return the current time (UTC), which is the system time while it is not `certain`."""
        with self._lock:
            elapsed, wall = timedelta(seconds=self._elapsed()), self._wall()
            offset = wall - elapsed
            if self._is_plausible(offset):
                self._offset = self._current = offset
                return wall
            if abs(offset - self._current) > MAX_CORRECTION:
                self._since = elapsed
                if self._offset is not None:
                    _log.warning(
                        "the system clock jumped by %+.0f seconds; the new time takes effect once "
                        "it has been stable for %.0f seconds",
                        (offset - self._offset).total_seconds(),
                        CONFIRM_AFTER.total_seconds(),
                    )
            self._current = offset
            if elapsed - self._since >= CONFIRM_AFTER:
                self._offset = offset
            return (offset if self._offset is None else self._offset) + elapsed

    @property
    def certain(self) -> bool:
        """Whether the time is reliable enough for decisions."""
        self()
        return self._offset is not None

    def _is_plausible(self, offset: datetime) -> bool:
        if self._offset is None:
            return self._latest is None or offset <= self._latest
        return abs(offset - self._offset) <= MAX_CORRECTION
