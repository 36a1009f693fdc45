"""The time by which calfeed decides, while the machine's clock jumps about."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calfeed.clock import CONFIRM_AFTER, MAX_CORRECTION, MAX_DOWNTIME, SteadyClock

NOW = datetime(2026, 11, 28, 22, 0, tzinfo=UTC)
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
JUMPS = {
    "a year ahead": 365 * DAY,
    "a year back": -365 * DAY,
    "a day back": -DAY,
    "an hour ahead": HOUR,
    "an hour back": -HOUR,
}


class Machine:
    """A machine whose clock is `wrong` by so much; `now` is the time that it ought to show."""

    def __init__(self, last: datetime | None = None, wrong: timedelta = timedelta(0)) -> None:
        self.now = NOW
        self.wrong = wrong
        self.clock = SteadyClock(
            last, lambda: self.now + self.wrong, lambda: (self.now - NOW).total_seconds() + 7
        )

    def run(self, span: timedelta) -> None:
        """Let time go by, in which the clock is read each second."""
        while span > timedelta(0):
            step = min(span, SECOND)
            self.now += step
            span -= step
            self.clock()


jumps = pytest.mark.parametrize("jump", JUMPS.values(), ids=JUMPS)


@jumps
def test_a_jump_that_is_put_right_is_never_believed(jump: timedelta) -> None:
    machine = Machine()
    machine.wrong = jump
    for _ in range(100):
        machine.run(SECOND)
        assert machine.clock() == machine.now
    machine.wrong = timedelta(0)
    machine.run(SECOND)
    assert machine.clock() == machine.now


@jumps
def test_a_jump_that_stays_is_believed_after_a_while(jump: timedelta) -> None:
    machine = Machine()
    machine.wrong = jump
    machine.run(SECOND)
    machine.run(CONFIRM_AFTER - SECOND)
    assert machine.clock() == machine.now
    machine.run(SECOND)
    assert machine.clock() == machine.now + jump


def test_a_small_correction_is_believed_at_once() -> None:
    machine = Machine()
    machine.wrong = MAX_CORRECTION
    assert machine.clock() == NOW + MAX_CORRECTION


def test_after_a_sleep_the_time_goes_on_at_once() -> None:
    """A clock that goes on in a sleep agrees with the machine's clock."""
    machine = Machine()
    machine.now += 8 * HOUR
    assert machine.clock() == machine.now


def test_a_jump_is_reported_once(caplog: pytest.LogCaptureFixture) -> None:
    machine = Machine()
    machine.wrong = HOUR
    with caplog.at_level(logging.WARNING):
        machine.run(10 * SECOND)
    (line,) = caplog.messages
    assert line.startswith("the system clock jumped by +3600 seconds")


@pytest.mark.parametrize("last", [None, NOW, NOW - MAX_DOWNTIME, NOW + DAY])
def test_a_clock_that_fits_the_last_known_time_is_certain_from_the_start(
    last: datetime | None,
) -> None:
    """So is one that lies behind it: what was noted last was wrong then."""
    machine = Machine(last)
    assert machine.clock.certain
    assert machine.clock() == NOW


def test_a_clock_far_ahead_at_the_start_is_certain_after_a_while() -> None:
    machine = Machine(NOW - MAX_DOWNTIME - DAY)
    machine.run(CONFIRM_AFTER - SECOND)
    assert not machine.clock.certain
    machine.run(SECOND)
    assert machine.clock.certain
    assert machine.clock() == machine.now


def test_a_clock_that_is_put_back_after_the_start_is_certain_at_once() -> None:
    """As after a boot, before NTP has set the clock."""
    machine = Machine(NOW, wrong=365 * DAY)
    machine.run(10 * SECOND)
    assert not machine.clock.certain
    machine.wrong = timedelta(0)
    assert machine.clock.certain
    assert machine.clock() == machine.now


spans = st.integers(1, 110).map(lambda seconds: timedelta(seconds=seconds))


@given(st.lists(st.tuples(spans, st.sampled_from([*JUMPS.values()]), spans), max_size=8))
def test_no_row_of_short_jumps_is_believed(
    history: list[tuple[timedelta, timedelta, timedelta]],
) -> None:
    machine = Machine()
    for wrong_for, jump, right_for in history:
        machine.wrong = jump
        machine.run(wrong_for)
        assert machine.clock() == machine.now
        machine.wrong = timedelta(0)
        machine.run(right_for)
        assert machine.clock() == machine.now
