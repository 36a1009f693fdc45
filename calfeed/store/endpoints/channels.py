"""Channels: endpoints that the operator's file defines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Connection

from calfeed.model.states import EndpointState
from calfeed.store.endpoints.lifecycle import change_endpoint
from calfeed.store.endpoints.records import Endpoint, lock_endpoint, save_endpoint
from calfeed.store.tables import endpoints
from calfeed.store.transitions import Transition
from calfeed.store.upsert import insert_new

_add = Transition([None], EndpointState.ACTIVE)
_revival = Transition([EndpointState.REMOVED], EndpointState.ACTIVE)


@dataclass
class ChannelChanges:
    """The ids of the channels that were added or changed."""

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)


def register_channels(
    connection: Connection, channels: Iterable[Endpoint], now: datetime
) -> ChannelChanges:
    """Store channels as endpoints: add new ones and update those that differ.

    A removed channel is added again, and gets messages from `now` on. The states of other channels
    do not change. Channels that are not in `channels` do not change either.
    """
    changes = ChannelChanges()
    # In a fixed order, so that two workers that start together cannot deadlock.
    for channel in sorted(channels, key=lambda channel: channel.id):
        if _insert(connection, channel.id, now) or _revive(connection, channel.id, now):
            save_endpoint(connection, channel)
            changes.added.append(channel.id)
            continue
        stored = lock_endpoint(connection, channel.id)
        base = (
            stored if stored.lost is None else stored.replace_secrets(channel.url, channel.secret)
        )
        changed = replace(
            base,
            filters=channel.filters,
            options=channel.options,
            description=channel.description,
        )
        if changed != stored:
            change_endpoint(connection, changed, now)
            changes.changed.append(channel.id)
    return changes


def _insert(connection: Connection, endpoint_id: str, now: datetime) -> bool:
    """Insert an empty row. Returns False if another worker or an earlier run has inserted it."""
    blank = {"url": "", "description": "", "filters": "{}", "options": "{}", "headers": ""}
    state = _add.to(EndpointState.ACTIVE)
    values = {"id": endpoint_id, **blank, "secret": "", "state": state, "created": now}
    statement = insert_new(connection, endpoints).values(values).returning(endpoints.c.id)
    return connection.scalar(statement) is not None


def _revive(connection: Connection, endpoint_id: str, now: datetime) -> bool:
    """Make a removed endpoint active again. Returns False if it was not removed."""
    revived = connection.execute(
        _revival.update()
        .where(endpoints.c.id == endpoint_id)
        .values(created=now)
        .values(settled_at=None, reason=None, failing_since=None, paced_to=None)
    )
    return revived.rowcount == 1
