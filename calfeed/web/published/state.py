"""The current snapshot of a web process, refreshed by a thread that polls the database."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

from calfeed.errors import StoreError
from calfeed.store.database import Database
from calfeed.store.engines.sqlite import Identity
from calfeed.store.migrate import check_schema
from calfeed.store.notices import Listener
from calfeed.store.reports.polls import add_polls
from calfeed.web.published.responses import StoredResponseMiddleware
from calfeed.web.published.snapshot import EMPTY, Snapshot, load_snapshot, read_version
from calfeed.web.serving.poll_counter import PollCounter

_log = logging.getLogger(__name__)

_SQLITE_POLL_SECONDS = 0.3

_POSTGRESQL_POLL_SECONDS = 0.8
"""The interval on PostgreSQL, where NOTIFY reports a publish at once.

Polling is still needed, because a notification is lost if the connection breaks.
"""

_SAVE_POLLS_SECONDS = 60.0


def _now() -> datetime:
    return datetime.now(UTC)


class State:
    """The snapshot being served, and the poll counts of its feeds.

    `generation` counts the snapshots of this process. While the database is unavailable, the last
    snapshot is served and the counts stay in memory. `time_zone` is used for pages about all
    calendars; if it is empty, these pages use the zone that all calendars share.
    """

    def __init__(
        self,
        database: Database,
        base_url: str,
        clock: Callable[[], datetime] = _now,
        time_zone: str = "",
    ) -> None:
        self.database = database
        self._base_url = base_url
        self.clock = clock
        self.time_zone = time_zone
        self._stopping = False
        self._wake_up = threading.Event()
        # Not a daemon thread: the process has to wait until it has saved the poll counts.
        self._thread = threading.Thread(target=self._follow, name="calfeed-state")
        self.snapshot: Snapshot = EMPTY
        self.generation = 0
        self._changed = threading.Condition()
        self.middleware: StoredResponseMiddleware | None = None
        self.poll_counter = PollCounter()
        self._file: Identity | None = None  # the database file of the snapshot
        self._failure: StoreError | None = None  # of the last poll

    def refresh(self) -> bool:
        """Load a new snapshot if the published state changed; return whether it did.

        Raises StoreError if the database is unavailable.
        """
        now = self.clock()
        file = self.database.identify()
        same = file == self._file
        if same and read_version(self.database, now) == self.snapshot.version:
            return False
        if not same:
            check_schema(self.database)
        # In another database, the same ids can belong to other data.
        last = self.snapshot if same else EMPTY
        self.snapshot = load_snapshot(self.database, self._base_url, now, last)
        self._file = file
        if self.middleware is not None:
            self.middleware.source = self.snapshot
        with self._changed:
            self.generation += 1
            self._changed.notify_all()
        return True

    def wait_for_generation(self, last: int) -> tuple[int, Snapshot]:
        """Wait for a generation other than `last`; return its number and snapshot."""
        with self._changed:
            self._changed.wait_for(lambda: self.generation != last)
            return self.generation, self.snapshot

    def check(self) -> None:
        """Raise StoreError unless the database is available and readable."""
        self.database.check()
        if self._failure is not None:
            raise self._failure

    def save_polls(self) -> None:
        """Add the poll counts to the database.

        Raises StoreError if the database is unavailable. The counts are then kept and saved later,
        as counts of the day on which they are saved.
        """
        taken = self.poll_counter.take()
        if not taken:
            return
        try:
            with self.database.write() as connection:
                add_polls(connection, taken, self.clock())
        except StoreError:
            self.poll_counter.restore(taken)
            raise

    def watch(self) -> None:
        """Refresh now, and start a thread that refreshes after each publish.

        The thread also saves the poll counts, every minute and when the process ends.
        """
        self.refresh()
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread and wait for it. It also stops when the main thread ends."""
        self._stopping = True
        self._wake_up.set()
        self._thread.join()

    def _follow(self) -> None:
        with Listener(self.database, self._wake_up.set):
            self._poll()
            with suppress(StoreError):
                self.save_polls()

    def _poll(self) -> None:
        pause = _SQLITE_POLL_SECONDS if self.database.is_sqlite else _POSTGRESQL_POLL_SECONDS
        save_at = time.monotonic() + _SAVE_POLLS_SECONDS
        while True:
            self._wake_up.wait(pause)
            self._wake_up.clear()
            if self._stopping or not threading.main_thread().is_alive():
                return
            try:
                self.refresh()
                if time.monotonic() >= save_at:
                    save_at = time.monotonic() + _SAVE_POLLS_SECONDS
                    self.save_polls()
                if self._failure is not None:
                    _log.warning("the database is available again")
                self._failure = None
            except StoreError as error:
                if str(error) != str(self._failure):
                    _log.error("%s; serving the last published state", error)
                self._failure = error
