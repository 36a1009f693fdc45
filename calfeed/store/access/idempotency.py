"""Answers to requests that must not be done twice: a client that lost one asks again, and gets it.

They stand for a day, and are kept in the transaction that did what they tell of.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select, update

from calfeed.errors import InvalidInputError
from calfeed.store.tables import answers
from calfeed.store.upsert import insert_new

KEPT = timedelta(days=1)
"""For how long an answer stands."""


def claim_key(connection: Connection, key: str, request: str, now: datetime) -> str | None:
    """Take a key for a request; None where it was free, else what was answered the first time.

    Both are hashes. Whoever has taken the key and is still at work is waited for. Raises
    InvalidInputError where it was another request.
    """
    connection.execute(delete(answers).where(answers.c.at < now - KEPT))
    taking = insert_new(connection, answers).values(key=key, request=request, at=now)
    if connection.scalar(taking.returning(answers.c.key)) is not None:
        return None
    row = connection.execute(select(answers).where(answers.c.key == key)).one()
    if row.request != request:
        raise InvalidInputError("this key was given with another request before")
    body: str = row.body
    return body


def keep_answer(connection: Connection, key: str, body: str) -> None:
    """Keep what is answered to the request that has taken a key."""
    connection.execute(update(answers).where(answers.c.key == key).values(body=body))
