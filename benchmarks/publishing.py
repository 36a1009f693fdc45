"""What publishing 20,000 events takes, at first and when one of them changes, and the memory."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from subprocess import Popen

from benchmarks.desk import Desk, set_up
from benchmarks.machine import fetch
from calfeed.definitions.code_digest import reader_version
from calfeed.definitions.files import load_definitions
from calfeed.definitions.reader import DefinitionReader
from calfeed.publish.apply import publish
from calfeed.store.database import Database
from calfeed.store.migrate import migrate

CALENDARS = 20
EVENTS = 20_000
ROUNDS = 5
_DAYS = 900  # that the events are spread over, half of them behind us
_LONGEST = 10.0

WAYS = ("`calfeed publish`", "`calfeed serve`, at a save", "without reading")
"""How it is published: by a new process, by one that knows what it read, nothing read."""


@dataclass(frozen=True)
class Figures:
    """What was measured: seconds by way, and bytes of memory.

    A web process's memory is what it holds alone and its share of the rest (PSS).
    """

    first: Mapping[str, float]
    changed: Mapping[str, float]
    first_peak: int
    changed_peak: int
    web: int
    web_peak: int


def measure(rounds: int = ROUNDS) -> Figures:
    """Publish, change one event, publish again; the latter as medians of interleaved rounds."""
    with tempfile.TemporaryDirectory(prefix="calfeed-bench-") as name:
        by_command, by_call = set_up(Path(name) / "command"), set_up(Path(name) / "call")
        for desk in (by_command, by_call):
            desk.write(_make_files())
        process = _Process(by_call)
        first = by_command.publish()
        times = [(first.seconds, *process.publish(expected=EVENTS))]
        peaks = [first.peak]
        _say(times[0])
        for number in range(rounds):
            for desk in (by_command, by_call):
                _change(desk, number)
            spent = by_command.publish()
            times.append((spent.seconds, *process.publish(expected=1)))
            peaks.append(spent.peak)
            _say(times[-1])
        process.close()
        web, web_peak = _measure_web(by_command)
    return Figures(
        first=dict(zip(WAYS, times[0], strict=True)),
        changed=dict(zip(WAYS, map(median, zip(*times[1:], strict=True)), strict=True)),
        first_peak=peaks[0],
        changed_peak=max(peaks[1:]),
        web=web,
        web_peak=web_peak,
    )


class _Process:
    """This process, publishing as `calfeed serve` does: with a reader that knows what it read."""

    def __init__(self, desk: Desk) -> None:
        self._events = desk.folder / "events"
        self._database = Database(desk.database)
        migrate(self._database)
        self._reader = DefinitionReader(reader_version())

    def publish(self, expected: int) -> tuple[float, float]:
        """Read and publish; the seconds of both, and those of publishing alone."""
        began = time.perf_counter()
        defined = load_definitions(self._events, self._reader)
        read = time.perf_counter()
        plan = publish(self._database, defined, datetime.now(UTC), "http://127.0.0.1")
        ended = time.perf_counter()
        if len(plan.changes) != expected:
            raise RuntimeError(f"{len(plan.changes)} events were published, not {expected}")
        return ended - began, ended - read

    def close(self) -> None:
        self._database.close()


def _measure_web(desk: Desk) -> tuple[int, int]:
    """The memory of a web process with all events, and its peak once it has seen a change."""
    with desk.web(1, "calendar-0") as server:
        pid = _find_process(server)
        held = _read_memory(pid, "smaps_rollup", "Pss")
        feed = f"http://127.0.0.1:{desk.port}/calendars/calendar-3.ics"
        before, _ = fetch(feed)
        _change(desk, EVENTS // CALENDARS - 1)
        desk.publish()
        deadline = time.monotonic() + _LONGEST
        while fetch(feed)[0] == before:
            if time.monotonic() > deadline:
                raise TimeoutError("the web process did not notice the publish")
            time.sleep(0.1)
        return held, _read_memory(pid, "status", "VmHWM")


def _make_files() -> dict[str, str]:
    first = datetime.now(UTC).date() - timedelta(days=_DAYS // 2)
    files = {}
    for calendar in range(CALENDARS):
        lines = [f"name: Calendar {calendar}", "time_zone: Asia/Karachi"]
        lines += ["reminders: [1 week, 1 day]", "events:"]
        for number in range(EVENTS // CALENDARS):
            day = first + timedelta(days=(number * 7 + calendar) % _DAYS)
            lines += [
                f"  event-{number}:",
                f"    summary: Event {number} of calendar {calendar}",
                f"    start: {day}",
                "    description: Some words about it that are neither long nor short.",
                f"    categories: [kind-{number % 5}]",
            ]
        files[f"calendar-{calendar}.yaml"] = "\n".join(lines) + "\n"
    return files


def _change(desk: Desk, number: int) -> None:
    """Give one event another title."""
    path = desk.folder / "events" / "calendar-3.yaml"
    title = f"summary: Event {number} of calendar 3"
    text = path.read_text("utf-8")
    path.write_text(text.replace(f"{title}\n", f"{title}, changed\n"), "utf-8")


def _find_process(server: Popen[bytes]) -> int:
    """The process that serves: of those that the server started, the one with most memory."""
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    return max(map(int, children), key=lambda pid: _read_memory(pid, "status", "VmRSS"))


def _read_memory(pid: int, file: str, name: str) -> int:
    """A figure of /proc about a process's memory, in bytes."""
    for line in Path(f"/proc/{pid}/{file}").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"/proc says no {name}")


def _say(times: tuple[float, ...]) -> None:
    shown = zip(WAYS, times, strict=True)
    print("  " + ", ".join(f"{way}: {seconds:.2f} s" for way, seconds in shown), file=sys.stderr)
