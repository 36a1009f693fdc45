"""Pings of a dead man's switch: a service elsewhere that alerts when the pings stop."""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from calfeed.delivery.transport.fetching import ping
from calfeed.errors import InvalidInputError, StoreError
from calfeed.settings import Settings
from calfeed.store.database import Database
from calfeed.store.outbox.upcoming import earliest_due

_INTERVAL_SECONDS = 60.0

MAX_LAG = timedelta(minutes=5)
"""How long something may be due before the pings stop."""

MIN_FREE_BYTES = 100_000_000
"""How much space has to be free for a SQLite file.

Nothing is sent if it cannot be recorded.
"""

_log = logging.getLogger(__name__)


def is_on_time(database: Database, now: datetime) -> bool:
    """Whether the database can be read, and nothing has been due for longer than `MAX_LAG`."""
    try:
        with database.read() as connection:
            due = earliest_due(connection)
    except StoreError:
        return False
    return due is None or now - due <= MAX_LAG


def has_space(database: Database) -> bool:
    """Whether space is left for a SQLite file.

    True for PostgreSQL, which reports a full disk by an error.
    """
    if database.file is None:
        return True
    try:
        return shutil.disk_usage(database.file.path.parent).free >= MIN_FREE_BYTES
    except OSError:
        return False


class DeadMansSwitch:
    """Pings the URL in the settings, while all is well."""

    def __init__(self, settings: Settings, is_well: Callable[[], bool]) -> None:
        self._settings = settings
        self._is_well = is_well
        self._failing = False

    def ping(self) -> None:
        """Ping once if all is well; log the first of several failures, without the URL."""
        if self._settings.heartbeat_url is None or not self._is_well():
            return
        url = self._settings.heartbeat_url.get_secret_value()
        try:
            ping(
                url,
                allow_private=self._settings.allow_private_endpoints,
                egress_proxy=self._settings.proxy,
            )
        except InvalidInputError as error:
            if not self._failing:
                _log.warning("the ping of CALFEED_HEARTBEAT_URL failed: %s", error)
            self._failing = True
        else:
            self._failing = False


@contextmanager
def pinging(settings: Settings, is_well: Callable[[], bool]) -> Iterator[None]:
    """Ping once a minute, on a thread, during the `with` block, if the settings have a URL."""
    if settings.heartbeat_url is None:
        yield
        return
    switch, stopping = DeadMansSwitch(settings, is_well), threading.Event()

    def run() -> None:
        switch.ping()
        while not stopping.wait(_INTERVAL_SECONDS):
            switch.ping()

    # A ping may take long, so the end of the block does not wait for this thread.
    threading.Thread(target=run, name="calfeed-ping", daemon=True).start()
    try:
        yield
    finally:
        stopping.set()
