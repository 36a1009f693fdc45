"""Idempotent requests: process a request once, and replay its response."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from calfeed.errors import InvalidInputError
from calfeed.store.access.idempotency import claim_key, store_response
from calfeed.store.database import Database, JoinedTransaction, Transactions


class UsedKeyError(InvalidInputError):
    """The key was used for another request."""


class StoredResponse(NamedTuple):
    """A response body, and its stored form, which is replayed."""

    text: str
    stored: str
    replayed: bool = False


def do_once(
    database: Database,
    key: str,
    request: str,
    now: datetime,
    do: Callable[[Transactions], StoredResponse],
) -> StoredResponse:
    """Process a request and store its key in one transaction; replay the response of a used key.

    `key` and `request` are hashes. Raises UsedKeyError if the key was used for another request.
    """
    with database.write() as connection:
        try:
            stored = claim_key(connection, key, request, now)
        except InvalidInputError as error:
            raise UsedKeyError(str(error)) from error
        if stored is not None:
            return StoredResponse(stored, stored, replayed=True)
        response = do(JoinedTransaction(connection))
        store_response(connection, key, response.stored)
        return response
