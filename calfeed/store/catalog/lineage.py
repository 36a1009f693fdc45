"""The lineage of a database: its installation and its publishes. A restore compares lineages."""

from __future__ import annotations

import hashlib
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
"""The kind of a revision that a restore adds to raise SEQUENCE. It changes nothing else."""


RESTORE = "calfeed restore"
"""The command that is recorded for a publish that a restore made."""


@dataclass(frozen=True)
class Lineage:
    """The id of an installation, and the times (UTC) of its publishes by number."""

    installation: UUID
    publishes: Mapping[int, datetime]

    def continues(self, other: Lineage) -> bool:
        """Whether this is the same or a later state of the other."""
        same = self.installation == other.installation
        return same and other.publishes.items() <= self.publishes.items()

    @property
    def last_publish(self) -> datetime | None:
        """The time of the last publish."""
        return max(self.publishes.values(), default=None)


def load_lineage(connection: Connection) -> Lineage:
    """Load the lineage of a database."""
    rows = connection.execute(select(publishes.c.id, publishes.c.at))
    return Lineage(load_installation(connection).id, {row.id: row.at for row in rows})


def load_lineage_mark(connection: Connection) -> str:
    """Return a short text that changes only with a restore, or with the installation's id.

    After a restore, new publishes get numbers that were used before. The text is another then.
    """
    restores = select(publishes.c.id, publishes.c.at).where(publishes.c.command == RESTORE)
    last = connection.execute(restores.order_by(publishes.c.id.desc()).limit(1)).one_or_none()
    text = f"{load_installation(connection).id} {tuple(last or ())}"
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def load_last_sequences(connection: Connection) -> dict[str, int]:
    """Load the highest SEQUENCE of each UID in the ledger."""
    query = select(revisions.c.uid, func.max(revisions.c.sequence)).group_by(revisions.c.uid)
    return {row[0]: row[1] for row in connection.execute(query)}


def load_last_revisions(connection: Connection) -> dict[str, str]:
    """Load the last revision (JSON) of each UID in the ledger."""
    last = func.max(revisions.c.sequence).label("sequence")
    newest = select(revisions.c.uid, last).group_by(revisions.c.uid).subquery()
    query = select(revisions.c.uid, revisions.c.revision).join(
        newest,
        (newest.c.uid == revisions.c.uid) & (newest.c.sequence == revisions.c.sequence),
    )
    rows = connection.execute(query)
    return {row.uid: row.revision for row in rows if row.revision is not None}


def save_restored_revisions(
    connection: Connection, raised: Mapping[str, tuple[Revision, str]], number: int
) -> None:
    """Add revisions, each with its JSON, to the ledger and to the published events."""
    values = [
        {
            "uid": uid,
            "sequence": revision.sequence,
            "calendar": revision.event.calendar,
            "kind": RESTORED,
            "at": revision.modified,
            "revision": text,
            "publish_id": number,
        }
        for uid, (revision, text) in raised.items()
    ]
    owners = [(revision.event.calendar,) for revision, _ in raised.values()]
    connection.execute(revisions.insert(), seal_rows(connection, revisions, values, owners))
    statement = update(events).where(events.c.uid == bindparam("of_uid"))
    connection.execute(
        statement.values(revision=bindparam("text")),
        [
            {"of_uid": row["uid"], "text": row["revision"]}
            for row in seal_rows(connection, events, values, owners)
        ],
    )


def count_unsettled_deliveries(connection: Connection) -> int:
    """Count deliveries that are pending, held or gathered."""
    query = select(func.count()).select_from(deliveries).where(deliveries.c.settled_at.is_(None))
    return connection.scalar(query) or 0
