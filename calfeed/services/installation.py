"""The database of an installation: schema, id, encryption keys."""

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


def migrate_if_writable(database: Database) -> str | None:
    """Migrate a database; return an error message if the database can only be read.

    Raises StoreError if it cannot be read, or has another schema that cannot be migrated.
    """
    try:
        migrate(database)
        # migrate() writes nothing if the schema is up to date, so check that writing is possible.
        with database.write():
            return None
    except StoreError as error:
        try:
            check_schema(database)
        except StoreError:
            raise error from None
        return str(error)


def set_id(database: Database, wanted: UUID) -> None:
    """Set the id of a new installation. Raises InvalidInputError if something is published."""
    with database.write_exclusive() as connection:
        installation.change_installation_id(connection, wanted)


class Lost(NamedTuple):
    """Endpoints and private calendars that cannot be decrypted with the available keys."""

    endpoints: list[Endpoint]
    calendars: list[str]


class Encrypted(NamedTuple):
    """The id of the current key, and how many texts are encrypted with it (`texts`) and with others
    (`left`), and the values that cannot be decrypted."""

    key: str
    texts: int
    left: int
    lost: Lost


def add_key(database: Database, now: datetime) -> Key:
    """Make a new key the current one; texts keep their present encryption."""
    with database.read() as connection:
        return keyring_of(connection).file.add(now)


def encrypt_again(database: Database) -> Encrypted:
    """Encrypt all texts with the current key, in small transactions.

    May be interrupted and repeated. Texts that cannot be decrypted are left unchanged.
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
    """Remove an unused key from the key file.

    Raises InvalidInputError for the current key, and for a key with which texts are encrypted.
    """
    resealing.drop_key(database, key_id, now)


def find_lost(connection: Connection) -> Lost:
    """Find the endpoints and private calendars that cannot be decrypted."""
    endpoints = [endpoint for endpoint in list_endpoints(connection) if endpoint.lost is not None]
    return Lost(endpoints, private.find_unreadable_calendars(connection))
