"""Find and read the files of a definitions folder."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

from calfeed.definitions.code_digest import reader_version
from calfeed.definitions.reader import DefinitionReader, read_definitions
from calfeed.definitions.result import Definitions
from calfeed.definitions.site.files import SUFFIXES_OF_MATERIAL, is_site_material
from calfeed.definitions.tree import MAX_FILE_BYTES, read_tree
from calfeed.errors import DefinitionError, Problem, UnreadableError
from calfeed.model.uids import NAME_BASED_UIDS, UidScheme

_SUFFIXES = (".yaml", ".yml")

_NO_FILE = "cannot be read: it is not a file, or a broken link; remove it or replace it with a file"
_REMEDIES = {
    errno.EACCES: "give the user that runs calfeed the right to read it",
    errno.EPERM: "give the user that runs calfeed the right to read it",
    errno.ENOENT: "it was removed in the meantime; try again",
    errno.EIO: "check the disk or the network share",
    errno.ESTALE: "check the network share",
}


class DefinitionFile(NamedTuple):
    """A definition file, or a path that cannot be read (`problem`).

    `name` is used in messages (`events/un.yaml`); `path` is the file itself, with links resolved.
    `state` changes whenever the content may have changed: device, inode, size, mtime and ctime
    (ns).
    """

    name: str
    path: str
    state: tuple[int, ...] = ()
    problem: str = ""


def load_definitions(
    folder: Path,
    reader: DefinitionReader | None = None,
    uids: UidScheme = NAME_BASED_UIDS,
    today: date | None = None,
) -> Definitions:
    """Read the calendars of a definitions folder.

    Reuse a `reader` to read only changed files. `uids` makes UIDs for events whose definition has
    none. Examples in messages are later than `today`. Raises DefinitionError with all problems and
    warnings, or UnreadableError if some files cannot be read.
    """
    files, problems = load_files(folder)
    try:
        defined = (reader or DefinitionReader(reader_version())).read(files, uids, today)
    except DefinitionError as error:
        if not problems:
            raise
        raise UnreadableError([*problems, *error.problems], error.warnings) from error
    if problems:
        raise UnreadableError(problems, defined.warnings)
    return defined


def load_files(folder: Path) -> tuple[dict[str, bytes], list[Problem]]:
    """Return the contents of a folder's definition files by path (`events/un.yaml`), and problems.

    Hidden files and folders are skipped; unreadable files are problems.
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


def find_uids(folder: Path, uids: UidScheme = NAME_BASED_UIDS) -> dict[str, str]:
    """Return the file of each UID in a definitions folder.

    If the definitions have problems, only UIDs that are written in a file are included.
    """
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


def find_files(folder: Path) -> tuple[DefinitionFile, ...]:
    """List the definition files of a folder in order, without reading them."""
    shown = folder.name or folder.resolve().name or "events"
    try:
        root = os.path.realpath(folder, strict=True)
        if not Path(root).is_dir():
            raise NotADirectoryError
    except OSError as error:
        reasons = {errno.ENOENT: "does not exist", errno.EACCES: _explain(error)}
        reason = reasons.get(error.errno or 0, "is not a folder")
        message = f"{reason}; name the folder that holds the calendars"
        if error.errno == errno.ENOENT:
            message += ", or make one with `calfeed init`"
        return (DefinitionFile(str(folder), str(folder), problem=message),)
    entries: list[DefinitionFile] = []
    _walk(str(folder), shown, root, entries)
    return tuple(entries)


def is_definition(path: str) -> bool:
    """Return whether a file may be a definition file or a file about the site, from its suffix."""
    name = path.rpartition("/")[2]
    return not name.startswith(".") and name.lower().endswith((*_SUFFIXES, *SUFFIXES_OF_MATERIAL))


def _is_read(name: str) -> bool:
    """Return whether calfeed reads a file with this path, such as `events/un.yaml`."""
    last = name.rpartition("/")[2]
    if last.startswith("."):
        return False
    return last.lower().endswith(_SUFFIXES) or is_site_material(name)


def _walk(folder: str, shown: str, root: str, entries: list[DefinitionFile]) -> None:
    """Add the definition files under a folder; `root` is the definitions folder itself.

    It descends one level deeper than files may be, so that the reader can report files there.
    """
    try:
        with os.scandir(folder) as scanned:
            children = sorted(scanned, key=lambda child: child.name)
        for child in children:
            if child.is_symlink():
                _follow(child, shown, root, entries)
            elif not child.is_dir():
                if _is_read(f"{shown}/{child.name}"):
                    entries.append(_make_entry(child, shown, child.path, child.stat()))
            elif _should_descend(child, shown):
                _walk(child.path, f"{shown}/{_printable(child.name)}", root, entries)
    except OSError as error:
        entries.append(DefinitionFile(shown, folder, problem=_explain(error)))


def _should_descend(child: os.DirEntry[str], shown: str) -> bool:
    return not child.name.startswith(".") and shown.count("/") < 2


def _follow(link: os.DirEntry[str], shown: str, root: str, entries: list[DefinitionFile]) -> None:
    """Add the target of a link, which must be in the definitions folder as well."""
    path = os.path.realpath(link.path)
    name = f"{shown}/{_printable(link.name)}"
    try:
        status = link.stat()
    except OSError:
        # A name without a suffix may have been a link to a calendar's folder.
        if _is_read(name) or "." not in link.name:
            entries.append(DefinitionFile(name, path, problem=_NO_FILE))
        return
    is_folder = stat.S_ISDIR(status.st_mode)
    if not (_should_descend(link, shown) if is_folder else _is_read(name)):
        return
    if os.path.commonpath([root, path]) != root:
        folder = shown.partition("/")[0]
        problem = f"is a link to a target outside {folder}/; move the target there"
        entries.append(DefinitionFile(name, path, problem=problem))
    elif is_folder:
        _walk(link.path, name, root, entries)
    else:
        entries.append(_make_entry(link, shown, path, status))


def _make_entry(
    entry: os.DirEntry[str], shown: str, path: str, status: os.stat_result
) -> DefinitionFile:
    problem = ""
    if not stat.S_ISREG(status.st_mode):
        problem = _NO_FILE
    elif not _is_printable(entry.name):
        problem = "its name is not UTF-8, or has control characters; rename it"
    state = (
        status.st_dev,
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )
    return DefinitionFile(f"{shown}/{_printable(entry.name)}", path, state, problem)


def _printable(name: str) -> str:
    return name if _is_printable(name) else ascii(os.fsencode(name))[2:-1]


def _is_printable(name: str) -> bool:
    """Return whether a name is UTF-8 without control characters."""
    return name.isprintable() or not any(
        char < " " or "\x7f" <= char < "\xa0" or "\ud800" <= char <= "\udfff" for char in name
    )


def _read(path: str) -> bytes:
    """Read a file that may have been replaced since it was listed.

    Links are not followed, and pipes do not block.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError("it is no longer a file")
        return file.read(MAX_FILE_BYTES + 1)  # the reader rejects a file of this size


def _explain(error: OSError) -> str:
    reason = (error.strerror or str(error)).lower()
    remedy = _REMEDIES.get(error.errno or 0)
    return f"cannot be read: {reason}" + (f"; {remedy}" if remedy else "")
