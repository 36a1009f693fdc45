"""The worker's clock when the machine's is set, by an hour, in either direction."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from calfeed.delivery.engine.worker import Worker
from calfeed.delivery.scheduler import WorkerScheduler
from calfeed.reminders.filters import Filters
from calfeed.store.outbox import claims
from tests.delivery.office import Office, wait_until, working
from tests.delivery.test_in_flight import wait_for_lease
from tests.publish.desk import BASE, STAY

HOUR = timedelta(hours=1)
DUE = datetime(2025, 6, 23, 4, 0, tzinfo=UTC)


class Counting(Worker):
    """Counts the maintenance runs."""

    maintenance_runs = 0

    def run_maintenance(self) -> None:
        self.maintenance_runs += 1


def make_scheduler(office: Office) -> tuple[Counting, WorkerScheduler]:
    worker = Counting(office.database, office.sender, BASE, lambda: office.now, lambda: 0.5)
    return worker, WorkerScheduler(worker, lambda: office.now)


@pytest.mark.parametrize("step", [HOUR, -HOUR], ids=["forward", "back"])
def test_what_comes_due_after_the_clock_was_set_is_told(office: Office, step: timedelta) -> None:
    office.now = DUE - 3 * HOUR
    office.subscribe(filters=Filters(types=("reminder.due",)))
    office.publish(STAY.format(start="2025-06-30"))
    worker, scheduler = make_scheduler(office)
    with working(worker):
        scheduler.start()
        wait_until(lambda: worker.maintenance_runs == 1)
        office.now += step
        wait_until(lambda: worker.maintenance_runs == 2)
        assert office.receiver.posts == []
        office.now = DUE
        wait_until(lambda: len(office.receiver.posts) == 1)
        scheduler.stop()


def test_what_is_put_out_after_the_clock_was_set_back_is_told_at_once(office: Office) -> None:
    """An event that is added: the tick sees it, whatever the time is."""
    office.subscribe(filters=Filters(types=("event.added",)))
    worker, scheduler = make_scheduler(office)
    with working(worker):
        scheduler.start()
        wait_until(lambda: worker.maintenance_runs == 1)
        office.now -= timedelta(minutes=10)
        wait_until(lambda: worker.maintenance_runs == 2)
        office.publish(STAY.format(start="2025-06-30"))
        wait_until(lambda: len(office.receiver.posts) == 1)
        scheduler.stop()


@pytest.mark.parametrize("step", [HOUR, -HOUR], ids=["forward", "back"])
def test_claims_are_renewed_when_the_clock_was_set(office: Office, step: timedelta) -> None:
    """Else they would be over at once, or only an hour after their worker's death."""
    office.subscribe("/hang")
    office.publish(STAY.format(start="2025-06-30"))
    began = office.now
    with working(office.make_worker()):
        wait_for_lease(office.database, began + claims.LEASE)
        office.now += step
        wait_until(lambda: office.deliveries()[0].next_at == office.now + claims.LEASE)
        office.receiver.released.set()


def test_no_maintenance_begins_once_the_clock_has_stopped(office: Office) -> None:
    """Its scheduler may have one on its way then; nobody would wait for it."""
    worker, scheduler = make_scheduler(office)
    scheduler.start()
    wait_until(lambda: worker.maintenance_runs == 1)
    scheduler.stop()
    scheduler._run_maintenance()
    assert worker.maintenance_runs == 1
