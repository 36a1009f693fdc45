"""Plan again what a wrong clock has settled: after it is put right, and when somebody asks."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from calfeed.publish.plan import HORIZON, find_open, planned_until
from calfeed.reminders.plan import pending_reminders
from calfeed.store.catalog.events import load_events
from calfeed.store.catalog.fingerprints import load_fingerprints
from calfeed.store.database import Database
from calfeed.store.endpoints import lifecycle
from calfeed.store.outbox import clock_skew
from calfeed.store.outbox.reminders import load_reminders, schedule_reminders, set_planned_until
from calfeed.store.rows import ReminderRow

_log = logging.getLogger(__name__)

_BATCH = 200


@dataclass(frozen=True)
class Replanned:
    """How many reminders are on the list again, and how many deliveries are sent after all."""

    reminders: int
    deliveries: int


def replan(database: Database, now: datetime, *, every_event: bool = False) -> Replanned:
    """Put right what was recorded by a clock that was ahead of `now`.

    Reminders that are missing on the list are planned for the events that were published by such
    a clock, or for all. Doing it again changes nothing.
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
    for index in range(0, len(uids), _BATCH):
        reminders += _plan_events(database, uids[index : index + _BATCH], now)
    found = Replanned(reminders, deliveries)
    if found.reminders or found.deliveries:
        _log.warning(
            "a clock was wrong: %d reminders are planned again, %d deliveries are sent after all",
            found.reminders,
            found.deliveries,
        )
    return found


def _plan_events(database: Database, uids: Sequence[str], now: datetime) -> int:
    with database.write_exclusive() as connection:
        kept: dict[str, list[ReminderRow]] = {}
        for row in load_reminders(connection, uids=uids):
            kept.setdefault(row.uid, []).append(row)
        planned = []
        until = {}
        for event_row in load_events(connection, uids=uids):
            if event_row.revision.withdrawn:
                continue
            event = event_row.revision.event
            wanted = pending_reminders(event, now, HORIZON)
            planned += find_open(wanted, kept.get(event.uid, []))
            until[event.uid] = planned_until(event, now)
        schedule_reminders(connection, planned)
        set_planned_until(connection, until)
    return len(planned)
