"""Channels: what the operator's file names, kept as endpoints."""

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


def keep_channels(database: Database, found: Mapping[str, Channel], now: datetime) -> None:
    """Keep channels as endpoints; log which are new or different, and slips in their filters."""
    if not found:
        return
    wanted = [one.to_endpoint(now) for one in found.values()]
    with database.write() as connection:
        done = register_channels(connection, wanted, now)
        slips = find_channel_slips(connection, found)
    for words, ids in (("is added", done.added), ("is changed", done.changed)):
        for key in ids:
            _log.info("channel %s %s", key, words)
    for slip in slips:
        _log.warning("%s", slip)


def find_channel_slips(connection: Connection, found: Mapping[str, Channel]) -> list[str]:
    """What the filters of channels name that is not published, at least not yet."""
    return [
        f"channel {name}: {slip.message}"
        for name, one in found.items()
        for slip in find_unknown_names(connection, one.filters)
    ]
