"""Detect workers whose heartbeats have stopped."""

from __future__ import annotations

import socket
from contextlib import suppress
from datetime import datetime

from calfeed.errors import StoreError
from calfeed.reminders.operational.messages import SilentProcess, worker_silent
from calfeed.store.database import Connection, Database
from calfeed.store.watching.heartbeats import (
    Heartbeat,
    ProcessKind,
    delete_heartbeat,
    list_heartbeats,
)
from calfeed.store.watching.operational import add_operational

_LOOKS = 3
"""The number of checks without a new heartbeat after which a worker counts as silent.

Checks are as far apart as heartbeats, so this takes 45 seconds. It does not depend on the clocks of
other machines.
"""


class SilentWorkerDetector:
    """What one process has seen of the heartbeats of others."""

    def __init__(self) -> None:
        # by id: the time of the last heartbeat, and how often it was seen again
        self._seen: dict[str, tuple[datetime, int]] = {}

    def check(self, connection: Connection, now: datetime) -> None:
        """Check all heartbeats, and report once each worker that has become silent."""
        beats = list_heartbeats(connection)
        workers = [beat for beat in beats if beat.kind is ProcessKind.WORKER]
        before, self._seen = self._seen, {}
        for beat in workers:
            at, looks = before.get(beat.id, (beat.beaten, -1))
            self._seen[beat.id] = (beat.beaten, looks + 1 if at == beat.beaten else 0)
        silent = [beat for beat in workers if self._seen[beat.id][1] >= _LOOKS]
        # Report once, not at each check. If another process has reported it, this adds nothing.
        new = [beat for beat in silent if self._seen[beat.id][1] == _LOOKS]
        others = len(workers) - len(silent)
        add_operational(connection, [worker_silent(_describe(beat), others, now) for beat in new])

    def forget(self) -> None:
        """Begin again after an outage of the database, when no worker could write heartbeats."""
        self._seen.clear()


def report_ended(database: Database, pid: int, now: datetime) -> None:
    """Report that a process of this machine has ended, if it was a worker and left its heartbeat.

    Does nothing if the database cannot be written to; another process then finds it silent.
    """
    with suppress(StoreError), database.write() as connection:
        workers = [beat for beat in list_heartbeats(connection) if beat.kind is ProcessKind.WORKER]
        for beat in workers:
            if (beat.host, beat.pid) == (this_host(), pid):
                message = worker_silent(_describe(beat), len(workers) - 1, now)
                add_operational(connection, [message])
                delete_heartbeat(connection, beat.id)


def this_host() -> str:
    """Return the name of this machine in heartbeats."""
    return socket.gethostname()[:255]


def _describe(beat: Heartbeat) -> SilentProcess:
    return SilentProcess(beat.id, beat.host, beat.pid, beat.version, beat.beaten)
