"""Try an endpoint: a test message that is sent now, and what the receiver answered."""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable
from datetime import datetime

from calfeed.delivery.engine.attempts import post_now
from calfeed.delivery.senders import open_sender_to
from calfeed.reminders.messages import probe_message
from calfeed.settings import Settings
from calfeed.store.database import Database
from calfeed.store.endpoints.endpoints import find_endpoint
from calfeed.store.outbox import outbox
from calfeed.store.outbox.claims import Attempt


def probe(
    database: Database, settings: Settings, endpoint_id: str, clock: Callable[[], datetime]
) -> Attempt:
    """Send a test message to an endpoint now, paused or not, and return the attempt.

    It is a delivery like others: one that fails is tried again. Raises NotFoundError for no such
    endpoint, InvalidInputError for a channel that this process cannot send to, SealError for an
    endpoint whose secrets cannot be read.
    """
    with database.read() as connection:
        found = find_endpoint(connection, endpoint_id).check()
    with open_sender_to(settings, found.url) as sender:
        with database.write() as connection:
            message = probe_message(endpoint_id, clock(), secrets.token_hex(8))
            number = outbox.add_delivery(connection, message, endpoint_id)
        return post_now(database, sender, number, clock, random.random)
