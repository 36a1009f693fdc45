"""Count permanent bounces, and pause people whose mailbox does not exist."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from calfeed.model.states import EndpointState
from calfeed.store.database import Connection
from calfeed.store.endpoints.lifecycle import pause_or_disable_endpoint
from calfeed.store.people.bounces import count_bounces

_log = logging.getLogger(__name__)

MAX_BOUNCES = 3
"""How many permanent bounces pause a person.

Some mail servers report temporary faults as permanent; a fault of one day does not pause a person
who gets few mails.
"""

REASON = f"{MAX_BOUNCES} mails to this address bounced: there is no such mailbox"


def record_bounces(connection: Connection, endpoint_ids: Sequence[str], now: datetime) -> list[str]:
    """Count a permanent bounce for each of these people, and pause people with too many.

    Returns the people who were paused. The others still get mails.
    """
    counts = count_bounces(connection, endpoint_ids)
    paused = []
    for endpoint_id, count in sorted(counts.items()):
        if count >= MAX_BOUNCES and pause_or_disable_endpoint(
            connection, endpoint_id, EndpointState.DISABLED, now, REASON
        ):
            _log.warning("%s is paused: %s", endpoint_id, REASON)
            paused.append(endpoint_id)
    return paused
