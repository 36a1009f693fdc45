"""The scheduler: wakes the worker when something is due, and runs its maintenance.

A tick, on the monotonic clock, reads the worker's agenda. An APScheduler job wakes the worker at
the exact time of the next item, and another job runs maintenance. The jobs are in memory only, and
are created again after a restart and when the worker's or the machine's clock jumps.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.background import BackgroundScheduler

from calfeed.clock import MAX_CORRECTION, read_wall
from calfeed.delivery.engine.worker import Worker
from calfeed.errors import SchemaError, StoreError

_log = logging.getLogger(__name__)

TICK_INTERVAL = timedelta(milliseconds=250)
"""How often a worker checks for what other processes wrote to the database."""

_MAINTENANCE_INTERVAL = timedelta(minutes=10)


class WorkerScheduler:
    """Wakes a worker when something is due."""

    def __init__(self, worker: Worker, clock: Callable[[], datetime]) -> None:
        self._worker = worker
        self._clock = clock
        self._next_wake: datetime | None = None
        self._failing = False
        self._clock_offsets = self._read_clock_offsets()
        self._stopping = threading.Event()
        self._ticking = threading.Thread(target=self._tick, name="calfeed-tick", daemon=True)
        self._maintenance_lock = threading.Lock()
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )

    def start(self) -> None:
        """Start ticking; the first maintenance runs at once."""
        # APScheduler logs a warning for each job that it skips because one is still running.
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        self._schedule_maintenance()
        self._scheduler.start()
        self._ticking.start()

    def stop(self) -> None:
        """Stop ticking; return once the current tick and maintenance are done."""
        self._stopping.set()
        self._ticking.join()
        # Not wait=True, because it would hold a lock that a job may need.
        self._scheduler.shutdown(wait=False)
        with self._maintenance_lock:
            pass

    def _tick(self) -> None:
        while not self._stopping.wait(TICK_INTERVAL.total_seconds()):
            offsets = self._read_clock_offsets()
            jumps = [now - before for now, before in zip(offsets, self._clock_offsets, strict=True)]
            self._clock_offsets = offsets
            if max(map(abs, jumps)) > MAX_CORRECTION.total_seconds():
                if abs(jumps[0]) > MAX_CORRECTION.total_seconds():
                    _log.warning("the time has jumped by %+.0f seconds", jumps[0])
                self._next_wake = None
                self._schedule_maintenance()
            try:
                self._schedule_wake()
            except Exception:
                _log.exception("the next due work could not be read; retrying")

    def _read_clock_offsets(self) -> tuple[float, float]:
        """The worker's and the machine's clock, as seconds ahead of the monotonic clock."""
        elapsed = time.monotonic()
        return self._clock().timestamp() - elapsed, read_wall().timestamp() - elapsed

    def _schedule_maintenance(self) -> None:
        self._scheduler.add_job(
            self._run_maintenance,
            "interval",
            seconds=_MAINTENANCE_INTERVAL.total_seconds(),
            id="maintenance",
            next_run_time=datetime.now(UTC),
            replace_existing=True,
        )

    def _schedule_wake(self) -> None:
        """Wake the worker now if something is due, else at the time of the next item."""
        try:
            agenda = self._worker.agenda()
        except SchemaError:
            self._worker.wake()  # the worker gets the same error, and ends
            return
        except StoreError as error:
            if not self._failing:
                _log.error("%s; retrying until the database is available", error)
            self._failing = True
            return
        if self._failing:
            _log.info("the database is available again")
            self._failing = False
        now = self._clock()
        if agenda.unfinished or (agenda.next_at is not None and agenda.next_at <= now):
            self._worker.wake()
        elif agenda.next_at != self._next_wake and agenda.next_at is not None:
            self._next_wake = agenda.next_at
            self._scheduler.add_job(
                self._worker.wake,
                "date",
                run_date=datetime.now(UTC) + (agenda.next_at - now),
                id="next",
                replace_existing=True,
            )

    def _run_maintenance(self) -> None:
        with self._maintenance_lock:
            if self._stopping.is_set():
                return  # the database may be closed by now
            try:
                self._worker.run_maintenance()
            except SchemaError:
                self._worker.wake()
            except StoreError as error:
                _log.error("%s; maintenance runs again later", error)
