"""Changes of people's records: add, change, remove."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, case, delete, func, select, update

from calfeed.model.states import EndpointState
from calfeed.store.endpoints import lifecycle
from calfeed.store.people.records import Person, to_person
from calfeed.store.people.requests import forget_sign_ups
from calfeed.store.tables import attempts, deliveries, endpoints, people

_NOT_KEPT = "not kept: the person has left"


class PeopleCounts(NamedTuple):
    """The numbers of people by state; the paused and the bounced ones are also in `confirmed`."""

    confirmed: int
    paused: int
    bounced: int
    waiting: int
    left: int


def add_person(connection: Connection, person: Person) -> None:
    """Store a person, whose endpoint exists."""
    connection.execute(
        people.insert().values(
            endpoint_id=person.endpoint_id,
            address_hash=person.hash,
            language=person.language,
            entries=person.entries,
            wording=person.wording,
            asked_at=person.asked_at,
            confirmed_at=person.confirmed_at,
        )
    )


def lock_person(connection: Connection, endpoint_id: str) -> Person | None:
    """Find a person by endpoint, even one who left, and lock the record."""
    query = select(people).where(people.c.endpoint_id == endpoint_id).with_for_update()
    row = connection.execute(query).one_or_none()
    return None if row is None else to_person(row)


def save_person(connection: Connection, person: Person) -> None:
    """Store the language, the choice of entries, the confirmation and the count of bounces."""
    connection.execute(
        update(people)
        .where(people.c.endpoint_id == person.endpoint_id)
        .values(
            language=person.language,
            entries=person.entries,
            confirmed_at=person.confirmed_at,
            bounces=person.bounces,
        )
    )


def let_go(connection: Connection, person: Person, now: datetime) -> None:
    """Remove a person: delete the address, the choices and requests, and drop pending deliveries.

    The hash of the address, the proof of consent and the record of what was sent are kept.
    """
    _empty_endpoint(connection, person.endpoint_id, now)
    forget_sign_ups(connection, person.hash)
    leaving = update(people).where(people.c.endpoint_id == person.endpoint_id)
    connection.execute(leaving.values(left_at=now, language="", entries=False, bounces=0))


def purge_unconfirmed(connection: Connection, ids: Collection[str], now: datetime) -> None:
    """Remove people who never confirmed, with their hashes."""
    for endpoint_id in ids:
        _empty_endpoint(connection, endpoint_id, now)
    unconfirmed = people.c.endpoint_id.in_(ids) & people.c.confirmed_at.is_(None)
    connection.execute(delete(people).where(unconfirmed))


def forget_consent(connection: Connection, since: datetime) -> None:
    """Delete the records of people who left at `since` or earlier."""
    connection.execute(delete(people).where(people.c.left_at <= since))


def count_people(connection: Connection) -> PeopleCounts:
    """Count people by state."""
    here = people.c.left_at.is_(None)
    confirmed = here & people.c.confirmed_at.is_not(None)
    conditions = (
        confirmed,
        confirmed & (endpoints.c.state == EndpointState.PAUSED),
        confirmed & (endpoints.c.state == EndpointState.DISABLED),
        here & people.c.confirmed_at.is_(None),
        people.c.left_at.is_not(None),
    )
    sums = [func.sum(case((condition, 1), else_=0)) for condition in conditions]
    query = select(*sums).join_from(people, endpoints, endpoints.c.id == people.c.endpoint_id)
    return PeopleCounts(*(int(number or 0) for number in connection.execute(query).one()))


def _empty_endpoint(connection: Connection, endpoint_id: str, now: datetime) -> None:
    """Remove an endpoint, and the personal data in its row and its attempts."""
    lifecycle.remove_endpoint(connection, endpoint_id, now)
    connection.execute(
        update(endpoints)
        .where(endpoints.c.id == endpoint_id)
        .values(filters='{"public_only":true}', options="{}", reason=None, failing_since=None)
    )
    sent = select(deliveries.c.id).where(deliveries.c.endpoint_id == endpoint_id)
    error = case((attempts.c.error.is_not(None), _NOT_KEPT), else_=None)
    # A mail server's response can quote the address.
    scrub = update(attempts).where(attempts.c.delivery_id.in_(sent))
    connection.execute(scrub.values(response=None, error=error))
