"""Idempotency keys: a client that repeats a request with its key gets the first response again.

Responses are kept for a day. Each is stored in the transaction of its request.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select, update

from calfeed.errors import InvalidInputError
from calfeed.store.tables import answers
from calfeed.store.upsert import insert_new

RETENTION = timedelta(days=1)
"""How long a response is kept."""


def claim_key(connection: Connection, key: str, request: str, now: datetime) -> str | None:
    """Claim a key for a request. Returns None if it is new, or the stored response.

    Key and request are hashes. If a request with this key is in progress, wait for it. Raises
    InvalidInputError if the key belongs to another request.
    """
    connection.execute(delete(answers).where(answers.c.at < now - RETENTION))
    claim = insert_new(connection, answers).values(key=key, request=request, at=now)
    if connection.scalar(claim.returning(answers.c.key)) is not None:
        return None
    row = connection.execute(select(answers).where(answers.c.key == key)).one()
    if row.request != request:
        raise InvalidInputError(
            "this idempotency key was used with another request before; use a new key"
        )
    body: str = row.body
    return body


def store_response(connection: Connection, key: str, body: str) -> None:
    """Store the response to the request that has claimed a key."""
    connection.execute(update(answers).where(answers.c.key == key).values(body=body))
