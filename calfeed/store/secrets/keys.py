"""The file of the keys that secrets in the database are encrypted with.

It is text with a key per line: its id, its creation time, and 32 random bytes in base64url. The
first is the current key, which encrypts. The others only decrypt. The file is replaced atomically.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import secrets
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from calfeed.errors import InvalidInputError, KeyFileError
from calfeed.private_files import keep_private, make_temporary_beside, may_exist, sync

ID_LENGTH = 8
"""Characters of a key's id."""

_ID = re.compile(rf"[0-9a-f]{{{ID_LENGTH}}}")
_SECRET_BYTES = 32

_HEADER = """\
# The keys that calfeed's secrets are encrypted with, the current one first. Without this file
# they are lost; with it and a copy of the database anybody can read them. So keep a copy of it,
# and not beside the copies of the database. `calfeed keys` lists and rotates them.
"""


@dataclass(frozen=True)
class Key:
    """An AES-256 key, created at `made` (UTC). The repr does not show it."""

    id: str
    made: datetime
    secret: bytes = field(repr=False)

    @property
    def line(self) -> str:
        """The line of the key in a file."""
        text = base64.urlsafe_b64encode(self.secret).decode("ascii")
        return f"{self.id} {self.made.isoformat(timespec='seconds')} {text}"


def make_key(now: datetime) -> Key:
    """Generate a random key."""
    return Key(secrets.token_hex(ID_LENGTH // 2), now, secrets.token_bytes(_SECRET_BYTES))


class KeyFile:
    """The keys in a file, which is read again when it has changed.

    Safe to share between threads. `made` is whether this process has written the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.made = False
        self._lock = threading.Lock()
        self._version: tuple[int, int, int] | None = None
        self._keys: tuple[Key, ...] = ()

    @property
    def exists(self) -> bool:
        """Whether there is a file, or it cannot be seen."""
        return may_exist(self.path)

    def load(self) -> tuple[Key, ...]:
        """Load the keys, the current one first.

        Raises KeyFileError if the file is missing or invalid, FilePermissionsError if others can
        read it.
        """
        try:
            status = self.path.stat()
            version = (status.st_ino, status.st_mtime_ns, status.st_size)
            with self._lock:
                if version != self._version:
                    keep_private(self.path)
                    self._keys = read_keys(self.path)
                    self._version = version
                return self._keys
        except FileNotFoundError:
            raise KeyFileError(
                f"there is no key file {self.path}, and the secrets in the database are encrypted "
                "with its keys: restore it from your copy, or from the machine that created it. If "
                "it is lost, `calfeed keys rotate` creates another, and `calfeed keys list` shows "
                "what cannot be read any more"
            ) from None
        except OSError as error:
            raise KeyFileError(
                f"the keys of {self.path} cannot be read: {error.strerror}"
            ) from error

    def make(self, now: datetime) -> None:
        """Create the file with a new key, unless it exists."""
        if not self.exists:
            self._write([make_key(now)], replace=False)

    def add(self, now: datetime) -> Key:
        """Add a new key as the current one, creating the file if necessary, and return it."""
        key = make_key(now)
        self._write([key, *(self.load() if self.exists else ())], replace=True)
        return key

    def check_former(self, key_id: str) -> None:
        """Raise InvalidInputError if a key is the current one, or not in the file."""
        keys = self.load()
        if key_id == keys[0].id:
            raise InvalidInputError(
                f"key {key_id} is the current one; `calfeed keys rotate` makes another"
            )
        if key_id not in {key.id for key in keys}:
            raise InvalidInputError(f"there is no key {key_id} in {self.path}")

    def drop(self, key_id: str) -> None:
        """Remove a key from the file."""
        self._write([key for key in self.load() if key.id != key_id], replace=True)

    def _write(self, keys: Sequence[Key], *, replace: bool) -> None:
        text = _HEADER + "".join(f"{key.line}\n" for key in keys)
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            new = make_temporary_beside(self.path)
            try:
                new.write_text(text, "ascii")
                sync(new)
                if replace:
                    new.replace(self.path)
                    self.made = True
                else:
                    self._keep_first(new)
                sync(self.path.parent)
            finally:
                new.unlink(missing_ok=True)
        except OSError as error:
            raise KeyFileError(
                f"the keys of {self.path} cannot be written: {error.strerror}. If calfeed "
                "may not write the file, add a key to it yourself: `calfeed keys make` prints one"
            ) from error

    def _keep_first(self, new: Path) -> None:
        """Rename a new file, unless another process has created the key file meanwhile."""
        try:
            os.link(new, self.path)
            self.made = True
        except FileExistsError:
            pass


def read_keys(path: Path) -> tuple[Key, ...]:
    """Read the keys in a file, the current one first.

    Raises KeyFileError if its content is invalid, OSError if it cannot be read.
    """
    keys: list[Key] = []
    lines = path.read_text("utf-8", "replace").splitlines()
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            key_id, made, text = line.split()
            secret = base64.urlsafe_b64decode(text)
            key = Key(key_id, datetime.fromisoformat(made), secret)
        except (ValueError, binascii.Error):
            key = None
        if key is None or not _ID.fullmatch(key.id) or len(key.secret) != _SECRET_BYTES:
            # Do not quote the line: it may hold most of a key.
            raise KeyFileError(
                f"line {number} of {path} is not a key; it must be an id, a time and a key, as "
                "`calfeed keys make` prints them"
            )
        keys.append(key)
    if not keys:
        raise KeyFileError(f"there is no key in {path}; `calfeed keys make` prints one")
    if len({key.id for key in keys}) < len(keys):
        raise KeyFileError(f"two keys in {path} have the same id")
    return tuple(keys)
