"""The id of an installation, which goes into the UIDs that it makes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import Connection, func, select, update

from calfeed.counting import count
from calfeed.errors import InvalidInputError
from calfeed.model.uids import UidScheme
from calfeed.store.tables import installation, revisions


@dataclass(frozen=True)
class Installation:
    """An installation's random id; publishes up to number `since` were made before it had one.

    `first_sequence` is the SEQUENCE of a new event: more than 0 after a restore, as the event may
    have been published in the time that was lost.
    """

    id: UUID
    since: int = 0
    first_sequence: int = 0


def load_installation(connection: Connection) -> Installation:
    """The id of this database's installation."""
    row = connection.execute(select(installation)).one()
    return Installation(UUID(row.id), row.since, row.first_sequence)


def save_installation(connection: Connection, one: Installation) -> None:
    """Give this database another installation's id. Nothing may be published in it."""
    values = {"id": str(one.id), "since": one.since, "first_sequence": one.first_sequence}
    connection.execute(update(installation).values(values))


def set_id(connection: Connection, wanted: UUID) -> None:
    """Give an installation an id that it had before, so that it makes the UIDs of that time again.

    Raises InvalidInputError where an event was published under the id that it has: its UID would
    change.
    """
    present = load_installation(connection)
    if wanted == present.id:
        return
    first = func.min(revisions.c.publish_id)
    query = select(revisions.c.uid).group_by(revisions.c.uid).having(first > present.since)
    published = connection.scalar(select(func.count()).select_from(query.subquery()))
    if published:
        raise InvalidInputError(
            f"the id stays {present.id}: {count(published, 'published event')} would "
            "get another UID, and calendar apps would take them for others. An id is set in a "
            "database in which nothing is published yet"
        )
    save_installation(connection, replace(present, id=wanted))


def load_scheme(connection: Connection) -> UidScheme:
    """How this installation makes UIDs; what it published before it had an id keeps its own."""
    one = load_installation(connection)
    kept = select(revisions.c.uid).where(revisions.c.publish_id <= one.since).distinct()
    return UidScheme(one.id, frozenset(connection.scalars(kept) if one.since else ()))
