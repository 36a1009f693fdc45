"""Channels of the channels file, stored as endpoints."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from calfeed.store.database import Connection, Database
from calfeed.store.endpoints.channels import register_channels
from calfeed.store.endpoints.filter_names import find_unknown_names

if TYPE_CHECKING:
    from calfeed.delivery.channels.file import Channel

_log = logging.getLogger(__name__)


def store_channels(database: Database, channels: Mapping[str, Channel], now: datetime) -> None:
    """Store channels as endpoints; log additions, changes, and unknown names in filters."""
    if not channels:
        return
    endpoints = [channel.to_endpoint(now) for channel in channels.values()]
    with database.write() as connection:
        stored = register_channels(connection, endpoints, now)
        warnings = find_channel_warnings(connection, channels)
    for change, ids in (("is added", stored.added), ("is changed", stored.changed)):
        for endpoint_id in ids:
            _log.info("channel %s %s", endpoint_id, change)
    for warning in warnings:
        _log.warning("%s", warning)


def find_channel_warnings(connection: Connection, channels: Mapping[str, Channel]) -> list[str]:
    """Warn about names in filters of channels that are not published (yet)."""
    return [
        f"channel {name}: {fault.message}"
        for name, channel in channels.items()
        for fault in find_unknown_names(connection, channel.filters)
    ]
