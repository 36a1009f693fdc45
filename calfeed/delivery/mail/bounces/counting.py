"""Count permanent bounces, and pause people whose mailbox does not exist."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from calfeed.model.states import EndpointState
from calfeed.store.database import Connection
from calfeed.store.endpoints.lifecycle import suspend_endpoint
from calfeed.store.people.bounces import count_bounces

_log = logging.getLogger(__name__)

MAX_BOUNCES = 3
"""How many mails bounce permanently until a person is paused: one day's fault of a mail server,
which some announce as permanent, pauses nobody who gets few mails."""

REASON = f"mails to this address came back {MAX_BOUNCES} times: there is no such mailbox"


def record_bounces(connection: Connection, endpoint_ids: Sequence[str], now: datetime) -> list[str]:
    """Count a permanent bounce for each of these people, and pause those with too many.

    Returns who was paused. The others are sent to as before.
    """
    counts = count_bounces(connection, endpoint_ids)
    paused = []
    for endpoint_id, count in sorted(counts.items()):
        if count >= MAX_BOUNCES and suspend_endpoint(
            connection, endpoint_id, EndpointState.DISABLED, now, REASON
        ):
            _log.warning("%s is paused: %s", endpoint_id, REASON)
            paused.append(endpoint_id)
    return paused
