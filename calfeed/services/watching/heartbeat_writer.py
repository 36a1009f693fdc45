"""Write the heartbeats of a process while it runs, and continue after errors of the database."""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta

from calfeed import __version__
from calfeed.errors import StoreError
from calfeed.services.watching.silent_workers import SilentWorkerDetector, this_host
from calfeed.store.database import Database
from calfeed.store.watching.heartbeats import (
    BEAT_INTERVAL,
    Heartbeat,
    ProcessKind,
    delete_heartbeat,
    write_heartbeat,
)

_MISSED_BEATS = 2
"""How many heartbeats in a row may fail before the database counts as not writable."""


class HeartbeatWriter:
    """Writes the heartbeats of this process, and looks for workers whose heartbeats have stopped.

    While the database is not writable, no heartbeat is written, and `is_beating` returns False.
    """

    def __init__(
        self,
        database: Database,
        kind: ProcessKind,
        clock: Callable[[], datetime],
        interval: timedelta,
    ) -> None:
        self._database = database
        self._clock = clock
        self._seconds = interval.total_seconds()
        self._first = _describe_process(kind, clock())
        self._silent_workers = SilentWorkerDetector()
        self._beaten_at = time.monotonic()

    def is_beating(self) -> bool:
        """Whether a heartbeat was written recently, so the database is writable."""
        return time.monotonic() - self._beaten_at < (_MISSED_BEATS + 1) * self._seconds

    def run(self, stopping: threading.Event) -> None:
        """Beat until stopped."""
        while not stopping.wait(self._beat()):
            pass

    def stop(self) -> None:
        """Record that this process ends on purpose, for example because the schema has changed."""
        with suppress(StoreError), self._database.write(any_schema=True) as connection:
            delete_heartbeat(connection, self._first.id)

    def _beat(self) -> float:
        """Write a heartbeat, and return the seconds until the next."""
        try:
            with self._database.write() as connection:
                now = self._clock()
                write_heartbeat(connection, replace(self._first, beaten=now))
                self._silent_workers.check(connection, now)
            self._beaten_at = time.monotonic()
        except StoreError:
            self._silent_workers.forget()
        return self._seconds


@contextmanager
def beating(
    database: Database,
    kind: ProcessKind,
    clock: Callable[[], datetime],
    interval: timedelta = BEAT_INTERVAL,
) -> Iterator[HeartbeatWriter]:
    """Write heartbeats of this process on a thread, during the `with` block."""
    writer, stopping = HeartbeatWriter(database, kind, clock, interval), threading.Event()
    thread = threading.Thread(
        target=writer.run, args=(stopping,), name="calfeed-heartbeat", daemon=True
    )
    thread.start()
    try:
        yield writer
    finally:
        stopping.set()
        thread.join()
        writer.stop()


def _describe_process(kind: ProcessKind, now: datetime) -> Heartbeat:
    return Heartbeat(
        id=secrets.token_hex(16),
        kind=kind,
        host=this_host(),
        pid=os.getpid(),
        version=__version__,
        started=now,
        beaten=now,
    )
