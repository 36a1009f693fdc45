"""Retention, as a duty of every worker: step by step, so that no transaction is long."""

from __future__ import annotations

from datetime import datetime, timedelta

from calfeed.store.database import Database
from calfeed.store.outbox import retention
from calfeed.store.outbox.retention import RetentionPosition

KEEP = timedelta(days=90)
"""How long bodies are kept where nothing else is said."""

HELD = timedelta(days=30)
"""How long an endpoint can be paused or disabled until what is held for it is dropped."""

_STEPS = 100
"""How many transactions one duty makes at the most; the next goes on from there."""


class Retention:
    """Forgets bodies `keep` after they were made, and drops what is held for too long."""

    def __init__(self, database: Database, keep: timedelta = KEEP) -> None:
        self._database = database
        self._keep = keep
        self._place: RetentionPosition | None = None

    def work(self, now: datetime) -> None:
        """Do as much as is due, up to a bound: what nobody will take first, then the bodies."""
        for _ in range(_STEPS):
            with self._database.write() as connection:
                if not retention.drop_held(connection, now - HELD, now):
                    break
        for _ in range(_STEPS):
            with self._database.write() as connection:
                self._place = retention.delete_old_bodies(connection, now - self._keep, self._place)
            if self._place is None:
                break
