"""Make a folder of calendars to start with, and never overwrite a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from calfeed.definitions.calendar_readings import is_calendar_file
from calfeed.definitions.files import find_files
from calfeed.errors import CalfeedError, DefinitionError, Problem
from calfeed.services.starting.starter import EVENTS, describes_calendar

_IGNORED = ".gitignore"


@dataclass(frozen=True)
class Started:
    """The files that were written, and those that existed and are unchanged (paths in the folder).

    If the folder had calendars, `had_calendars` is true, and no calendar was added. `unignored` are
    the lines that `init` would have written to `.gitignore`, and that the existing file lacks.
    """

    written: tuple[str, ...]
    existing: tuple[str, ...]
    had_calendars: bool
    unignored: tuple[str, ...]


def start_folder(folder: Path, texts: Mapping[str, str]) -> Started:
    """Write the files of `make_starter` to a folder, which is made if it does not exist.

    Raises CalfeedError if a file cannot be written.
    """
    had_calendars = has_calendars(folder / EVENTS)
    written, existing = [], []
    unignored: tuple[str, ...] = ()
    for path, text in texts.items():
        if had_calendars and describes_calendar(path):
            continue
        if _write_new(folder / path, text):
            written.append(path)
            continue
        existing.append(path)
        if path == _IGNORED:
            unignored = _find_missing_lines(folder / path, text)
    return Started(tuple(written), tuple(existing), had_calendars, unignored)


def has_calendars(events: Path) -> bool:
    """Return whether a folder has files of calendars, valid or not; true if it cannot be listed."""
    try:
        if not events.exists():
            return False
    except OSError:
        return True
    return any(is_calendar_file(entry.name) for entry in find_files(events))


def require_calendars(events: Path) -> None:
    """Raise DefinitionError, with what to do, if a folder is missing or has no calendar."""
    if not has_calendars(events):
        message = (
            f"{'has no calendar' if events.exists() else 'does not exist'}; "
            "`calfeed init` makes a folder to start with, or set CALFEED_EVENTS to your folder"
        )
        raise DefinitionError([Problem(str(events), 0, 0, "", message)])


def _write_new(file: Path, text: str) -> bool:
    """Write a file as a whole or not at all. If it exists, change nothing and return False."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        stream = file.open("x", encoding="utf-8", newline="\n")
        try:
            with stream:
                stream.write(text)
        except BaseException:
            file.unlink()  # the next call would leave it as it is, like a file of the operator
            raise
    except FileExistsError:
        if file.parent.is_dir():
            return False
        raise CalfeedError(f"{file.parent} is a file; name another folder") from None
    except OSError as error:
        raise CalfeedError(f"{file} cannot be written: {error.strerror}") from error
    return True


def _find_missing_lines(file: Path, text: str) -> tuple[str, ...]:
    """Return the lines of a text, other than comments, that a file does not have."""
    try:
        present = set(file.read_text("utf-8", "replace").splitlines())
    except OSError:
        return ()
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    return tuple(line for line in lines if line not in present)
