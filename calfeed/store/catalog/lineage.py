"""Where a database comes from, and how far it has come: what a restore has to know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, bindparam, func, select, update

from calfeed.model.revision import Revision
from calfeed.store.catalog.installation import load_installation
from calfeed.store.secrets.private import seal_rows
from calfeed.store.tables import deliveries, events, publishes, revisions

RESTORED = "restored"
"""The kind of a revision that changes nothing but SEQUENCE, after a restore: it is no news."""


@dataclass(frozen=True)
class Lineage:
    """An installation's id, and when (UTC) its publishes were, by number."""

    installation: UUID
    publishes: Mapping[int, datetime]

    def continues(self, other: Lineage) -> bool:
        """Whether this is the same or a later state of the other."""
        same = self.installation == other.installation
        return same and other.publishes.items() <= self.publishes.items()

    @property
    def last_publish(self) -> datetime | None:
        """When the last publish was."""
        return max(self.publishes.values(), default=None)


def load_lineage(connection: Connection) -> Lineage:
    """Where a database comes from."""
    rows = connection.execute(select(publishes.c.id, publishes.c.at))
    return Lineage(load_installation(connection).id, {row.id: row.at for row in rows})


def load_sequences(connection: Connection) -> dict[str, int]:
    """The highest SEQUENCE of each UID there ever was."""
    query = select(revisions.c.uid, func.max(revisions.c.sequence)).group_by(revisions.c.uid)
    return {row[0]: row[1] for row in connection.execute(query)}


def load_newest(connection: Connection) -> dict[str, str]:
    """The newest revision (JSON) of each UID there ever was."""
    last = func.max(revisions.c.sequence).label("sequence")
    newest = select(revisions.c.uid, last).group_by(revisions.c.uid).subquery()
    query = select(revisions.c.uid, revisions.c.revision).join(
        newest,
        (newest.c.uid == revisions.c.uid) & (newest.c.sequence == revisions.c.sequence),
    )
    rows = connection.execute(query)
    return {row.uid: row.revision for row in rows if row.revision is not None}


def save_raised(
    connection: Connection, raised: Mapping[str, tuple[Revision, str]], number: int
) -> None:
    """Add revisions, each with its JSON, to the ledger, and show them where an event is shown."""
    values = [
        {
            "uid": uid,
            "sequence": one.sequence,
            "calendar": one.event.calendar,
            "kind": RESTORED,
            "at": one.modified,
            "revision": text,
            "publish_id": number,
        }
        for uid, (one, text) in raised.items()
    ]
    owners = [(one.event.calendar,) for one, _ in raised.values()]
    connection.execute(revisions.insert(), seal_rows(connection, revisions, values, owners))
    shown = update(events).where(events.c.uid == bindparam("of_uid"))
    connection.execute(
        shown.values(revision=bindparam("text")),
        [
            {"of_uid": one["uid"], "text": one["revision"]}
            for one in seal_rows(connection, events, values, owners)
        ],
    )


def count_unsettled(connection: Connection) -> int:
    """How many deliveries wait to be sent, or for their digest."""
    query = select(func.count()).select_from(deliveries).where(deliveries.c.settled_at.is_(None))
    return connection.scalar(query) or 0
