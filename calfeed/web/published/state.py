"""The state that a web process serves, kept up to date by a thread that asks the database."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

from calfeed.errors import StoreError
from calfeed.store.database import Database
from calfeed.store.migrate import check_schema
from calfeed.store.notices import Listener
from calfeed.store.reports.polls import add_polls
from calfeed.store.sqlite import Identity
from calfeed.web.published.responses import LookUp
from calfeed.web.published.snapshot import EMPTY, Snapshot, load_snapshot, read_version
from calfeed.web.serving.poll_tally import Tally

_log = logging.getLogger(__name__)

_POLL = 0.3
"""Seconds between two looks for a new publish, where nothing tells of one."""

_SLOW_POLL = 0.8
"""And where PostgreSQL does: a notice can be lost with its connection."""

_KEEP = 60.0
"""Seconds between two times that what was counted is added to the database."""


def _now() -> datetime:
    return datetime.now(UTC)


class State:
    """The snapshot being served, and the count of who asked for it.

    `edition` counts the snapshots that this process has had.
    A database that goes away leaves the last snapshot in place, and the count in memory.
    `time_zone` is that of pages about all calendars, empty for the one that they share.
    """

    def __init__(
        self,
        database: Database,
        base_url: str,
        clock: Callable[[], datetime] = _now,
        time_zone: str = "",
    ) -> None:
        self._database = database
        self._base_url = base_url
        self.clock = clock
        self.time_zone = time_zone
        self._stopping = False
        self._awake = threading.Event()
        # No daemon, which would be cut short: a process that ends waits for it.
        self._thread = threading.Thread(target=self._follow, name="calfeed-state")
        self.snapshot: Snapshot = EMPTY
        self.edition = 0
        self._renewed = threading.Condition()
        self.look_up: LookUp | None = None
        self.tally = Tally()
        self._file: Identity | None = None  # which the snapshot was read of
        self._failure: StoreError | None = None  # of the last look for a new publish

    def refresh(self) -> bool:
        """Load what is published if it is new; return whether it was.

        Raises StoreError where the database does not answer.
        """
        now = self.clock()
        file = self._database.identify()
        same = file == self._file
        if same and read_version(self._database, now) == self.snapshot.version:
            return False
        if not same:
            check_schema(self._database)
        # Another database can give the same numbers to other things.
        last = self.snapshot if same else EMPTY
        self.snapshot = load_snapshot(self._database, self._base_url, now, last)
        self._file = file
        if self.look_up is not None:
            self.look_up.feeds = self.snapshot
        with self._renewed:
            self.edition += 1
            self._renewed.notify_all()
        return True

    def wait_for_another(self, edition: int) -> tuple[int, Snapshot]:
        """Wait until there is another edition than this; its number and its snapshot."""
        with self._renewed:
            self._renewed.wait_for(lambda: self.edition != edition)
            return self.edition, self.snapshot

    def check(self) -> None:
        """Raise StoreError unless the database answers, and can be read."""
        self._database.check()
        if self._failure is not None:
            raise self._failure

    def keep_polls(self) -> None:
        """Add what was counted to the database.

        Raises StoreError where it does not answer; what was counted then waits for the next time,
        and counts for that day.
        """
        taken = self.tally.take()
        if not taken:
            return
        try:
            with self._database.write() as connection:
                add_polls(connection, taken, self.clock())
        except StoreError:
            self.tally.give_back(taken)
            raise

    def watch(self) -> None:
        """Refresh now, and then whenever something is published, on a thread of its own.

        It adds what was counted to the database, too: now and then, and when the process ends.
        """
        self.refresh()
        self._thread.start()

    def stop(self) -> None:
        """End that thread, as the end of the main thread does, and wait for it."""
        self._stopping = True
        self._awake.set()
        self._thread.join()

    def _follow(self) -> None:
        with Listener(self._database, self._awake.set):
            self._poll()
            with suppress(StoreError):
                self.keep_polls()

    def _poll(self) -> None:
        pause = _POLL if self._database.is_sqlite else _SLOW_POLL
        keep_at = time.monotonic() + _KEEP
        while True:
            self._awake.wait(pause)
            self._awake.clear()
            if self._stopping or not threading.main_thread().is_alive():
                return
            try:
                self.refresh()
                if time.monotonic() >= keep_at:
                    keep_at = time.monotonic() + _KEEP
                    self.keep_polls()
                if self._failure is not None:
                    _log.warning("the database is back")
                self._failure = None
            except StoreError as error:
                if str(error) != str(self._failure):
                    _log.error("%s; the last published state goes on being served", error)
                self._failure = error
