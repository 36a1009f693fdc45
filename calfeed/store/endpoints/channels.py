"""Channels in the store: endpoints that a file speaks for, not the commands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Connection

from calfeed.model.states import EndpointState
from calfeed.store.endpoints.endpoints import Endpoint, save_endpoint, take_endpoint
from calfeed.store.endpoints.lifecycle import change_endpoint
from calfeed.store.tables import endpoints
from calfeed.store.transitions import Transition
from calfeed.store.upsert import insert_new

_add = Transition([None], EndpointState.ACTIVE)
_revival = Transition([EndpointState.REMOVED], EndpointState.ACTIVE)


@dataclass
class Registered:
    """The ids of the channels that are new, and of those that get or want something else now."""

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)


def register_channels(
    connection: Connection, channels: Iterable[Endpoint], now: datetime
) -> Registered:
    """Keep channels as endpoints: add those that are new, change those that are different.

    One that was removed is added anew, and told only what is said from `now` on. The state of the
    others is left alone, and so are channels that are not among these.
    """
    done = Registered()
    # In one order, or two workers that start could wait for each other.
    for one in sorted(channels, key=lambda each: each.id):
        if _insert(connection, one.id, now) or _revive(connection, one.id, now):
            save_endpoint(connection, one)
            done.added.append(one.id)
            continue
        found = take_endpoint(connection, one.id)
        found_again = found if found.lost is None else found.renew(one.url, one.secret)
        wanted = replace(
            found_again, filters=one.filters, options=one.options, description=one.description
        )
        if wanted != found:
            change_endpoint(connection, wanted, now)
            done.changed.append(one.id)
    return done


def _insert(connection: Connection, endpoint_id: str, now: datetime) -> bool:
    """Make a row to be filled; False where there is one, another worker's perhaps."""
    blank = {"url": "", "description": "", "filters": "{}", "options": "{}", "headers": ""}
    state = _add.to(EndpointState.ACTIVE)
    values = {"id": endpoint_id, **blank, "secret": "", "state": state, "created": now}
    statement = insert_new(connection, endpoints).values(values).returning(endpoints.c.id)
    return connection.scalar(statement) is not None


def _revive(connection: Connection, endpoint_id: str, now: datetime) -> bool:
    """Make a removed endpoint's row one of a new endpoint; False where it was not removed."""
    revived = connection.execute(
        _revival.update()
        .where(endpoints.c.id == endpoint_id)
        .values(created=now)
        .values(settled_at=None, reason=None, failing_since=None, paced_to=None)
    )
    return revived.rowcount == 1
