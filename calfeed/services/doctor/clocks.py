"""Whether this machine's clock agrees with the database's, and whether a worker is running."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from calfeed.clock import MAX_DOWNTIME
from calfeed.counting import count
from calfeed.services.doctor.findings import Finding, ok, problem, warning
from calfeed.store.outbox.clock_skew import MAX_CLOCK_SKEW
from calfeed.store.reports.database_condition import Condition
from calfeed.store.watching.heartbeats import ProcessKind

_CLOCK, _WORKER = "clock", "worker"

_OVERDUE = timedelta(minutes=2)
"""If something has been due for longer than this, it is a problem.

A running worker sends what is due within seconds.
"""


def check_clocks(condition: Condition | None, now: datetime) -> Iterator[Finding]:
    """Judge the clock and the workers by what the database has recorded."""
    if condition is not None and condition.is_current:
        yield judge_clock(condition, now)
        yield judge_worker(condition, now)
        yield from judge_silent(condition, now)


def judge_clock(condition: Condition, now: datetime) -> Finding:
    """Judge the time of this machine, `now` (UTC)."""
    skew = timedelta() if condition.clock is None else now - condition.clock
    if abs(skew) > MAX_CLOCK_SKEW:
        return problem(
            _CLOCK,
            f"this machine's clock is {skew.total_seconds():+.0f} seconds off the database's",
            "synchronize both by NTP",
        )
    last = condition.last_worker
    if last is not None and last - now > MAX_CLOCK_SKEW:
        return problem(
            _CLOCK,
            f"it says {now:%Y-%m-%d %H:%M} UTC, but a worker recorded {last:%Y-%m-%d %H:%M} before",
            "correct the clock, then run `calfeed replan`",
        )
    if last is not None and now - last > MAX_DOWNTIME:
        return warning(
            _CLOCK,
            f"it says {now:%Y-%m-%d %H:%M} UTC, more than a week after the last worker",
            "check that it is right; a worker waits two minutes before it trusts it",
        )
    compared = "it agrees with the database's" if condition.clock else "no recorded time is later"
    return ok(_CLOCK, f"{now:%Y-%m-%d %H:%M} UTC; {compared}")


def judge_worker(condition: Condition, now: datetime) -> Finding:
    """Judge whether a worker is running, by what is overdue and by the heartbeats of workers."""
    start = "start `calfeed serve` or `calfeed worker`, and look at its log"
    workers = [one for one in condition.heartbeats if one.kind is ProcessKind.WORKER]
    alive = [one for one in workers if one.is_alive(now)]
    if condition.due is not None and now - condition.due > _OVERDUE:
        due = f"what was due at {condition.due:%Y-%m-%d %H:%M} UTC is not sent"
        return problem(_WORKER, f"{due}; {count(len(alive), 'worker')} running", start)
    if alive:
        where = ", ".join(sorted({f"{one.host} ({one.pid})" for one in alive}))
        return ok(_WORKER, f"{count(len(alive), 'worker')} running on {where}; nothing is overdue")
    last = max(
        filter(None, (condition.last_worker, *(one.beaten for one in workers))), default=None
    )
    if last is None:
        return warning(_WORKER, "none has run yet", start)
    return warning(
        _WORKER, f"none has run since {last:%Y-%m-%d %H:%M} UTC; nothing is overdue", start
    )


def judge_silent(condition: Condition, now: datetime) -> Iterator[Finding]:
    """Warn of workers without a recent heartbeat, which hang or were killed, while others run.

    A worker that ends normally removes its heartbeat.
    """
    workers = [one for one in condition.heartbeats if one.kind is ProcessKind.WORKER]
    silent = [one for one in workers if not one.is_alive(now)]
    if silent and len(silent) < len(workers):
        last = max(silent, key=lambda one: one.beaten)
        yield warning(
            _WORKER,
            f"{count(len(silent), 'other worker')} silent, the last on {last.host} ({last.pid}) "
            f"since {last.beaten:%Y-%m-%d %H:%M} UTC",
            "it was killed, or it hangs: look at its log",
        )
