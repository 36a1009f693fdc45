"""The file of the keys that secrets in the database are encrypted with.

It is text, a key a line: its id, when it was made, and 32 random bytes in base64url. The first is
the current one, which encrypts; the others decrypt what they have encrypted before. The file is
replaced as a whole and never written into, so whoever reads it sees all of it.
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
from calfeed.private_files import keep_private, make_temporary_beside, sync

ID_LENGTH = 8
"""Characters of a key's id."""

_ID = re.compile(rf"[0-9a-f]{{{ID_LENGTH}}}")
_BYTES = 32

_HEAD = """\
# The keys that calfeed's secrets are encrypted with, the current one first. Without this file
# they are lost; with it and a copy of the database anybody can read them. So keep a copy of it,
# and not beside the copies of the database. `calfeed keys` lists and rotates them.
"""


@dataclass(frozen=True)
class Key:
    """A key of AES-256, which is not part of its repr; `made` is when (UTC)."""

    id: str
    made: datetime
    secret: bytes = field(repr=False)

    @property
    def line(self) -> str:
        """The key as it stands in a file."""
        text = base64.urlsafe_b64encode(self.secret).decode("ascii")
        return f"{self.id} {self.made.isoformat(timespec='seconds')} {text}"


def make_key(now: datetime) -> Key:
    """A new random key."""
    return Key(secrets.token_hex(ID_LENGTH // 2), now, secrets.token_bytes(_BYTES))


class KeyFile:
    """The keys by the name of their file, read again when it has changed.

    Safe to share between threads. `made` says whether the file was made here.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.made = False
        self._lock = threading.Lock()
        self._seen: tuple[int, int, int] | None = None
        self._keys: tuple[Key, ...] = ()

    @property
    def exists(self) -> bool:
        """Whether there is a file."""
        return self.path.exists()

    def load(self) -> tuple[Key, ...]:
        """The keys, the current one first.

        Raises KeyFileError where there is no such file, or something else in it, and
        FilePermissionsError where others can read it.
        """
        try:
            found = self.path.stat()
            seen = (found.st_ino, found.st_mtime_ns, found.st_size)
            with self._lock:
                if seen != self._seen:
                    keep_private(self.path)
                    self._keys = _read(self.path)
                    self._seen = seen
                return self._keys
        except FileNotFoundError:
            raise KeyFileError(
                f"there is no file {self.path}, whose keys the secrets in the database are "
                "encrypted with: put it back from where you keep a copy, or take it from the "
                "machine that it was made on. Where it is lost, `calfeed keys rotate` makes "
                "another, and `calfeed keys list` says what cannot be read any more"
            ) from None
        except OSError as error:
            raise KeyFileError(
                f"the keys of {self.path} cannot be read: {error.strerror}"
            ) from error

    def make(self, now: datetime) -> None:
        """Make the file with a new key, unless there is one."""
        if self.exists:
            return
        self._write([make_key(now)], replace=False)

    def add(self, now: datetime) -> Key:
        """Make a new key the current one, in a new file if there is none, and return it."""
        made = make_key(now)
        self._write([made, *(self.load() if self.exists else ())], replace=True)
        return made

    def check_former(self, key_id: str) -> None:
        """Raise InvalidInputError where a key is the current one, or not in the file."""
        keys = self.load()
        if key_id == keys[0].id:
            raise InvalidInputError(
                f"key {key_id} is the current one; `calfeed keys rotate` makes another"
            )
        if key_id not in {one.id for one in keys}:
            raise InvalidInputError(f"there is no key {key_id} in {self.path}")

    def drop(self, key_id: str) -> None:
        """Take a key out of the file."""
        self._write([one for one in self.load() if one.id != key_id], replace=True)

    def _write(self, keys: Sequence[Key], *, replace: bool) -> None:
        text = _HEAD + "".join(f"{one.line}\n" for one in keys)
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
                f"the keys of {self.path} cannot be written: {error.strerror}. A file that calfeed "
                "cannot write gets its keys from `calfeed keys make`, which prints one"
            ) from error

    def _keep_first(self, new: Path) -> None:
        """Give a file its name, unless another process has made one meanwhile."""
        try:
            os.link(new, self.path)
            self.made = True
        except FileExistsError:
            pass


def _read(path: Path) -> tuple[Key, ...]:
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
        if key is None or not _ID.fullmatch(key.id) or len(key.secret) != _BYTES:
            # The line is not repeated: it can hold most of a key.
            raise KeyFileError(
                f"line {number} of {path} is not a key; it has to be an id, a time and a key, as "
                "`calfeed keys make` prints them"
            )
        keys.append(key)
    if not keys:
        raise KeyFileError(f"there is no key in {path}; `calfeed keys make` prints one")
    if len({one.id for one in keys}) < len(keys):
        raise KeyFileError(f"two keys in {path} have the same id")
    return tuple(keys)
