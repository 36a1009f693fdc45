"""Releases of the time zone database, one after the other, as processes know them that start."""

from __future__ import annotations

import sys
import zoneinfo
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import _lru_cache_wrapper
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

_KNOW_ZONES = ("calfeed.definitions.", "calfeed.ical.", "calfeed.reminders.")
"""The rooms that work out local times. The others are given them."""


def forget() -> None:
    """As in a new process: nothing is remembered of what the rules were."""
    zoneinfo.ZoneInfo.clear_cache()
    for name, module in list(sys.modules.items()):
        if name.startswith(_KNOW_ZONES):
            for each in list(vars(module).values()):
                if isinstance(each, _lru_cache_wrapper):
                    each.cache_clear()


def put_rules(folder: Path, zone: str, other: str) -> None:
    """Write a file by which a zone has the rules of another one."""
    path = folder.joinpath(*zone.split("/"))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(files("tzdata").joinpath("zoneinfo", *other.split("/")).read_bytes())


@dataclass(frozen=True)
class Releases:
    """A folder for each release but the first, which is that of the package."""

    folders: Sequence[Path]

    def install(self, number: int) -> None:
        """Let this release hold from now on, for a process that begins now."""
        zoneinfo.reset_tzpath([self.folders[number - 1]] if number else [])
        forget()


@contextmanager
def releases(zones: Sequence[str], steps: Sequence[int]) -> Iterator[Releases]:
    """Make releases in which each zone has the rules of the one so many steps behind it."""
    former = zoneinfo.TZPATH
    with TemporaryDirectory() as name:
        folders = [Path(name) / str(step) for step in steps]
        for folder, step in zip(folders, steps, strict=True):
            for index, zone in enumerate(zones):
                put_rules(folder, zone, zones[(index + step) % len(zones)])
        try:
            yield Releases(folders)
        finally:
            zoneinfo.reset_tzpath(former)
            forget()
