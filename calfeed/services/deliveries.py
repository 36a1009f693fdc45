"""Deliveries: send again what failed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from calfeed.store.database import Transactions
from calfeed.store.endpoints.records import find_endpoint
from calfeed.store.outbox.deliveries import RetryResult, list_failed_ids, retry

_STEP = 1000
"""How many deliveries are made pending again in one transaction."""


def retry_deliveries(database: Transactions, numbers: Sequence[int], now: datetime) -> RetryResult:
    """Make deliveries that failed pending again, each under its own webhook-id.

    Raises NotFoundError where one of them is not there; what came before it is done.
    """
    done = RetryResult()
    for index in range(0, len(numbers), _STEP):
        with database.write() as connection:
            part = retry(connection, numbers[index : index + _STEP], now)
        done.pending += part.pending
        done.held += part.held
        done.refused |= part.refused
    return done


def retry_failed(
    database: Transactions,
    endpoint_id: str,
    since: datetime,
    now: datetime,
    limit: int | None = None,
) -> RetryResult:
    """Do so with what ended in vain for an endpoint since a time, the oldest `limit` of it.

    Raises NotFoundError where there is no such endpoint.
    """
    with database.read() as connection:
        find_endpoint(connection, endpoint_id)
        numbers = list_failed_ids(connection, endpoint_id, since)[:limit]
    return retry_deliveries(database, numbers, now)
