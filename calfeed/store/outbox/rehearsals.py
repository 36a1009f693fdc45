"""Rehearsals: reminders that are sent to one endpoint now, separately from the real ones."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from calfeed.errors import NotFoundError
from calfeed.reminders.messages import Message
from calfeed.store.notices import notify_listeners
from calfeed.store.outbox.messages import add_delivery
from calfeed.store.tables import rehearsals


@dataclass(frozen=True)
class Rehearsal:
    """A rehearsal, made at `at`, of the reminders due in `begins <= due < ends` (UTC).

    `deliveries` are the ids of its deliveries.
    """

    id: str
    endpoint_id: str
    at: datetime
    begins: datetime
    ends: datetime
    deliveries: tuple[int, ...]


def add_rehearsal(
    connection: Connection,
    rehearsal_id: str,
    endpoint_id: str,
    window: tuple[datetime, datetime],
    messages: Sequence[Message],
    now: datetime,
) -> Rehearsal:
    """Store a rehearsal with a delivery of each message, which a worker sends at once."""
    ids = tuple(add_delivery(connection, message, endpoint_id) for message in messages)
    rehearsal = Rehearsal(rehearsal_id, endpoint_id, now, *window, ids)
    values = asdict(rehearsal) | {"deliveries": json.dumps(ids)}
    connection.execute(rehearsals.insert().values(values))
    notify_listeners(connection)
    return rehearsal


def find_rehearsal(connection: Connection, rehearsal_id: str) -> Rehearsal:
    """Load a rehearsal. Raises NotFoundError if it does not exist."""
    query = select(rehearsals).where(rehearsals.c.id == rehearsal_id)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFoundError("rehearsal", rehearsal_id)
    return Rehearsal(**row._asdict() | {"deliveries": tuple(json.loads(row.deliveries))})
