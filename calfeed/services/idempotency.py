"""Requests that are done once, however often they are sent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from calfeed.errors import InvalidInputError
from calfeed.store.access.idempotency import claim_key, store_response
from calfeed.store.database import Database, JoinedTransaction, Transactions


class UsedKeyError(InvalidInputError):
    """The key was used for another request."""


class Answered(NamedTuple):
    """An answer as it is given, and as it is kept for whoever asks again."""

    text: str
    kept: str
    replayed: bool = False


def do_once(
    database: Database,
    key: str,
    request: str,
    now: datetime,
    do: Callable[[Transactions], Answered],
) -> Answered:
    """Do a request in one transaction with its key, unless the key was used: then answer again.

    `key` and `request` are hashes. Raises UsedKeyError where the key was used for another request.
    """
    with database.write() as connection:
        try:
            before = claim_key(connection, key, request, now)
        except InvalidInputError as error:
            raise UsedKeyError(str(error)) from error
        if before is not None:
            return Answered(before, before, replayed=True)
        made = do(JoinedTransaction(connection))
        store_response(connection, key, made.kept)
        return made
