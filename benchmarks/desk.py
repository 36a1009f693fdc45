"""A desk to measure: its folder of definitions, and calfeed's commands over it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

from benchmarks.machine import fetch, free_port, running, wait_for_port

_COMMAND = (sys.executable, "-m", "calfeed")
_LONGEST = 120.0


@dataclass(frozen=True)
class Spent:
    """What a command took: wall-clock seconds, and the most memory it had, in bytes."""

    seconds: float
    peak: int


@dataclass(frozen=True)
class Desk:
    """A folder of definitions with an SQLite database beside it, and a port for its feeds."""

    folder: Path
    port: int
    admin_token: str = ""

    def write(self, files: Mapping[str, str]) -> None:
        """Write definition files, by name."""
        for name, text in files.items():
            (self.folder / "events" / name).write_text(text, "utf-8")

    @property
    def database(self) -> str:
        """The database's URL."""
        return f"sqlite:///{self.folder}/calfeed.sqlite3"

    def url(self, calendar: str) -> str:
        """Where a calendar's feed is."""
        return f"http://127.0.0.1:{self.port}/calendars/{calendar}.ics"

    def publish(self) -> Spent:
        """Run `calfeed publish`. Raises RuntimeError where it fails."""
        report = self.folder / "spent.json"
        command = [sys.executable, "-m", "benchmarks.spend", str(report), *_COMMAND, "publish"]
        with running(command, self._environment) as publishing:
            if publishing.wait(_LONGEST):
                raise RuntimeError("the calendars could not be published")
        return Spent(**json.loads(report.read_bytes()))

    @contextmanager
    def web(self, processes: int, calendar: str) -> Iterator[Popen[bytes]]:
        """Run `calfeed web`, which serves this calendar's feed when the `with` block begins."""
        command = [*_COMMAND, "web", "--processes", str(processes)]
        with running(command, self._environment) as process:
            wait_for_port(self.port)
            fetch(self.url(calendar))
            yield process

    @property
    def _environment(self) -> dict[str, str]:
        environment = {
            "CALFEED_EVENTS": str(self.folder / "events"),
            "CALFEED_DATA": str(self.folder),
            "CALFEED_DATABASE_URL": self.database,
            "CALFEED_PORT": str(self.port),
        }
        return environment | ({"CALFEED_ADMIN_TOKEN": self.admin_token} if self.admin_token else {})


def set_up(folder: Path) -> Desk:
    """A new desk in a folder of its own."""
    (folder / "events").mkdir(parents=True)
    return Desk(folder, free_port())
