"""Polling: a receiver fetches the messages of its endpoint, and acknowledges earlier ones."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from calfeed.errors import NotFoundError
from calfeed.reminders.signing import sign_headers
from calfeed.store.database import Connection, Transactions
from calfeed.store.endpoints.records import Endpoint, find_endpoint
from calfeed.store.outbox import fetches
from calfeed.store.outbox.messages import load_bodies

MAX_FETCHED = 100
"""The maximum number of messages in the response to a poll."""

MAX_BYTES = 1_000_000
"""The maximum size of all bodies in the response to a poll.

A single body that is larger is returned alone.
"""


class FetchedMessage(NamedTuple):
    """A message as a webhook would send it: its headers, with signatures, and its body."""

    delivery_id: int
    headers: Mapping[str, str]
    body: bytes


def fetch_messages(
    database: Transactions,
    endpoint_id: str,
    received: Collection[int],
    limit: int,
    now: datetime,
) -> Sequence[FetchedMessage]:
    """Return messages that wait for a polled endpoint, oldest first.

    `received` are the ids of deliveries whose messages the receiver has stored; these are not
    returned again. All others are returned again, so that a lost response loses no message. For a
    paused or disabled endpoint, no messages are returned. Raises NotFoundError for an endpoint that
    is not polled, SealError if its secret cannot be decrypted.
    """
    if not received:
        with database.read() as connection:
            endpoint = _find_polled(connection, endpoint_id)
            if not (
                endpoint.accepts_messages and fetches.has_fetchable(connection, endpoint_id, now)
            ):
                return []
    with database.write() as connection:
        endpoint = _find_polled(connection, endpoint_id)
        if received:
            fetches.acknowledge(connection, endpoint_id, received, now)
        return _take(connection, endpoint, limit, now) if endpoint.accepts_messages else []


def _find_polled(connection: Connection, endpoint_id: str) -> Endpoint:
    endpoint = find_endpoint(connection, endpoint_id).require_readable()
    if not endpoint.is_polled:
        raise NotFoundError("polled endpoint", endpoint_id, "its messages are sent to its URL")
    return endpoint


def _take(
    connection: Connection, endpoint: Endpoint, limit: int, now: datetime
) -> list[FetchedMessage]:
    secrets, size = endpoint.secrets_at(now), 0
    fetched: list[FetchedMessage] = []
    after = 0
    while claims := fetches.take_fetchable(connection, endpoint.id, now, limit, after):
        bodies = load_bodies(connection, [(claim.message_id, claim.language) for claim in claims])
        for claim in claims:
            message = bodies[claim.message_id, claim.language]
            if message.unreadable:  # its key is lost; later messages need not wait
                continue
            size += len(message.body)
            if len(fetched) == limit or (fetched and size > MAX_BYTES):
                return fetched
            headers = sign_headers(claim.message_id, now, message.body, secrets)
            fetched.append(FetchedMessage(claim.delivery_id, headers, message.body))
        if len(fetched) == limit:
            break
        after = claims[-1].delivery_id
    return fetched
