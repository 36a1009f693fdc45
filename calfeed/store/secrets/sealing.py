"""Sealing: what is stored encrypted, so that a copy of the database does not give it away.

A sealed text is `v1:`, the id of its key, `:`, and base64url of a nonce and what AES-256-GCM makes
of the text. Where it stands (table, row and column) is authenticated with it: what was moved from
another row, or changed, is not opened. The columns whose texts are always sealed are marked
`info=SEALED` in the tables; `private_columns` has those that are where their calendar is private.
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
"""The `info` of a column whose texts are sealed; one that is empty is stored as it is."""

OPTION = "calfeed_keyring"
"""The execution option by which a connection knows its keys."""

VERSION = "v1:"
PREFIX_LENGTH = len(VERSION) + ID_LENGTH + 1
"""Characters before what is encrypted; they say with which key it is."""

Sealable = TypeVar("Sealable", str, bytes)

_NONCE = 12
_REMEMBERED = 4096

_LOOK = 1.0
"""Seconds between two looks at the file, for one who seals text after text."""


class Keyring:
    """The keys of a database. Safe to share between threads."""

    def __init__(self, file: KeyFile) -> None:
        self.file = file
        self._lock = threading.Lock()
        self._ciphers: dict[str, AESGCM] = {}
        self._sealer: tuple[str, AESGCM | None] = ("", None)
        self._looked = 0.0  # when, on the monotonic clock
        # A worker opens the same few hundred secrets again and again.
        self.open = lru_cache(_REMEMBERED)(self._open)

    def look(self) -> tuple[str, AESGCM]:
        """Look at the file: what a text begins with that the current key seals, and its cipher."""
        key_id = self.file.load()[0].id
        found = prefix_of(key_id), self._cipher(key_id)
        self._sealer, self._looked = found, time.monotonic()
        return found

    def seal(self, place: str, value: Sealable) -> Sealable:
        """Encrypt a text, or bytes, for its place in the database. What is empty stays empty.

        Raises KeyFileError where no key was ever read.
        """
        if not value:
            return value
        prefix, cipher = self._sealer
        if cipher is None:
            prefix, cipher = self.look()
        elif time.monotonic() - self._looked > _LOOK:
            with suppress(KeyFileError):  # what is known already will do
                prefix, cipher = self.look()
        nonce = os.urandom(_NONCE)
        data = value.encode() if isinstance(value, str) else value
        encrypted = nonce + cipher.encrypt(nonce, data, place.encode())
        sealed = prefix + base64.urlsafe_b64encode(encrypted).rstrip(b"=").decode("ascii")
        return sealed if isinstance(value, str) else sealed.encode("ascii")

    def seal_again(self, place: str, sealed: Sealable) -> Sealable:
        """Encrypt with the current key what another has encrypted. Raises SealError as `open`."""
        if isinstance(sealed, str):
            return self.seal(place, self._open(place, sealed))
        return self.seal(place, self.open_bytes(place, sealed))

    def _open(self, place: str, sealed: str) -> str:
        """Decrypt a text from its place in the database.

        Raises SealError where its key is not there, or where it is not what was sealed for it.
        """
        return self._decrypt(place, sealed).decode()

    def open_bytes(self, place: str, sealed: bytes) -> bytes:
        """Decrypt bytes from their place in the database. Raises SealError as `open`."""
        return self._decrypt(place, sealed.decode("ascii", "replace"))

    def _decrypt(self, place: str, sealed: str) -> bytes:
        if not sealed:
            return b""
        key_id, text = sealed[len(VERSION) : PREFIX_LENGTH - 1], sealed[PREFIX_LENGTH:]
        if not text or not sealed.startswith(prefix_of(key_id)):
            raise SealError(_CHANGED)
        try:
            cipher = self._cipher(key_id)
        except KeyFileError as error:
            raise SealError(str(error)) from error
        try:
            data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            return cipher.decrypt(data[:_NONCE], data[_NONCE:], place.encode())
        except (InvalidTag, ValueError, binascii.Error):
            raise SealError(_CHANGED) from None

    def _cipher(self, key_id: str) -> AESGCM:
        with self._lock:
            if key_id not in self._ciphers:
                # Another process may have added a key since, which is the one to use then.
                self._looked = 0.0
                self._ciphers = {one.id: AESGCM(one.secret) for one in self.file.load()}
            if key_id in self._ciphers:
                return self._ciphers[key_id]
        raise SealError(f"the key {key_id} that it is encrypted with is not in {self.file.path}")


_CHANGED = "what is stored was changed, or moved there from another row"


def prefix_of(key_id: str) -> str:
    """What a text begins with that is sealed with a key."""
    return f"{VERSION}{key_id}:"


class Places:
    """The places of the texts in a column: table, row and column.

    `key` are the columns of the primary key. A row is named by them, or by the columns `row`.
    """

    def __init__(
        self, column: Any, row: Sequence[str] = (), key: Sequence[Column[Any]] = ()
    ) -> None:
        self.key = tuple(key or column.table.primary_key)
        self.row = tuple(row or (each.name for each in self.key))
        self._begin, self._end = f"{column.table.name}:", f":{column.name}"

    def of(self, *row: object) -> str:
        """The place in a row, by what names it."""
        names = (str(int(each) if isinstance(each, bool) else each) for each in row)
        return self._begin + "/".join(names) + self._end


def keyring_of(connection: Connection) -> Keyring:
    """The keys of a connection's database."""
    found: Keyring | None = connection.get_execution_options().get(OPTION)
    if found is None:
        raise StoreError("there are no keys for the secrets in this database: no file was named")
    return found
