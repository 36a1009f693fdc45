"""The id of an installation, which is part of the UIDs that it generates."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from uuid import UUID

from sqlalchemy import Connection, func, select, update

from calfeed.counting import count
from calfeed.errors import InvalidInputError
from calfeed.model.uids import UidScheme
from calfeed.store.tables import installation, revisions


@dataclass(frozen=True)
class Installation:
    """The random id of an installation; publishes up to number `since` are older than the id.

    `first_sequence` is the SEQUENCE of a new event. It is more than 0 after a restore, because the
    event may have been published after the backup was made.
    """

    id: UUID
    since: int = 0
    first_sequence: int = 0


def load_installation(connection: Connection) -> Installation:
    """Load the installation of this database."""
    row = connection.execute(select(installation)).one()
    return Installation(UUID(row.id), row.since, row.first_sequence)


def save_installation(connection: Connection, installed: Installation) -> None:
    """Replace the installation of this database. Nothing must have been published in it."""
    values = asdict(installed) | {"id": str(installed.id)}
    connection.execute(update(installation).values(values))


def change_installation_id(connection: Connection, wanted: UUID) -> None:
    """Give an installation an earlier id, so that it generates the same UIDs as before.

    Raises InvalidInputError if an event is published under the present id, as its UID would change.
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
            "get another UID, and calendar apps would show them twice. Set the id in a "
            "database in which nothing is published yet"
        )
    save_installation(connection, replace(present, id=wanted))


def load_uid_scheme(connection: Connection) -> UidScheme:
    """Load how UIDs are generated.

    Events that were published before the installation had an id keep their UIDs.
    """
    installed = load_installation(connection)
    older = select(revisions.c.uid).where(revisions.c.publish_id <= installed.since).distinct()
    return UidScheme(installed.id, frozenset(connection.scalars(older) if installed.since else ()))
