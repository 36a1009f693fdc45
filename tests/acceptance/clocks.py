"""Processes whose clock a test sets, by libfaketime."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest


def find_library() -> Path:
    """The library that sets a process's clock; without it, a skip, or a failure under CI."""
    found = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
    if found is None:
        if os.environ.get("CI"):
            raise FileNotFoundError("libfaketime, from Debian's package faketime")
        pytest.skip("there is no libfaketime")
    return found


class Clock:
    """The clock of processes with this `environment`: what is in a file is added to it."""

    def __init__(self, library: Path, folder: Path) -> None:
        self._file = folder / "faketime"
        self.set(timedelta(0))
        self.environment = {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def set(self, wrong: timedelta) -> None:
        # Written beside it: it is read at any moment.
        new = self._file.with_suffix(".new")
        new.write_text(f"{int(wrong.total_seconds()):+d}\n")
        new.rename(self._file)
