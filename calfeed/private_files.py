"""Create, check and read files that hold secrets.

The rule is the same as in PostgreSQL and OpenSSH: other users have no permissions on such a file.
Its group may at most have read permission.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from tempfile import mkstemp

from calfeed.errors import FilePermissionsError, SettingsError

MAX_SECRET_BYTES = 65_536
"""The maximum number of bytes that are read from a file with a secret."""

_FORBIDDEN_MODE = stat.S_IWGRP | stat.S_IXGRP | stat.S_IRWXO
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def keep_private(path: Path) -> None:
    """Restrict a file to its owner if its mode is too open.

    A missing file is ignored, and so is a folder or a device, which a mistaken path can name.
    Raises FilePermissionsError, with the command that fixes the mode, if the file belongs to
    another user.
    """
    try:
        mode = path.stat().st_mode
    except OSError:
        return
    if not is_exposed(mode):
        return
    try:
        path.chmod(0o600)
    except OSError:
        raise FilePermissionsError(
            f"other users can read or change {path}, which holds secrets; its owner or root has to "
            f"run `chmod 600 {path}` first"
        ) from None


def is_exposed(mode: int) -> bool:
    """Return whether other users can read a regular file with this mode, or its group change it.

    Nothing else counts: nobody could enter a folder with the mode of a private file, and devices
    are not calfeed's.
    """
    return stat.S_ISREG(mode) and bool(mode & _FORBIDDEN_MODE)


def keep_folder_private(folder: Path) -> None:
    """Make a folder writable for its owner only.

    Anyone who can write to a folder can replace the files in it, unless the folder has the sticky
    bit, as /tmp has. Raises FilePermissionsError like `keep_private`.
    """
    try:
        mode = folder.stat().st_mode
    except OSError:
        return
    if not mode & _OTHERS_WRITE or mode & stat.S_ISVTX:
        return
    try:
        folder.chmod(stat.S_IMODE(mode) & ~_OTHERS_WRITE)
    except OSError:
        if mode & stat.S_IWOTH:
            raise FilePermissionsError(
                f"every user can replace the files in {folder}, which hold secrets; its owner or "
                f"root has to run `chmod go-w {folder}` first"
            ) from None


def may_exist(path: Path) -> bool:
    """Return whether a path exists; true if this user may not see it, or if its name is too long.

    `Path.exists` raises an error then, or is false, depending on the version of Python.
    """
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def read_secret(file: Path) -> str:
    """Read the secret in a file, without the trailing newline.

    Raises SettingsError as `read_text` does, and if there is more than one line.
    """
    text = read_text(file)
    if len(text.splitlines()) > 1:
        raise SettingsError(f"{file} has more than one line; write the secret in a single line")
    return text


def read_text(file: Path) -> str:
    """Read a file or pipe that holds secrets, without the trailing newline.

    Raises SettingsError if it cannot be read or is not text; the message never quotes its content.
    """
    try:
        # O_NONBLOCK, so that a pipe without a writer is read as empty, instead of blocking.
        number = os.open(file, os.O_RDONLY | os.O_NONBLOCK)
        os.set_blocking(number, True)
        with os.fdopen(number, "rb") as opened:
            data = opened.read(MAX_SECRET_BYTES + 1)
    except OSError as error:
        raise SettingsError(f"{file} cannot be read: {error.strerror}") from error
    except ValueError:
        raise SettingsError("a file cannot be read: its name contains a NUL") from None
    return decode_text(data, str(file))


def decode_text(data: bytes, name: str) -> str:
    """Decode the bytes of a file or of standard input; leave out line breaks at the end.

    Raises SettingsError, in which the source is called `name`, if there are too many bytes, if they
    are not UTF-8 text, or if there is no text.
    """
    if len(data) > MAX_SECRET_BYTES:
        raise SettingsError(f"{name} cannot be read: it has more than {MAX_SECRET_BYTES:,} bytes")
    try:
        text = data.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise SettingsError(f"{name} cannot be read: it is not UTF-8 text")
    if not text:
        raise SettingsError(f"{name} is empty; it must contain a secret")
    return text


def make_temporary_beside(file: Path) -> Path:
    """Create an empty temporary file next to `file`, accessible to this user only."""
    number, name = mkstemp(prefix=f".{file.name}-", dir=file.parent)
    os.close(number)
    return Path(name)


def sync(path: Path) -> None:
    """Flush a file or a directory to disk."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
