"""Retry failed deliveries."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from calfeed.store.database import Transactions
from calfeed.store.endpoints.records import find_endpoint
from calfeed.store.outbox.deliveries import RetryResult, list_failed_ids, retry

_BATCH_SIZE = 1000
"""The maximum number of deliveries that one transaction makes pending."""


def retry_deliveries(database: Transactions, ids: Sequence[int], now: datetime) -> RetryResult:
    """Make failed deliveries pending again. Each keeps its webhook-id.

    Raises NotFoundError for an unknown id; the batches before it are retried nonetheless.
    """
    retried = RetryResult()
    for index in range(0, len(ids), _BATCH_SIZE):
        with database.write() as connection:
            part = retry(connection, ids[index : index + _BATCH_SIZE], now)
        retried.pending += part.pending
        retried.held += part.held
        retried.refused |= part.refused
    return retried


def retry_failed(
    database: Transactions,
    endpoint_id: str,
    since: datetime,
    now: datetime,
    limit: int | None = None,
) -> RetryResult:
    """Retry the deliveries of an endpoint that failed at or after `since`.

    Deliveries that expired since then are in the result as refused. With a `limit`, only the oldest
    deliveries of both states are tried, up to this number.

    Raises NotFoundError for an unknown endpoint.
    """
    with database.read() as connection:
        find_endpoint(connection, endpoint_id)
        ids = list_failed_ids(connection, endpoint_id, since)[:limit]
    return retry_deliveries(database, ids, now)
