"""Retention: delete old bodies, drop held deliveries, purge people and push subscriptions."""

from __future__ import annotations

from datetime import datetime, timedelta

from calfeed.delivery.sign_ups import CONFIRM_WITHIN
from calfeed.store.database import Database
from calfeed.store.outbox import retention
from calfeed.store.outbox.retention import RetentionPosition
from calfeed.store.people import changes, requests
from calfeed.store.push.subscriptions import remove_expired

KEEP_BODIES = timedelta(days=90)
"""How long bodies are kept by default."""

KEEP_HELD = timedelta(days=30)
"""How long an endpoint can be paused or disabled before its held deliveries are dropped, and how
long a polled endpoint's deliveries wait to be fetched."""

_EXPIRED_AT_ONCE = 50
"""The maximum number of push subscriptions that one transaction removes."""
KEEP_CONSENT = timedelta(days=3 * 365)
"""How long the proof of consent of a person who left is kept, with the hash of the address."""

_PEOPLE_BATCH = 100
"""The maximum number of people that one transaction removes."""

_MAX_TRANSACTIONS = 100
"""The maximum number of transactions of each kind in one run; the next run continues from there."""


class Retention:
    """Deletes bodies `keep` after they were made, ends deliveries that are held too long, deletes
    people who did not confirm or left long ago, and deletes push subscriptions that expired."""

    def __init__(self, database: Database, keep: timedelta = KEEP_BODIES) -> None:
        self._database = database
        self._keep = keep
        self._place: RetentionPosition | None = None

    def run(self, now: datetime) -> None:
        """Run the steps that are due, up to a maximum number of transactions."""
        for _ in range(_MAX_TRANSACTIONS):
            with self._database.write() as connection:
                if not retention.drop_held(connection, now - KEEP_HELD, now):
                    break
        for _ in range(_MAX_TRANSACTIONS):
            with self._database.write() as connection:
                if not retention.end_unfetched(connection, now - KEEP_HELD, now):
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
        self._forget_people(now)

    def _forget_people(self, now: datetime) -> None:
        since = now - CONFIRM_WITHIN
        for _ in range(_MAX_TRANSACTIONS):
            with self._database.write() as connection:
                unconfirmed = requests.list_unconfirmed(connection, since, _PEOPLE_BATCH)
                changes.purge_unconfirmed(connection, unconfirmed, now)
            if len(unconfirmed) < _PEOPLE_BATCH:
                break
        with self._database.write() as connection:
            requests.delete_old_requests(connection, since)
            changes.forget_consent(connection, now - KEEP_CONSENT)
