"""What a move takes when 10,000 of 20,000 dates are counted from others, beside literal dates."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median

from calfeed.definitions.reader import DefinitionReader
from calfeed.publish.apply import publish
from calfeed.store.database import Database
from calfeed.store.migrate import migrate

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
    """Move one cause and what hangs on it; processor seconds by kind, medians of the rounds."""
    kinds: dict[str, _Write] = {
        LITERAL: lambda _, day: f"{day + _OFFSET}",
        COUNTED: lambda number, _: f"14 days after cause-{number}",
        WORKING: lambda number, _: (
            f"{'3 working days' if number % 2 else '14 days'} after cause-{number}"
        ),
    }
    with tempfile.TemporaryDirectory(prefix="calfeed-bench-") as folder:
        desks = {kind: _Desk(Path(folder) / str(number)) for number, kind in enumerate(kinds)}
        spent: dict[str, list[float]] = {kind: [] for kind in kinds}
        for number in range(rounds + 1):
            for kind, write in kinds.items():
                day = _FIRST + timedelta(days=7 * number)
                seconds = desks[kind].publish(_make_calendar(day, write))
                if number:  # the first publish adds everything
                    spent[kind].append(seconds)
        for desk in desks.values():
            desk.close()
    return {kind: median(times) for kind, times in spent.items()}


class _Desk:
    """A database, and a reader that reads the calendar anew each time."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._database = Database(f"sqlite:///{folder}/calfeed.sqlite3")
        migrate(self._database)

    def publish(self, calendar: str) -> float:
        """Read and publish the calendar; the processor seconds that it took."""
        began = time.process_time()
        defined = DefinitionReader(code="").read({"events/desk.yaml": calendar.encode()})
        publish(self._database, defined, datetime.now(UTC), "http://127.0.0.1")
        return time.process_time() - began

    def close(self) -> None:
        self._database.close()


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
