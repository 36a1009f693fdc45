"""The data folder: space, the file system, and whether the database file is sound and writable."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from calfeed.services.doctor.findings import Finding, ok, problem, warning
from calfeed.services.watching.dead_man import MIN_FREE_BYTES

_SPACE, _FILE = "disk space", "database file"

_MEGABYTE = 1_000_000
_LITTLE_SPACE = 1_000 * _MEGABYTE
_LARGE_WAL = 1_000 * _MEGABYTE

_MOUNTS = Path("/proc/self/mounts")
_NETWORK_TYPES = {"9p", "afs", "ceph", "cifs", "lustre", "nfs", "nfs4", "smb3", "smbfs"}
_NETWORK_PROGRAMS = ("fuse.glusterfs", "fuse.rclone", "fuse.s3fs", "fuse.sshfs")

# Bytes 18 and 19 of a SQLite file, the versions of the format for writing and reading. 2 means WAL.
_WAL_FORMAT = b"\2\2"


def check_space(data: Path) -> Iterator[Finding]:
    """Look at the space that is left for a data folder, which may not exist yet."""
    for folder in (data.absolute(), *data.absolute().parents):
        with suppress(OSError):
            yield judge_space(data, shutil.disk_usage(folder).free)
            return


def judge_space(data: Path, free: int) -> Finding:
    """Judge how many bytes are free."""
    text = f"{free // _MEGABYTE:,} MB are free for {data}"
    if free < MIN_FREE_BYTES:
        return problem(_SPACE, text, "make space: what cannot be recorded is not sent")
    if free < _LITTLE_SPACE:
        return warning(_SPACE, text, "make space, or move CALFEED_DATA to a larger disk")
    return ok(_SPACE, text)


def check_file(path: Path) -> Iterator[Finding]:
    """Look at a SQLite file, if there is one, without opening it as a database."""
    try:
        if not path.exists():
            return
    except OSError:
        yield problem(
            _FILE, f"this user may not enter {path.parent}", "run this command as calfeed's user"
        )
        return
    try:
        mounts = _MOUNTS.read_text("utf-8", "replace")
    except OSError:
        mounts = ""
    kind = find_filesystem(mounts, path.resolve())
    if is_network(kind):
        yield warning(
            _FILE,
            f"{path} is on a network file system ({kind}), whose locks SQLite cannot rely on",
            "move it to a local disk, or use PostgreSQL",
        )
    unwritable = [part for part in (path, path.parent) if not os.access(part, os.W_OK)]
    if unwritable:
        yield problem(
            _FILE,
            f"this user may not write to {unwritable[0]}: nothing can be published or sent",
            "run calfeed, and this command, as the owner of the data folder",
        )
    with path.open("rb") as file:
        head = file.read(20)
    log = path.with_name(f"{path.name}-wal")
    yield judge_file(path, head, log.stat().st_size if log.exists() else 0)


def judge_file(path: Path, head: bytes, log_size: int) -> Finding:
    """Judge a SQLite file by its first bytes, and by the size of its write-ahead log."""
    if not head:
        return ok(_FILE, f"{path} is empty; the next publish makes the tables")
    if not head.startswith(b"SQLite format 3\0"):
        return problem(
            _FILE, f"{path} is not a SQLite database", "stop calfeed, then run `calfeed restore`"
        )
    if head[18:20] != _WAL_FORMAT:
        return warning(
            _FILE,
            f"{path} has no write-ahead log, like a copy that was made by another tool",
            "the next start of calfeed turns it on",
        )
    if log_size > _LARGE_WAL:
        return warning(
            _FILE,
            f"the write-ahead log of {path} has {log_size // _MEGABYTE:,} MB: a program keeps the "
            "database open all the time",
            "end that program",
        )
    return ok(_FILE, f"{path}, with a write-ahead log")


def find_filesystem(mounts: str, path: Path) -> str:
    """Return the type of the file system of a path, from the text of `/proc/mounts`, or ""."""
    found, longest = "", -1
    for line in mounts.splitlines():
        fields = line.split()
        if len(fields) < 3:
            continue
        point = fields[1].encode().decode("unicode_escape")
        if len(point) >= longest and path.is_relative_to(point):
            found, longest = fields[2], len(point)
    return found


def is_network(kind: str) -> bool:
    """Return whether a type of file system is a network file system."""
    return kind in _NETWORK_TYPES or kind in _NETWORK_PROGRAMS
