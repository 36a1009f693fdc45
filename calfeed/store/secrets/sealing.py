"""Sealing: encrypt values in the database, so that a copy of it does not reveal them.

A sealed text is `v1:`, the id of its key, `:`, and base64url of a nonce and the AES-256-GCM
ciphertext. Its place (table, row and column) is the associated data, so a text that was moved or
changed cannot be opened. Columns that are always sealed have `info=SEALED` in the tables; those
that are sealed only for private calendars have a type of `private_columns`.
"""

from __future__ import annotations

import base64
import binascii
import os
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Column, Connection

from calfeed.errors import KeyFileError, SealError, StoreError
from calfeed.store.secrets.keys import ID_LENGTH, KeyFile

SEALED = {"sealed": True}
"""The `info` of a column whose texts are sealed; empty texts are stored as they are."""

OPTION = "calfeed_keyring"
"""The execution option of a connection that has its keyring."""

VERSION = "v1:"
PREFIX_LENGTH = len(VERSION) + ID_LENGTH + 1
"""The number of characters before the ciphertext; they include the id of the key."""

Sealable = TypeVar("Sealable", str, bytes)

_NONCE_BYTES = 12
_CACHED_TEXTS = 4096

_REFRESH_SECONDS = 1.0
"""How often sealing checks the key file for a new current key."""


class Keyring:
    """The keys of a database. Safe to share between threads."""

    def __init__(self, file: KeyFile) -> None:
        self.file = file
        self._lock = threading.Lock()
        self._ciphers: dict[str, AESGCM] = {}
        self._sealer: tuple[str, AESGCM | None] = ("", None)
        self._refreshed = 0.0  # on the monotonic clock
        # A worker opens the same few hundred secrets again and again.
        self.open = lru_cache(_CACHED_TEXTS)(self._open)

    def refresh(self) -> tuple[str, AESGCM]:
        """Load the current key from the file, and return its prefix and cipher."""
        key_id = self.file.load()[0].id
        self._sealer = sealer = prefix_of(key_id), self._cipher(key_id)
        self._refreshed = time.monotonic()
        return sealer

    def seal(self, place: str, value: Sealable) -> Sealable:
        """Encrypt a text or bytes for a place in the database. Empty values stay empty.

        Raises KeyFileError if no key has been loaded and the key file cannot be read.
        """
        if not value:
            return value
        prefix, cipher = self._sealer
        if cipher is None:
            prefix, cipher = self.refresh()
        elif time.monotonic() - self._refreshed > _REFRESH_SECONDS:
            with suppress(KeyFileError):  # continue with the loaded key
                prefix, cipher = self.refresh()
        nonce = os.urandom(_NONCE_BYTES)
        data = value.encode() if isinstance(value, str) else value
        encrypted = nonce + cipher.encrypt(nonce, data, place.encode())
        sealed = prefix + base64.urlsafe_b64encode(encrypted).rstrip(b"=").decode("ascii")
        return sealed if isinstance(value, str) else sealed.encode("ascii")

    def reseal(self, place: str, sealed: Sealable) -> Sealable:
        """Encrypt a sealed value again with the current key. Raises SealError as `open` does."""
        if isinstance(sealed, str):
            return self.seal(place, self._open(place, sealed))
        return self.seal(place, self.open_bytes(place, sealed))

    def _open(self, place: str, sealed: str) -> str:
        """Decrypt a text from its place in the database.

        Raises SealError if its key is missing, or if it was not sealed for this place.
        """
        return self._decrypt(place, sealed).decode()

    def open_bytes(self, place: str, sealed: bytes) -> bytes:
        """Decrypt bytes from their place in the database. Raises SealError as `open` does."""
        return self._decrypt(place, sealed.decode("ascii", "replace"))

    def _decrypt(self, place: str, sealed: str) -> bytes:
        if not sealed:
            return b""
        key_id, text = sealed[len(VERSION) : PREFIX_LENGTH - 1], sealed[PREFIX_LENGTH:]
        if not text or not sealed.startswith(prefix_of(key_id)):
            raise SealError(_TAMPERED)
        try:
            cipher = self._cipher(key_id)
        except KeyFileError as error:
            raise SealError(str(error)) from error
        try:
            data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            return cipher.decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], place.encode())
        except (InvalidTag, ValueError, binascii.Error):
            raise SealError(_TAMPERED) from None

    def _cipher(self, key_id: str) -> AESGCM:
        with self._lock:
            if key_id not in self._ciphers:
                # Another process may have added a key, so refresh before the next sealing too.
                self._refreshed = 0.0
                self._ciphers = {key.id: AESGCM(key.secret) for key in self.file.load()}
            if key_id in self._ciphers:
                return self._ciphers[key_id]
        raise SealError(f"the key {key_id} that it is encrypted with is not in {self.file.path}")


_TAMPERED = "the stored value was changed, or moved from another row"


def prefix_of(key_id: str) -> str:
    """Return the prefix of values that are sealed with a key."""
    return f"{VERSION}{key_id}:"


class Places:
    """The places (table, row and column) to which a column's sealed values are bound.

    A place is the associated data of the encryption. `key` are the columns of the primary key. The
    values of the columns `row`, by default those of the key, make the name of a row.
    """

    def __init__(
        self, column: Any, row: Sequence[str] = (), key: Sequence[Column[Any]] = ()
    ) -> None:
        self.key = tuple(key or column.table.primary_key)
        self.row = tuple(row or (part.name for part in self.key))
        self._begin, self._end = f"{column.table.name}:", f":{column.name}"

    def of(self, *row: object) -> str:
        """Return the place in the row that has these values in the columns `row`."""
        names = (str(int(value) if isinstance(value, bool) else value) for value in row)
        return self._begin + "/".join(names) + self._end


def keyring_of(connection: Connection) -> Keyring:
    """Return the keyring of a connection. Raises StoreError if no key file is configured."""
    keyring: Keyring | None = connection.get_execution_options().get(OPTION)
    if keyring is None:
        raise StoreError(
            "the secrets in this database cannot be read or written: no key file is configured"
        )
    return keyring
