"""Send many deliveries again: in steps, so that no transaction grows with their number."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from calfeed.store.database import Database
from calfeed.store.outbox.deliveries import Retried, retry

_STEP = 1000
"""How many deliveries are made pending again in one transaction."""


def retry_all(database: Database, chosen: Sequence[int], now: datetime) -> Retried:
    """Make deliveries that were given up pending again, as `deliveries.retry` does.

    Raises NotFoundError where one of them is not there.
    """
    done = Retried()
    for index in range(0, len(chosen), _STEP):
        with database.write() as connection:
            part = retry(connection, chosen[index : index + _STEP], now)
        done.pending += part.pending
        done.held += part.held
        done.refused |= part.refused
    return done
