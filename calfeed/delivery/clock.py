"""The worker's clock: APScheduler, which only wakes the worker and never holds the truth.

A short tick looks at what lies ahead, a date job fires at the exact moment of the next thing, and
the duties come round now and then. Jobs live in memory: after a restart they are made anew from
the database.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.background import BackgroundScheduler

from calfeed.delivery.worker import Worker
from calfeed.errors import StoreError

_log = logging.getLogger(__name__)

TICK = timedelta(milliseconds=250)
"""How soon a worker notices what another process put into the database."""

_DUTIES = timedelta(minutes=10)


class WorkerClock:
    """Wakes a worker when something is due."""

    def __init__(self, worker: Worker, clock: Callable[[], datetime]) -> None:
        self._worker = worker
        self._clock = clock
        self._next: datetime | None = None
        self._failing = False
        self._ticking = threading.Lock()
        self._doing_duties = threading.Lock()
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )

    def start(self) -> None:
        """Begin to tick; the first duties are done at once."""
        # APScheduler reports each tick that it drops because one is still running.
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        seconds = TICK.total_seconds()
        self._scheduler.add_job(self._tick, "interval", seconds=seconds, id="tick")
        self._scheduler.add_job(
            self._do_duties,
            "interval",
            seconds=_DUTIES.total_seconds(),
            id="duties",
            next_run_time=self._clock(),
        )
        self._scheduler.start()

    def stop(self) -> None:
        """Stop ticking, once what is being done at this moment is done."""
        # Not wait=True: it holds the lock that a tick needs to put its job on the list, for ever.
        self._scheduler.shutdown(wait=False)
        with self._ticking, self._doing_duties:
            pass

    def _tick(self) -> None:
        with self._ticking:
            self._look_ahead()

    def _look_ahead(self) -> None:
        try:
            agenda = self._worker.agenda()
        except StoreError as error:
            if not self._failing:
                _log.error("%s; waiting for it", error)
            self._failing = True
            return
        if self._failing:
            _log.info("the database is back")
            self._failing = False
        now = self._clock()
        if agenda.waiting or (agenda.next_at is not None and agenda.next_at <= now):
            self._worker.wake()
        elif agenda.next_at != self._next and agenda.next_at is not None:
            self._next = agenda.next_at
            self._scheduler.add_job(
                self._worker.wake,
                "date",
                run_date=agenda.next_at,
                id="next",
                replace_existing=True,
            )

    def _do_duties(self) -> None:
        with self._doing_duties:
            try:
                self._worker.do_duties()
            except StoreError as error:
                _log.error("%s; the duties are done later", error)
