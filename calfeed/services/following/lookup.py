"""Look up and remove one person by the address, for operators."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from calfeed.errors import NotFoundError
from calfeed.model.states import DeliveryState, EndpointState
from calfeed.services.following.asking import identify_address, read_address
from calfeed.services.following.own_page import end_following
from calfeed.store.database import Transactions
from calfeed.store.endpoints.lifecycle import count_deliveries
from calfeed.store.people.records import find_latest, find_people_key, load_state


class PersonState(NamedTuple):
    """The status of an address: `state` in words, times in UTC, deliveries by state."""

    state: str
    asked_at: datetime
    confirmed_at: datetime | None
    left_at: datetime | None
    deliveries: dict[DeliveryState, int]


_WORDS = {
    EndpointState.UNVERIFIED: "has not confirmed yet",
    EndpointState.ACTIVE: "follows",
    EndpointState.PAUSED: "has paused",
    EndpointState.DISABLED: "follows, but mails bounced, so none are sent",
    EndpointState.REMOVED: "has left",
}


def find_address(database: Transactions, address: str) -> PersonState | None:
    """Return the status of an address; None if it is unknown.

    Raises InvalidInputError if it is not a mail address.
    """
    address = read_address(address)
    with database.read() as connection:
        key = find_people_key(connection)
        person = key and find_latest(connection, identify_address(key, address))
        if not person:
            return None
        return PersonState(
            _WORDS[load_state(connection, person.endpoint_id)],
            person.asked_at,
            person.confirmed_at,
            person.left_at,
            count_deliveries(connection, person.endpoint_id),
        )


def remove_address(database: Transactions, address: str, now: datetime) -> None:
    """Remove the person with an address, at the person's request.

    Raises InvalidInputError if it is not a mail address, NotFoundError if nobody follows by this
    address.
    """
    address = read_address(address)
    with database.write() as connection:
        key = find_people_key(connection)
        person = key and find_latest(connection, identify_address(key, address))
        if not person or person.left_at is not None:
            raise NotFoundError("person", "with this address")
        end_following(connection, person.endpoint_id, now)
