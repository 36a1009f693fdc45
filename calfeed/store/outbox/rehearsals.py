"""Rehearsals: reminders sent now to one endpoint, apart from the real ones."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from calfeed.errors import NotFoundError
from calfeed.reminders.messages import Message
from calfeed.store.notices import announce
from calfeed.store.outbox import outbox
from calfeed.store.tables import rehearsals


@dataclass(frozen=True)
class Rehearsal:
    """A rehearsal made at `at` of what is due in `begins <= due < ends` (UTC)."""

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
    """Keep a rehearsal, with a delivery for each of its messages that a worker sends at once."""
    numbers = tuple(outbox.add_delivery(connection, one, endpoint_id) for one in messages)
    made = Rehearsal(rehearsal_id, endpoint_id, now, *window, numbers)
    connection.execute(
        rehearsals.insert().values(
            id=made.id,
            endpoint_id=made.endpoint_id,
            at=made.at,
            begins=made.begins,
            ends=made.ends,
            deliveries=json.dumps(numbers),
        )
    )
    announce(connection)
    return made


def find_rehearsal(connection: Connection, rehearsal_id: str) -> Rehearsal:
    """A rehearsal by its id. Raises NotFoundError where there is none."""
    query = select(rehearsals).where(rehearsals.c.id == rehearsal_id)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFoundError("rehearsal", rehearsal_id)
    return Rehearsal(
        row.id, row.endpoint_id, row.at, row.begins, row.ends, tuple(json.loads(row.deliveries))
    )
