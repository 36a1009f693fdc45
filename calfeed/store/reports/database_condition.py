"""The condition of a database, for `calfeed doctor`: its schema, its clock, who uses it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, func, select, text

from calfeed.model.states import EndpointKind, EndpointState
from calfeed.store.catalog.lineage import load_lineage_mark
from calfeed.store.database import Database
from calfeed.store.migrate import HEAD, schema_revision
from calfeed.store.outbox.clock_skew import last_recorded_time
from calfeed.store.outbox.upcoming import earliest_due
from calfeed.store.secrets.resealing import find_keys_in_use
from calfeed.store.tables import endpoints, publishes
from calfeed.store.watching.heartbeats import Heartbeat, list_heartbeats
from calfeed.store.watching.refusals import Refusal, load_refusal

_ROWS_FOR_KEYS = 1_000


class UnwellEndpoint(NamedTuple):
    """A webhook or channel that is disabled for a `reason`, or fails since a time (UTC)."""

    id: str
    state: EndpointState
    reason: str | None
    failing_since: datetime | None


@dataclass(frozen=True)
class Condition:
    """The condition of a database; times are in UTC.

    `revision` is that of its schema, None if it is empty; the other fields have values only with
    the schema of this version, `HEAD`. `clock` is the time of a PostgreSQL server, `writable`
    whether its role may write. `last_worker` is when a worker recorded its time, `due` when the
    first delivery or reminder is or was due. `mark` distinguishes this lineage from others. `keys`
    are the ids of the keys with which something is encrypted, `heartbeats` are the heartbeats of
    processes, `refusal` is why the last publish was refused, `unwell` are the endpoints that are
    disabled or fail.
    """

    revision: str | None = None
    clock: datetime | None = None
    writable: bool = True
    last_publish: datetime | None = None
    last_worker: datetime | None = None
    due: datetime | None = None
    mark: str = ""
    keys: frozenset[str] = frozenset()
    heartbeats: tuple[Heartbeat, ...] = ()
    refusal: Refusal | None = None
    unwell: tuple[UnwellEndpoint, ...] = ()

    @property
    def is_current(self) -> bool:
        """Whether the schema is that of this version."""
        return self.revision == HEAD


def load_condition(database: Database) -> Condition:
    """Look at a database, and change nothing. Raises StoreError if it cannot be read."""
    with database.read() as connection:
        revision = schema_revision(connection)
        if revision != HEAD:
            return Condition(revision)
        return Condition(
            revision,
            None if database.is_sqlite else _read_clock(connection),
            database.is_sqlite or _may_write(connection),
            connection.scalar(select(func.max(publishes.c.at))),
            last_recorded_time(connection),
            earliest_due(connection),
            load_lineage_mark(connection),
            find_keys_in_use(connection, _ROWS_FOR_KEYS),
            tuple(list_heartbeats(connection)),
            load_refusal(connection),
            _list_unwell(connection),
        )


def _list_unwell(connection: Connection) -> tuple[UnwellEndpoint, ...]:
    columns = endpoints.c
    is_unwell = (columns.state == EndpointState.DISABLED) | columns.failing_since.is_not(None)
    is_used = columns.state.in_([EndpointState.ACTIVE, EndpointState.DISABLED])
    query = select(columns.id, columns.state, columns.reason, columns.failing_since)
    webhooks = query.where(columns.kind == EndpointKind.WEBHOOK, is_used, is_unwell)
    rows = connection.execute(webhooks.order_by(columns.created, columns.id))
    return tuple(UnwellEndpoint(*row) for row in rows)


def _read_clock(connection: Connection) -> datetime:
    clock: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    return clock


def _may_write(connection: Connection) -> bool:
    query = "SELECT NOT pg_is_in_recovery() AND has_table_privilege('deliveries', 'INSERT')"
    return bool(connection.scalar(text(query)))
