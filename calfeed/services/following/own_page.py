"""A person's own page: see, change, pause, resume, leave.

Everybody who has the link may do this.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from calfeed.errors import NotFoundError
from calfeed.model.states import EndpointState
from calfeed.reminders.following.choices import (
    Choices,
    filters_of,
    join_follows,
    options_of,
    read_choices,
)
from calfeed.store.database import Connection, Transactions
from calfeed.store.endpoints import lifecycle
from calfeed.store.endpoints.records import Endpoint, load_endpoints
from calfeed.store.outbox.deliveries import DeliveryRow, list_deliveries
from calfeed.store.people.changes import let_go, lock_person, purge_unconfirmed, save_person
from calfeed.store.people.links import opens_page
from calfeed.store.people.records import SCHEME, Person, find_people_key, load_people
from calfeed.store.people.requests import forget_sign_ups

_MAX_DELIVERIES = 200


class PersonDetails(NamedTuple):
    """All data that is stored about a person who follows; `deliveries` are newest first."""

    person: Person
    address: str
    state: EndpointState
    follows: tuple[str, ...]
    choices: Choices
    deliveries: Sequence[DeliveryRow]


class _Followed(NamedTuple):
    person: Person
    endpoint: Endpoint


def show_person(database: Transactions, endpoint_id: str, secret: str) -> PersonDetails | None:
    """Return the stored data about a person; None if the person has left.

    Like all functions here, raises NotFoundError for a wrong link, SealError if the key of the
    address is lost.
    """
    with database.read() as connection:
        _check_link(connection, endpoint_id, secret)
        person = load_people(connection, [endpoint_id]).get(endpoint_id)
        followed = _load(connection, endpoint_id, person)
        if followed is None:
            return None
        person, endpoint = followed
        return PersonDetails(
            person=person,
            address=endpoint.url.removeprefix(SCHEME),
            state=endpoint.state,
            follows=endpoint.filters.follows,
            choices=read_choices(
                endpoint.filters,
                endpoint.options,
                language=person.language,
                entries=person.entries,
            ),
            deliveries=list_deliveries(connection, endpoint_id=endpoint_id, limit=_MAX_DELIVERIES),
        )


def change_person(
    database: Transactions,
    endpoint_id: str,
    secret: str,
    follows: Collection[str],
    choices: Choices,
    now: datetime,
) -> bool:
    """Change a person's choices; return False if the person has left.

    Raises InvalidInputError if nothing would be sent.
    """
    filters = filters_of(join_follows(follows), choices)
    with database.write() as connection:
        followed = _take(connection, endpoint_id, secret)
        if followed is None:
            return False
        person, endpoint = followed
        changed = replace(endpoint, filters=filters, options=options_of(choices))
        lifecycle.change_endpoint(connection, changed, now)
        language, entries = choices.language, choices.entries
        save_person(connection, replace(person, language=language, entries=entries))
        return True


def pause(database: Transactions, endpoint_id: str, secret: str, now: datetime) -> bool:
    """Hold a person's mails until they are resumed; return False if the person has left."""
    with database.write() as connection:
        if _take(connection, endpoint_id, secret) is None:
            return False
        lifecycle.pause_or_disable_endpoint(connection, endpoint_id, EndpointState.PAUSED, now)
        return True


def resume(database: Transactions, endpoint_id: str, secret: str, now: datetime) -> bool:
    """Resume mails to a person who has paused them; return False if the person has left."""
    with database.write() as connection:
        followed = _take(connection, endpoint_id, secret)
        if followed is None:
            return False
        lifecycle.resume_endpoint(connection, endpoint_id, now)
        save_person(connection, replace(followed.person, bounces=0))
        return True


def leave(database: Transactions, endpoint_id: str, secret: str, now: datetime) -> None:
    """Delete a person's address and choices, and send nothing more. Repeating it changes nothing.

    The keyed hash of the address is kept, and so is the proof of consent, if there is one.
    """
    with database.write() as connection:
        _check_link(connection, endpoint_id, secret)
        end_following(connection, endpoint_id, now)


def end_following(connection: Connection, endpoint_id: str, now: datetime) -> None:
    """Delete a person's address and choices within a transaction, as `leave` does."""
    person = lock_person(connection, endpoint_id)
    if person is None:
        raise NotFoundError("person", endpoint_id)
    if person.confirmed_at is None:
        purge_unconfirmed(connection, [endpoint_id], now)
        forget_sign_ups(connection, person.hash)
    elif person.left_at is None:
        let_go(connection, person, now)


def _take(connection: Connection, endpoint_id: str, secret: str) -> _Followed | None:
    """Load and lock a person, to change it in this transaction; None if the person has left."""
    _check_link(connection, endpoint_id, secret)
    return _load(connection, endpoint_id, lock_person(connection, endpoint_id))


def _load(connection: Connection, endpoint_id: str, person: Person | None) -> _Followed | None:
    # Before the confirmation there is no own page: only the confirmation mail has a link.
    if person is None or person.confirmed_at is None:
        raise NotFoundError("person", endpoint_id)
    if person.left_at is not None:
        return None
    endpoint = load_endpoints(connection, [endpoint_id])[endpoint_id]
    return _Followed(person, endpoint.require_readable())


def _check_link(connection: Connection, endpoint_id: str, secret: str) -> None:
    key = find_people_key(connection)
    if key is None or not opens_page(key, endpoint_id, secret):
        raise NotFoundError("person", endpoint_id)
