"""Retention: delete old bodies, drop held deliveries, end push subscriptions that expired."""

from __future__ import annotations

from datetime import datetime, timedelta

from calfeed.store.database import Database
from calfeed.store.outbox import retention
from calfeed.store.outbox.retention import RetentionPosition
from calfeed.store.push.subscriptions import remove_expired

KEEP_BODIES = timedelta(days=90)
"""How long bodies are kept by default."""

KEEP_HELD = timedelta(days=30)
"""How long an endpoint can be paused or disabled until its held deliveries are dropped."""

_EXPIRED_AT_ONCE = 50
"""Push subscriptions that one transaction removes."""

_MAX_TRANSACTIONS = 100
"""How many transactions of each kind one run makes; the next run continues from there."""


class Retention:
    """Deletes bodies `keep` after they were made, and what was held or subscribed for too long."""

    def __init__(self, database: Database, keep: timedelta = KEEP_BODIES) -> None:
        self._database = database
        self._keep = keep
        self._place: RetentionPosition | None = None

    def run(self, now: datetime) -> None:
        """Do what is due, up to a maximum."""
        for _ in range(_MAX_TRANSACTIONS):
            with self._database.write() as connection:
                if not retention.drop_held(connection, now - KEEP_HELD, now):
                    break
        for _ in range(_MAX_TRANSACTIONS):
            with self._database.write() as connection:
                if not remove_expired(connection, now, _EXPIRED_AT_ONCE):
                    break
        for _ in range(_MAX_TRANSACTIONS):
            with self._database.write() as connection:
                self._place = retention.delete_old_bodies(connection, now - self._keep, self._place)
            if self._place is None:
                break
