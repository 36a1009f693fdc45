"""A subscriber as there are many: vdirsyncer fetches feeds, khal shows them."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.acceptance.site import BIN
from tests.patience import PATIENCE

_KHAL = """
[calendars]
[[{name}]]
path = {folder}
[locale]
timeformat = %H:%M
dateformat = %Y-%m-%d
longdateformat = %Y-%m-%d
datetimeformat = %Y-%m-%d %H:%M
longdatetimeformat = %Y-%m-%d %H:%M
local_timezone = UTC
default_timezone = UTC
firstweekday = 0
[sqlite]
path = {folder}.khal
"""


class Subscriber:
    """vdirsyncer and khal of one person, who has given each feed a name; khal is in UTC."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self._environment = dict(environment)
        self._feeds: dict[str, str] = {}
        self._changed = False
        folder.mkdir()

    def subscribe(self, name: str, url: str) -> None:
        """Add a feed, or give one another address."""
        self._feeds[name] = url
        self._changed = True
        self._folder(name).mkdir(exist_ok=True)
        config = [f'[general]\nstatus_path = "{self.folder}/status/"']
        for each, address in self._feeds.items():
            config += [
                f'[pair {each}]\na = "{each}_web"\nb = "{each}_disk"\ncollections = null',
                f'[storage {each}_web]\ntype = "http"\nurl = "{address}"',
                f'[storage {each}_disk]\ntype = "filesystem"\nfileext = ".ics"',
                f'path = "{self._folder(each)}"',
            ]
        self.folder.joinpath("vdirsyncer").write_text("\n".join(config))
        khal = _KHAL.format(name=name, folder=self._folder(name))
        self.folder.joinpath(f"{name}.khalrc").write_text(khal)

    def sync(self) -> str:
        """Fetch every feed, and return what vdirsyncer says."""
        if self._changed:
            self._vdirsyncer("discover")
            self._changed = False
        return self._vdirsyncer("sync")

    def stored(self, name: str) -> dict[str, tuple[str, int]]:
        """The stored items of a feed: the hash and the time of change (nanoseconds) of each."""
        return {
            file.name: (hashlib.sha256(file.read_bytes()).hexdigest(), file.stat().st_mtime_ns)
            for file in self._folder(name).iterdir()
        }

    def days(self, name: str, begin: str, end: str) -> set[tuple[str, str]]:
        """What khal lists on the days from `begin` to `end`, inclusive: a day and a title each."""
        found, day = set(), ""
        for line in self._khal(name, begin, end, "{title}", day_format="# {date}"):
            if line.startswith("# "):
                day = line.removeprefix("# ")
            else:
                found.add((day, line))
        return found

    def shows(self, name: str, begin: str, end: str) -> list[str]:
        """The lines that khal shows for the days from `begin` to `end`, inclusive."""
        return self._khal(name, begin, end, "{start-date} {cancelled}{title}")

    def starts(self, name: str, begin: str, end: str) -> set[tuple[str, str]]:
        """The start and title of everything that begins from `begin` to `end`, inclusive."""
        lines = self._khal(name, begin, end, "{start}|{title}")
        pairs = [
            (start.strip(), title) for start, _, title in (line.partition("|") for line in lines)
        ]
        return {(start, title) for start, title in pairs if begin <= start[:10] <= end}

    def _khal(
        self, name: str, begin: str, end: str, form: str, *, day_format: str = ""
    ) -> list[str]:
        config = str(self.folder / f"{name}.khalrc")
        words = ("-c", config, "list", "--day-format", day_format, "--format", form, begin, end)
        return [line for line in self._run("khal", *words).splitlines() if line]

    def _vdirsyncer(self, word: str) -> str:
        return self._run("vdirsyncer", "-vINFO", "-c", str(self.folder / "vdirsyncer"), word)

    def _folder(self, name: str) -> Path:
        return self.folder / name

    def _run(self, *words: str) -> str:
        done = subprocess.run(
            [BIN / words[0], *words[1:]],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr
