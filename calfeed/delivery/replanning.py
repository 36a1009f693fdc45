"""Repair the effects of a wrong clock: reminders and deliveries that were settled too early."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from calfeed.publish.plan import HORIZON, planned_until, select_unplanned
from calfeed.reminders.plan import pending_reminders
from calfeed.store.catalog.events import load_events, load_fingerprints
from calfeed.store.database import Database
from calfeed.store.endpoints import lifecycle
from calfeed.store.outbox import clock_skew
from calfeed.store.outbox.reminders import load_reminders, schedule_reminders, set_planned_until
from calfeed.store.rows import ReminderRow

_log = logging.getLogger(__name__)

_BATCH_SIZE = 200


@dataclass(frozen=True)
class Replanned:
    """How many reminders are planned again, and how many deliveries are sent after all."""

    reminders: int
    deliveries: int


def replan(database: Database, now: datetime, *, every_event: bool = False) -> Replanned:
    """Repair what was recorded under a clock that was ahead of `now`.

    Idempotent. Plans the missing reminders of events that were published under such a clock, or of
    every event.
    """
    with database.write() as connection:
        reminders = clock_skew.reopen_reminders(connection, now)
        deliveries = clock_skew.reopen_deliveries(connection, now)
        clock_skew.end_overlong_waits(connection, now)
        for endpoint_id in clock_skew.reset_endpoint_times(connection, now):
            released = lifecycle.resume_endpoint(connection, endpoint_id, now)
            deliveries += released.pending if released is not None else 0
    with database.read() as connection:
        if every_event:
            uids = list(load_fingerprints(connection))
        else:
            uids = clock_skew.find_misplanned(connection, now, HORIZON)
    for index in range(0, len(uids), _BATCH_SIZE):
        reminders += _plan_events(database, uids[index : index + _BATCH_SIZE], now)
    if reminders or deliveries:
        _log.warning(
            "a clock was wrong: %d reminders are planned again, %d deliveries are sent after all",
            reminders,
            deliveries,
        )
    return Replanned(reminders, deliveries)


def _plan_events(database: Database, uids: Sequence[str], now: datetime) -> int:
    """Plan the missing reminders of some events; return how many there were."""
    with database.write_exclusive() as connection:
        existing: dict[str, list[ReminderRow]] = {}
        for row in load_reminders(connection, uids=uids):
            existing.setdefault(row.uid, []).append(row)
        planned = []
        until = {}
        for event_row in load_events(connection, uids=uids):
            if event_row.revision.withdrawn:
                continue
            event = event_row.revision.event
            wanted = pending_reminders(event, now, HORIZON)
            planned += select_unplanned(wanted, existing.get(event.uid, []))
            until[event.uid] = planned_until(event, now)
        schedule_reminders(connection, planned)
        set_planned_until(connection, until)
    return len(planned)
