"""People's records: find a person by the hash of the address, load data for mails."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from calfeed.model.states import EndpointState
from calfeed.store.endpoints.tables import endpoints
from calfeed.store.people.tables import people, people_keys
from calfeed.store.secrets.sealing import Places, keyring_of
from calfeed.store.upsert import insert_new

SCHEME = "mailto:"
"""The scheme of the URLs of people's endpoints, before the address."""

_ROW = 1
_keys = Places(people_keys.c.key)


@dataclass(frozen=True)
class Person:
    """A person who follows dates by mail, without the address; times are UTC.

    `hash` is the keyed hash of the address. `confirmed_at` is None until the address is confirmed.
    """

    endpoint_id: str
    hash: str
    language: str
    entries: bool
    wording: str
    asked_at: datetime
    confirmed_at: datetime | None = None
    left_at: datetime | None = None
    bounces: int = 0


def load_people_key(connection: Connection) -> bytes:
    """Load the key of people's hashes and links, in a transaction that may write.

    The first call makes it. Raises SealError if its encryption key is missing.
    """
    found = find_people_key(connection)
    while found is None:
        made = base64.b64encode(secrets.token_bytes(32)).decode("ascii")
        sealed = keyring_of(connection).seal(_keys.of(_ROW), made)
        # Another process may have made one meanwhile.
        connection.execute(insert_new(connection, people_keys).values(id=_ROW, key=sealed))
        found = find_people_key(connection)
    return found


def find_people_key(connection: Connection) -> bytes | None:
    """Find the key of people's hashes and links; None if nobody has signed up yet.

    Raises SealError if its encryption key is missing.
    """
    sealed = connection.scalar(select(people_keys.c.key).where(people_keys.c.id == _ROW))
    if sealed is None:
        return None
    return base64.b64decode(keyring_of(connection).open(_keys.of(_ROW), sealed))


def hash_network(key: bytes, network: str) -> str:
    """Return the keyed hash of a network that a sign-up came from."""
    return hmac.new(key, b"network\0" + network.encode(), hashlib.sha256).hexdigest()


def hash_address(key: bytes, address: str) -> str:
    """Return the keyed hash of an address in its normal form."""
    return hmac.new(key, b"address\0" + address.encode(), hashlib.sha256).hexdigest()


def name_person(address_hash: str | None) -> str:
    """Return a person's name in reports: the start of the hash of the address, if it is kept."""
    return f"person {address_hash[:12]}" if address_hash else "person"


def sign_link(key: bytes, purpose: str, subject: str) -> str:
    """Return the secret part of a link in a mail, such as of a person's own page.

    It is the same in every mail, so it need not be stored. It proves that this site made the link
    for this purpose and subject.
    """
    digest = hmac.new(key, f"{purpose}\0{subject}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest[:24]).decode("ascii")


def find_person(connection: Connection, address_hash: str) -> Person | None:
    """Find the person who has this hash of an address and has not left."""
    query = select(people).where(people.c.address_hash == address_hash, people.c.left_at.is_(None))
    row = connection.execute(query).one_or_none()
    return None if row is None else to_person(row)


def find_latest(connection: Connection, address_hash: str) -> Person | None:
    """Find the last person with an address, including one who has left."""
    query = select(people).where(people.c.address_hash == address_hash)
    row = connection.execute(query.order_by(people.c.asked_at.desc()).limit(1)).one_or_none()
    return None if row is None else to_person(row)


def load_state(connection: Connection, endpoint_id: str) -> EndpointState:
    """Load the state of a person's endpoint, which is removed if the person left."""
    query = select(endpoints.c.state).where(endpoints.c.id == endpoint_id)
    state: EndpointState = connection.execute(query).scalar_one()
    return state


def load_people(connection: Connection, endpoint_ids: Sequence[str]) -> dict[str, Person]:
    """Load people by the id of their endpoint, including those who have left."""
    query = select(people).where(people.c.endpoint_id.in_(endpoint_ids))
    return {row.endpoint_id: to_person(row) for row in connection.execute(query)}


def to_person(row: Any) -> Person:
    """Convert a row of `people`."""
    return Person(
        endpoint_id=row.endpoint_id,
        hash=row.address_hash,
        language=row.language,
        entries=row.entries,
        wording=row.wording,
        asked_at=row.asked_at,
        confirmed_at=row.confirmed_at,
        left_at=row.left_at,
        bounces=row.bounces,
    )
