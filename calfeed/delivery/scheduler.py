"""The worker's clock, which only wakes the worker and never holds the truth.

A short tick looks at what lies ahead. A job of APScheduler fires at the exact moment of the next
thing, and another does the duties now and then. They live in memory: after a restart they are
made anew from the database, and so they are when the time jumps: that of the worker, or that of
the machine, by which APScheduler waits. The tick itself counts on the clock that is never set.
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
        self._ahead = self._compare_clocks()
        self._stopping = threading.Event()
        self._ticking = threading.Thread(target=self._tick, name="calfeed-tick", daemon=True)
        self._doing_duties = threading.Lock()
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )

    def start(self) -> None:
        """Begin to tick; the first duties are done at once."""
        # APScheduler reports each job that it drops because one is still running.
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        self._plan_duties()
        self._scheduler.start()
        self._ticking.start()

    def stop(self) -> None:
        """Stop ticking, once what is being done at this moment is done."""
        self._stopping.set()
        self._ticking.join()
        # Not wait=True: it would hold a lock that a job may need.
        self._scheduler.shutdown(wait=False)
        with self._doing_duties:
            pass

    def _tick(self) -> None:
        while not self._stopping.wait(TICK.total_seconds()):
            ahead = self._compare_clocks()
            jumps = [now - before for now, before in zip(ahead, self._ahead, strict=True)]
            self._ahead = ahead
            if max(map(abs, jumps)) > MAX_CORRECTION.total_seconds():
                if abs(jumps[0]) > MAX_CORRECTION.total_seconds():
                    _log.warning("the time has jumped by %+.0f seconds", jumps[0])
                self._next = None
                self._plan_duties()
            try:
                self._look_ahead()
            except Exception:
                _log.exception("looking ahead failed; it is done again")

    def _compare_clocks(self) -> tuple[float, float]:
        """How far the worker's time and the machine's are ahead of the clock that is never set."""
        elapsed = time.monotonic()
        return self._clock().timestamp() - elapsed, read_wall().timestamp() - elapsed

    def _plan_duties(self) -> None:
        self._scheduler.add_job(
            self._do_duties,
            "interval",
            seconds=_DUTIES.total_seconds(),
            id="duties",
            next_run_time=datetime.now(UTC),
            replace_existing=True,
        )

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
                run_date=datetime.now(UTC) + (agenda.next_at - now),
                id="next",
                replace_existing=True,
            )

    def _do_duties(self) -> None:
        with self._doing_duties:
            if self._stopping.is_set():
                return  # nobody waits for these any more, and the database may be closed
            try:
                self._worker.do_duties()
            except StoreError as error:
                _log.error("%s; the duties are done later", error)
