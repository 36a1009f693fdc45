"""What a move takes when 10,000 of 20,000 dates are counted from others, beside literal dates."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from statistics import median

from benchmarks.desk import set_up

CAUSES = 10_000
ROUNDS = 5
_FIRST = date(2030, 1, 1)
_DAYS = 700  # that the causes are spread over
_OFFSET = timedelta(days=14)

LITERAL = "all dates are written out"
COUNTED = "10,000 are counted from the others"
WORKING = "half of these in working days"

_Write = Callable[[int, date], str]


def measure(rounds: int = ROUNDS) -> dict[str, float]:
    """Move one cause and the date that follows it; seconds of `calfeed publish` by kind.

    The kinds take turns, and the median of the rounds is returned.
    """
    kinds: dict[str, _Write] = {
        LITERAL: lambda _, day: f"{day + _OFFSET}",
        COUNTED: lambda number, _: f"14 days after cause-{number}",
        WORKING: lambda number, _: (
            f"{'3 working days' if number % 2 else '14 days'} after cause-{number}"
        ),
    }
    spent: dict[str, list[float]] = {kind: [] for kind in kinds}
    with tempfile.TemporaryDirectory(prefix="calfeed-bench-") as folder:
        desks = {kind: set_up(Path(folder) / str(number)) for number, kind in enumerate(kinds)}
        for number in range(rounds + 1):
            for kind, write in kinds.items():
                day = _FIRST + timedelta(days=7 * number)
                desks[kind].write({"desk.yaml": _make_calendar(day, write)})
                seconds = desks[kind].publish().seconds
                if number:  # the first publish adds everything
                    spent[kind].append(seconds)
    return {kind: median(times) for kind, times in spent.items()}


def _make_calendar(moved: date, write: _Write) -> str:
    """A calendar of causes and dependents, in which the first cause is on the day `moved`."""
    lines = ["name: Desk", "time_zone: Asia/Karachi", "working_days: {holidays: [PK]}", "events:"]
    for number in range(CAUSES):
        day = moved if number == 0 else _FIRST + timedelta(days=number % _DAYS)
        lines.append(f"  cause-{number}: {{summary: Cause {number}, start: {day}}}")
        lines.append(
            f"  dependent-{number}: {{summary: Dependent {number}, start: {write(number, day)}}}"
        )
    return "\n".join(lines) + "\n"
