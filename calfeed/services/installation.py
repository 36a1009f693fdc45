"""An installation's database: its schema, its id, and the keys of its secrets."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from calfeed.errors import StoreError
from calfeed.store.catalog import installation
from calfeed.store.database import Connection, Database
from calfeed.store.endpoints.records import Endpoint, list_endpoints
from calfeed.store.migrate import check_schema, migrate
from calfeed.store.secrets import private, resealing
from calfeed.store.secrets.keys import Key
from calfeed.store.secrets.sealing import keyring_of


def make_ready(database: Database) -> str | None:
    """Bring a database up to date; return why not, where it can only be read.

    Raises StoreError where it cannot be used for reading either.
    """
    try:
        migrate(database)
        with database.write():
            return None  # an up-to-date one is not written to by that
    except StoreError as error:
        try:
            check_schema(database)
        except StoreError:
            raise error from None
        return str(error)


def set_id(database: Database, wanted: UUID) -> None:
    """Give a new installation an id. Raises InvalidInputError where something is published."""
    with database.write_exclusive() as connection:
        installation.change_installation_id(connection, wanted)


class Lost(NamedTuple):
    """What cannot be read with the keys there are: secrets of endpoints, private calendars."""

    endpoints: list[Endpoint]
    calendars: list[str]


class Encrypted(NamedTuple):
    """The current key, how many texts it has encrypted, how many others there are still, and what
    cannot be read."""

    key: str
    texts: int
    left: int
    lost: Lost


def add_key(database: Database, now: datetime) -> Key:
    """Make a new key the current one; what others have encrypted stays as it is."""
    with database.read() as connection:
        return keyring_of(connection).file.add(now)


def encrypt_again(database: Database) -> Encrypted:
    """Encrypt with the current key what others have encrypted, in small steps.

    It may be ended at any time and begun again. What cannot be read is left as it is.
    """
    resealing.reseal_all(database)
    with database.read() as connection:
        current = keyring_of(connection).file.load()[0].id
        used = resealing.count_by_key(connection)
        return Encrypted(
            current,
            used[current],
            used.total() - used[current],
            find_lost(connection),
        )


def drop_key(database: Database, key_id: str, now: datetime) -> None:
    """Take a key out of the file that nothing is encrypted with any more.

    Raises InvalidInputError where something is, and for the current key.
    """
    resealing.drop_key(database, key_id, now)


def find_lost(connection: Connection) -> Lost:
    """What of endpoints, and of private calendars, cannot be read with the keys there are."""
    endpoints = [one for one in list_endpoints(connection) if one.lost is not None]
    return Lost(endpoints, private.find_unreadable_calendars(connection))
