"""Files that hold secrets: made for this user alone, kept so, and read.

The rule is that of PostgreSQL and OpenSSH: other users have no rights at such a file. Its group
may read it, where somebody has allowed that, and no more.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from tempfile import mkstemp

from calfeed.errors import RightsError, SettingsError

LARGEST = 65_536
"""Bytes that are read where a secret is to be."""

_TOO_MUCH = stat.S_IWGRP | stat.S_IXGRP | stat.S_IRWXO
_WRITABLE = stat.S_IWGRP | stat.S_IWOTH


def keep_private(path: Path) -> None:
    """Take the rights at a file away that others have and should not have.

    One that is not there is left to whoever reads it. Raises RightsError where the file is
    another user's, with the command that mends it.
    """
    try:
        found = path.stat()
    except OSError:
        return
    if not found.st_mode & _TOO_MUCH:
        return
    try:
        path.chmod(0o600)
    except OSError:
        raise RightsError(
            f"other users can read or change {path}, which holds secrets; its owner or root has to "
            f"run `chmod 600 {path}` first"
        ) from None


def keep_folder_private(folder: Path) -> None:
    """Take the right to write into a folder from everybody but its owner.

    Who can write there can put files of their own in the place of those that are there. In a
    folder as /tmp, with the sticky bit, they cannot. Raises RightsError like `keep_private`.
    """
    try:
        mode = folder.stat().st_mode
    except OSError:
        return
    if not mode & _WRITABLE or mode & stat.S_ISVTX:
        return
    try:
        folder.chmod(stat.S_IMODE(mode) & ~_WRITABLE)
    except OSError:
        if mode & stat.S_IWOTH:
            raise RightsError(
                f"every user can replace the files in {folder}, which hold secrets; its owner or "
                f"root has to run `chmod go-w {folder}` first"
            ) from None


def read_secret(file: Path) -> str:
    """The secret in a file, without the end of its line.

    Raises SettingsError as `read_text`, and where there is more than one line.
    """
    text = read_text(file)
    if len(text.splitlines()) > 1:
        raise SettingsError(f"there is more than one line in {file}, where a secret was to be read")
    return text


def read_text(file: Path) -> str:
    """The text in a file with secrets, without the end of its last line.

    It may be a pipe that somebody writes to. Raises SettingsError where it cannot be read, or is
    no such text; nothing of it is repeated.
    """
    try:
        # A pipe that nobody writes to is empty, instead of being waited for.
        number = os.open(file, os.O_RDONLY | os.O_NONBLOCK)
        os.set_blocking(number, True)
        with os.fdopen(number, "rb") as opened:
            data = opened.read(LARGEST + 1)
    except OSError as error:
        raise SettingsError(f"{file} cannot be read: {error.strerror}") from error
    except ValueError:
        raise SettingsError("a file cannot be read: there is a NUL in its name") from None
    return decode_text(data, str(file))


def decode_text(data: bytes, name: str) -> str:
    """What was read from a file or standard input, as a text. Raises SettingsError."""
    if len(data) > LARGEST:
        raise SettingsError(f"{name} cannot be read: it has more than {LARGEST:,} bytes")
    try:
        text = data.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise SettingsError(f"{name} cannot be read: it is not a text in UTF-8")
    if not text:
        raise SettingsError(f"there is nothing in {name}, where a secret was to be read")
    return text


def make_beside(file: Path) -> Path:
    """A new empty file in the folder of another, for this user alone."""
    number, name = mkstemp(prefix=f".{file.name}-", dir=file.parent)
    os.close(number)
    return Path(name)


def sync(path: Path) -> None:
    """Return once a file, or what a folder lists, is on the disk."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
