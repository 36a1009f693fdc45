"""The definitions folder on the disk: the only module of the room that touches it."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

from calfeed.definitions.code_digest import describe_reader
from calfeed.definitions.reader import DefinitionReader, read_definitions
from calfeed.definitions.result import Definitions
from calfeed.definitions.tree import LARGEST_FILE, read_tree
from calfeed.errors import DefinitionError, Problem, UnreadableError
from calfeed.model.uids import BY_NAMES, UidScheme

_SUFFIXES = (".yaml", ".yml")

_NO_FILE = (
    "cannot be read: it is not a file, or the file it links to is gone; remove it, or put the file "
    "in its place"
)
_REMEDIES = {
    errno.EACCES: "give the user that runs calfeed the right to read it",
    errno.EPERM: "give the user that runs calfeed the right to read it",
    errno.ENOENT: "it was removed meanwhile; try again",
    errno.EIO: "look at the disk or the network share that it is on",
    errno.ESTALE: "look at the network share that it is on",
}


class Entry(NamedTuple):
    """A definition file that was found, or what keeps one from being read (`problem`).

    `name` is what it is called in problems (`events/un.yaml`), `path` the file itself where it is
    reached by a link. `state` differs whenever the content may differ: device, inode, size, and
    the times of the last change of content and of rights (ns).
    """

    name: str
    path: str
    state: tuple[int, ...] = ()
    problem: str = ""


def load_definitions(
    folder: Path,
    reader: DefinitionReader | None = None,
    uids: UidScheme = BY_NAMES,
    today: date | None = None,
) -> Definitions:
    """Read the calendars of a definitions folder; none where it is empty.

    A `reader` that is given again reads only what changed; `uids` makes the UIDs of events that
    say none; examples in messages are later than `today`. Raises DefinitionError with every
    problem, and every warning, of every file; it is an UnreadableError if some files cannot be
    read.
    """
    files, problems = load_files(folder)
    try:
        defined = (reader or DefinitionReader(describe_reader())).read(files, uids, today)
    except DefinitionError as error:
        if not problems:
            raise
        raise UnreadableError([*problems, *error.problems], error.warnings) from error
    if problems:
        raise UnreadableError(problems, defined.warnings)
    return defined


def load_files(folder: Path) -> tuple[dict[str, bytes], list[Problem]]:
    """The definition files of a folder, from path (`events/un.yaml`) to content, and what is wrong.

    Hidden files and folders are left out; what cannot be read is a problem.
    """
    files: dict[str, bytes] = {}
    problems: list[Problem] = []
    for entry in find_files(folder):
        problem = entry.problem
        if not problem:
            try:
                files[entry.name] = _read(entry.path)
            except OSError as error:
                problem = _explain(error)
        if problem:
            problems.append(Problem(entry.name, 0, 0, "", problem))
    return files, problems


def find_uids(folder: Path, uids: UidScheme = BY_NAMES) -> dict[str, str]:
    """The file of each UID in a definitions folder; where it has problems, of those written out."""
    files, _ = load_files(folder)
    try:
        places = read_definitions(files, uids).places
    except DefinitionError:
        return {uid: file for file, data in files.items() for uid in _written_uids(file, data)}
    return {uid: place.file for uid, place in places.items()}


def _written_uids(file: str, data: bytes) -> Iterator[str]:
    tree = read_tree(file, data).value
    events = tree.get("events") if isinstance(tree, dict) else None
    for entry in events.values() if isinstance(events, dict) else ():
        if isinstance(entry, dict) and isinstance(uid := entry.get("uid"), str):
            yield uid.strip()


def find_files(folder: Path) -> tuple[Entry, ...]:
    """The definition files of a folder in order, as they are now, without reading them."""
    shown = folder.name or folder.resolve().name or "events"
    try:
        root = os.path.realpath(folder, strict=True)
        if not Path(root).is_dir():
            raise NotADirectoryError
    except OSError as error:
        reasons = {errno.ENOENT: "does not exist", errno.EACCES: _explain(error)}
        reason = reasons.get(error.errno or 0, "is not a folder")
        message = f"{reason}; name the folder that holds the calendars"
        return (Entry(str(folder), str(folder), problem=message),)
    entries: list[Entry] = []
    _walk(str(folder), shown, root, entries)
    return tuple(entries)


def is_definition(path: str) -> bool:
    """Whether a file is one of definitions, by its name."""
    name = path.rpartition("/")[2]
    return not name.startswith(".") and name.lower().endswith(_SUFFIXES)


def _walk(folder: str, shown: str, root: str, entries: list[Entry]) -> None:
    """Add the definition files under a folder, `root` being the definitions folder itself.

    It goes one folder deeper than calendars may be, so that the reader can refuse what is there.
    """
    try:
        with os.scandir(folder) as scanned:
            found = sorted(scanned, key=lambda one: one.name)
        for one in found:
            if one.is_symlink():
                _follow(one, shown, root, entries)
            elif not one.is_dir():
                if is_definition(one.name):
                    entries.append(_enter(one, shown, one.path, one.stat()))
            elif _may_be_entered(one, shown):
                _walk(one.path, f"{shown}/{_show(one.name)}", root, entries)
    except OSError as error:
        entries.append(Entry(shown, folder, problem=_explain(error)))


def _may_be_entered(found: os.DirEntry[str], shown: str) -> bool:
    return not found.name.startswith(".") and shown.count("/") < 2


def _follow(found: os.DirEntry[str], shown: str, root: str, entries: list[Entry]) -> None:
    """Add what a link leads to, which has to be in the definitions folder as well."""
    path = os.path.realpath(found.path)
    name = f"{shown}/{_show(found.name)}"
    try:
        status = found.stat()
    except OSError:
        # One without a suffix may have led to a calendar's folder.
        if is_definition(found.name) or "." not in found.name:
            entries.append(Entry(name, path, problem=_NO_FILE))
        return
    folder = stat.S_ISDIR(status.st_mode)
    if not (_may_be_entered(found, shown) if folder else is_definition(found.name)):
        return
    if os.path.commonpath([root, path]) != root:
        problem = (
            f"is a link that leads out of {shown.partition('/')[0]}/; put what it leads to there"
        )
        entries.append(Entry(name, path, problem=problem))
    elif folder:
        _walk(found.path, name, root, entries)
    else:
        entries.append(_enter(found, shown, path, status))


def _enter(found: os.DirEntry[str], shown: str, path: str, status: os.stat_result) -> Entry:
    problem = ""
    if not stat.S_ISREG(status.st_mode):
        problem = _NO_FILE
    elif not _can_be_shown(found.name):
        problem = "its name is not UTF-8, or has control characters; rename it"
    state = (
        status.st_dev,
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )
    return Entry(f"{shown}/{_show(found.name)}", path, state, problem)


def _show(name: str) -> str:
    return name if _can_be_shown(name) else ascii(os.fsencode(name))[2:-1]


def _can_be_shown(name: str) -> bool:
    """Whether a name is UTF-8 and does not command a terminal."""
    return name.isprintable() or not any(
        one < " " or "\x7f" <= one < "\xa0" or "\ud800" <= one <= "\udfff" for one in name
    )


def _read(path: str) -> bytes:
    """Read a file, which may have become something else since it was found.

    It is not followed if it is a link now, and not waited for if it is a pipe.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError("it is no longer a file")
        return file.read(LARGEST_FILE + 1)  # one more, which the reader refuses


def _explain(error: OSError) -> str:
    reason = (error.strerror or str(error)).lower()
    remedy = _REMEDIES.get(error.errno or 0)
    return f"cannot be read: {reason}" + (f"; {remedy}" if remedy else "")
