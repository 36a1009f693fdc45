"""Endpoints: where messages are sent, and which each of them wants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, update

from calfeed.errors import NotFoundError
from calfeed.reminders.filters import Filters
from calfeed.store.tables import deliveries, endpoints


@dataclass(frozen=True)
class Endpoint:
    """A receiver of webhooks. `state`: active, disabled (it answered 410) or removed.

    The secret is not part of its repr, so that no log shows it.
    """

    id: str
    url: str = field(repr=False)
    filters: Filters
    secret: str = field(repr=False)
    created: datetime
    description: str = ""
    state: str = "active"


def add_endpoint(connection: Connection, endpoint: Endpoint) -> None:
    """Keep a new endpoint."""
    connection.execute(
        endpoints.insert().values(
            id=endpoint.id,
            url=endpoint.url,
            description=endpoint.description,
            filters=endpoint.filters.model_dump_json(exclude_defaults=True),
            secret=endpoint.secret,
            state=endpoint.state,
            created=endpoint.created,
        )
    )


def list_endpoints(connection: Connection) -> list[Endpoint]:
    """Every endpoint that was not removed, oldest first."""
    query = select(endpoints).where(endpoints.c.state != "removed")
    rows = connection.execute(query.order_by(endpoints.c.created, endpoints.c.id))
    return [_to_endpoint(row) for row in rows]


def find_endpoint(connection: Connection, endpoint_id: str) -> Endpoint:
    """One endpoint by its id. Raises NotFoundError where there is none, or no longer."""
    query = select(endpoints).where(endpoints.c.id == endpoint_id, endpoints.c.state != "removed")
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFoundError(
            f'there is no endpoint "{endpoint_id}"; `calfeed endpoint list` shows those there are'
        )
    return _to_endpoint(row)


def load_endpoints(connection: Connection, ids: Sequence[str]) -> dict[str, Endpoint]:
    """Active endpoints by id."""
    query = select(endpoints).where(endpoints.c.id.in_(ids), endpoints.c.state == "active")
    return {row.id: _to_endpoint(row) for row in connection.execute(query)}


def page_of_endpoints(connection: Connection, after: str, limit: int) -> list[Endpoint]:
    """Active endpoints in the order of their ids, from the one behind `after` on."""
    query = select(endpoints).where(endpoints.c.id > after, endpoints.c.state == "active")
    rows = connection.execute(query.order_by(endpoints.c.id).limit(limit))
    return [_to_endpoint(row) for row in rows]


def count_active(connection: Connection) -> int:
    """How many endpoints are active."""
    query = select(func.count()).select_from(endpoints).where(endpoints.c.state == "active")
    return int(connection.scalar(query) or 0)


def retire_endpoint(connection: Connection, endpoint_id: str, state: str, now: datetime) -> bool:
    """Remove or disable an active endpoint, and drop what is still pending for it.

    Returns False where somebody else did so first.
    """
    changed = connection.execute(
        update(endpoints)
        .where(endpoints.c.id == endpoint_id, endpoints.c.state.not_in([state, "removed"]))
        .values(state=state, settled_at=now)
    )
    connection.execute(
        update(deliveries)
        .where(deliveries.c.endpoint_id == endpoint_id, deliveries.c.state == "pending")
        .values(state="dropped", settled_at=now)
    )
    return changed.rowcount == 1


def _to_endpoint(row: Any) -> Endpoint:
    return Endpoint(
        id=row.id,
        url=row.url,
        filters=Filters.model_validate_json(row.filters),
        secret=row.secret,
        created=row.created,
        description=row.description,
        state=row.state,
    )
