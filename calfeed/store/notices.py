"""Notifications of changes to all processes on the same PostgreSQL, by NOTIFY and LISTEN.

A notification has no content and can be lost with its connection, so listeners also poll the
database. On SQLite and behind a pooler there are no notifications, and processes only poll.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Self

from sqlalchemy import Connection, text

from calfeed.errors import StoreError
from calfeed.store.database import Database

_CHANNEL = "calfeed"
_STOP_CHECK_SECONDS = 1.0
_RECONNECT_SECONDS = 1.0


def notify_listeners(connection: Connection) -> None:
    """Notify all listeners of a change when this transaction is committed."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"NOTIFY {_CHANNEL}"))


class Listener:
    """Calls `on_notice` after each notification, on a thread of its own.

    `on_notice` is also called after each new connection, as notifications may have been missed.
    """

    def __init__(self, database: Database, on_notice: Callable[[], None]) -> None:
        self._database = database
        self._on_notice = on_notice
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="calfeed-notices", daemon=True)

    def start(self) -> None:
        """Start the thread, on PostgreSQL only."""
        if not self._database.is_sqlite:
            self._thread.start()

    def stop(self) -> None:
        """Stop the thread, which takes about a second."""
        self._stopping.set()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        import psycopg  # not installed with SQLite only

        while not self._stopping.is_set():
            try:
                with self._database.listen(_CHANNEL) as connection:
                    if connection is None:
                        return
                    self._on_notice()
                    self._follow(connection)
            except (StoreError, psycopg.Error):
                self._stopping.wait(_RECONNECT_SECONDS)

    def _follow(self, connection: Any) -> None:
        while not self._stopping.is_set():
            for _ in connection.notifies(timeout=_STOP_CHECK_SECONDS, stop_after=1):
                self._on_notice()
