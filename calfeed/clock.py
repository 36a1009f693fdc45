"""The time by which calfeed decides: the machine's clock, while it agrees with itself.

What is decided by a wrong time cannot always be undone: a reminder is missed, a delivery expires,
an endpoint is disabled. So when the machine's clock jumps, the time goes on from where it was, at
the pace of a clock that nobody sets, until the machine's clock has kept its new time for a while.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

_log = logging.getLogger(__name__)

PATIENCE = timedelta(minutes=2)
"""How long a clock that jumped has to keep its new time until that is believed."""

STEP = timedelta(seconds=1)
"""A smaller correction is believed at once; a clock that NTP disciplines makes those only."""

REST = timedelta(days=7)
"""How long after the last recorded time the machine's clock is believed at the start.

Longer than calfeed is usually stopped. What a smaller error decides wrongly is planned again."""


def read_wall() -> datetime:
    """The time that the machine's clock shows, in UTC."""
    return datetime.now(UTC)


def read_elapsed() -> float:
    """Seconds on a clock that nobody sets, and that goes on while the machine sleeps."""
    # Only Linux has it. Elsewhere, the end of a sleep looks like a clock that was set.
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class SteadyClock:
    """The time in UTC, called from any thread; jumps of the machine's clock are waited out.

    `last` is the newest time (UTC) that is known to have been right, from a time before this
    process. If the machine's clock is far ahead of it, the machine was off for long or its clock
    is wrong; which of them is known once `certain`, after `PATIENCE` or when the clock is put back.
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
        self._latest = None if last is None else last + REST - began
        # What is added to the elapsed time: as believed, and as the machine's clock has it now.
        self._offset: datetime | None = None
        self._claimed = wall() - began
        self._since = began
        self()

    def __call__(self) -> datetime:
        """The time. Where it is not certain, what the machine's clock shows."""
        with self._lock:
            elapsed, wall = timedelta(seconds=self._elapsed()), self._wall()
            offset = wall - elapsed
            if self._is_plausible(offset):
                self._offset = self._claimed = offset
                return wall
            if abs(offset - self._claimed) > STEP:
                self._since = elapsed
                if self._offset is not None:
                    _log.warning(
                        "the machine's clock was set by %+.0f seconds; this is believed once it "
                        "has stood for %.0f seconds",
                        (offset - self._offset).total_seconds(),
                        PATIENCE.total_seconds(),
                    )
            self._claimed = offset
            if elapsed - self._since >= PATIENCE:
                self._offset = offset
            return (offset if self._offset is None else self._offset) + elapsed

    @property
    def certain(self) -> bool:
        """Whether there is a time to decide by."""
        self()
        return self._offset is not None

    def _is_plausible(self, offset: datetime) -> bool:
        if self._offset is None:
            return self._latest is None or offset <= self._latest
        return abs(offset - self._offset) <= STEP
