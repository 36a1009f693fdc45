"""The definitions folder on the disk: the only module of the room that touches it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from calfeed.definitions.defined import Definitions
from calfeed.definitions.reader import DefinitionReader
from calfeed.definitions.tree import LARGEST_FILE, read_tree
from calfeed.definitions.uids import BY_NAMES, UidScheme
from calfeed.errors import DefinitionError, Problem

_SUFFIXES = (".yaml", ".yml")


def load_definitions(
    folder: Path,
    reader: DefinitionReader | None = None,
    uids: UidScheme = BY_NAMES,
    today: date | None = None,
) -> Definitions:
    """Read the calendars of a definitions folder; none where it is empty.

    A `reader` that is given again reads only what changed; `uids` makes the UIDs of events that
    say none; examples in messages are later than `today`. Raises DefinitionError with every
    problem, and every warning, of every file.
    """
    files, problems = load_files(folder)
    try:
        defined = (reader or DefinitionReader()).read(files, uids, today)
    except DefinitionError as error:
        raise DefinitionError([*problems, *error.problems], error.warnings) from error
    if problems:
        raise DefinitionError(problems, defined.warnings)
    return defined


def load_files(folder: Path) -> tuple[dict[str, bytes], list[Problem]]:
    """The definition files of a folder, from path (`events/un.yaml`) to content, and what is wrong.

    Hidden files and folders are left out; files that cannot be read are problems. Raises
    DefinitionError where there is no folder.
    """
    files: dict[str, bytes] = {}
    problems: list[Problem] = []
    shown = folder.name or folder.resolve().name or "events"
    if not folder.is_dir():
        hint = "is not a folder" if folder.exists() else "does not exist"
        message = f"{hint}; name the folder that holds the calendars"
        raise DefinitionError([Problem(str(folder), 0, 0, "", message)])
    for name, path in _walk(folder, shown, problems):
        try:
            files[name] = _read(path)
        except OSError as error:
            problems.append(_unreadable(name, error))
    return files, problems


def find_uids(folder: Path, uids: UidScheme = BY_NAMES) -> dict[str, str]:
    """The file of each UID in a definitions folder; where it has problems, of those written out."""
    files, _ = load_files(folder)
    try:
        places = DefinitionReader().read(files, uids).places
    except DefinitionError:
        return {uid: file for file, data in files.items() for uid in _written_uids(file, data)}
    return {uid: place.file for uid, place in places.items()}


def _written_uids(file: str, data: bytes) -> Iterator[str]:
    tree = read_tree(file, data).value
    events = tree.get("events") if isinstance(tree, dict) else None
    for entry in events.values() if isinstance(events, dict) else ():
        if isinstance(entry, dict) and isinstance(uid := entry.get("uid"), str):
            yield uid.strip()


def _read(path: Path) -> bytes:
    if not path.is_file():
        raise OSError("it is not a file, or the file it links to is gone")
    with path.open("rb") as file:
        return file.read(LARGEST_FILE + 1)  # one more, which the reader refuses


def _walk(folder: Path, shown: str, problems: list[Problem]) -> Iterator[tuple[str, Path]]:
    """The definition files under a folder, by the names they are shown with, in order.

    It goes one folder deeper than calendars may be, so that the reader can refuse what is there.
    """
    try:
        paths = sorted(folder.iterdir())
    except OSError as error:
        problems.append(_unreadable(shown, error))
        return
    for path in paths:
        name = f"{shown}/{path.name}"
        if path.name.startswith("."):
            continue
        if path.is_dir():
            if shown.count("/") < 2:
                yield from _walk(path, name, problems)
        elif path.suffix.lower() in _SUFFIXES:
            yield name, path


def _unreadable(name: str, error: OSError) -> Problem:
    reason = (error.strerror or str(error)).lower()
    return Problem(name, 0, 0, "", f"cannot be read: {reason}")
