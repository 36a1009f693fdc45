"""Word of a change, from the process that made it to all others on the same PostgreSQL.

A notice only says that it is worth to look. It can be lost with its connection, so whoever
listens looks now and then without one. SQLite has none, and behind a pooler none arrives: their
processes only look.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Self

from sqlalchemy import Connection, text

from calfeed.errors import StoreError
from calfeed.store.database import Database

_CHANNEL = "calfeed"
_LOOK = 1.0  # seconds between two looks whether to stop
_PAUSE = 1.0


def announce(connection: Connection) -> None:
    """Tell every process, once this transaction is committed, that there is something new."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"NOTIFY {_CHANNEL}"))


class Listener:
    """Calls `heard` after each notice, on a thread of its own, for as long as `with` lasts.

    Also after each new connection, for what may have been missed before it.
    """

    def __init__(self, database: Database, heard: Callable[[], None]) -> None:
        self._database = database
        self._heard = heard
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="calfeed-notices", daemon=True)

    def start(self) -> None:
        """Begin to listen, where there is something to be heard."""
        if not self._database.is_sqlite:
            self._thread.start()

    def stop(self) -> None:
        """End the thread, within a second or so."""
        self._stopping.set()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        import psycopg  # which SQLite does without

        while not self._stopping.is_set():
            try:
                with self._database.listen(_CHANNEL) as connection:
                    if connection is None:
                        return
                    self._heard()
                    self._follow(connection)
            except (StoreError, psycopg.Error):
                # Whoever asks the database now and then says that it is away.
                self._stopping.wait(_PAUSE)

    def _follow(self, connection: Any) -> None:
        while not self._stopping.is_set():
            for _ in connection.notifies(timeout=_LOOK, stop_after=1):
                self._heard()
