"""The state that a web process serves, kept up to date by a thread that asks the database."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime

from calfeed.errors import StoreError
from calfeed.store.database import Database
from calfeed.store.notices import Listener
from calfeed.web.answers import LookUp
from calfeed.web.snapshot import EMPTY, Snapshot, load_snapshot, read_version

_log = logging.getLogger(__name__)

_POLL = 0.3
"""Seconds between two looks for a new publish, where nothing tells of one."""

_SLOW_POLL = 0.8
"""And where PostgreSQL does: a notice can be lost with its connection."""


def _now() -> datetime:
    return datetime.now(UTC)


class State:
    """The snapshot being served. A database that goes away leaves the last one in place."""

    def __init__(
        self, database: Database, base_url: str, clock: Callable[[], datetime] = _now
    ) -> None:
        self._database = database
        self._base_url = base_url
        self.clock = clock
        self._stopping = False
        self._awake = threading.Event()
        self._listener = Listener(database, self._awake.set)
        self.snapshot: Snapshot = EMPTY
        self.look_up: LookUp | None = None

    def refresh(self) -> bool:
        """Load what is published if it is new; return whether it was.

        Raises StoreError where the database does not answer.
        """
        now = self.clock()
        if read_version(self._database, now) == self.snapshot.version:
            return False
        self.snapshot = load_snapshot(self._database, self._base_url, now, self.snapshot)
        if self.look_up is not None:
            self.look_up.feeds = self.snapshot
        return True

    def check(self) -> None:
        """Raise StoreError unless the database answers."""
        self._database.check()

    def watch(self) -> None:
        """Refresh now, and then whenever something is published, on a thread of its own."""
        self.refresh()
        self._listener.start()
        threading.Thread(target=self._poll, name="calfeed-state", daemon=True).start()

    def stop(self) -> None:
        """End the threads."""
        self._stopping = True
        self._listener.stop()
        self._awake.set()

    def _poll(self) -> None:
        failing = False
        pause = _POLL if self._database.is_sqlite else _SLOW_POLL
        while True:
            self._awake.wait(pause)
            self._awake.clear()
            if self._stopping:
                return
            try:
                self.refresh()
                failing = False
            except StoreError as error:
                if not failing:
                    _log.error("%s; the last published state goes on being served", error)
                failing = True
