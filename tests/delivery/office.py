"""A site with a worker that posts to a receiver on loopback; the tests set the time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from calfeed.delivery.engine.worker import Worker
from calfeed.delivery.transport.sender import Sender
from calfeed.reminders.filters import Filters
from calfeed.reminders.signing import make_secret, sign_headers
from calfeed.store.database import Database
from calfeed.store.endpoints.records import Endpoint, add_endpoint, lock_endpoint, save_endpoint
from calfeed.store.outbox.claims import LEASE
from calfeed.store.outbox.deliveries import DeliveryRow
from tests.delivery.receiver import Post, Receiver
from tests.patience import PATIENCE
from tests.publish.desk import BASE, NOW, Desk
from tests.store.keeping import read_deliveries

SECRET = make_secret(bytes(range(24)))

_LONGEST_PAUSE = 0.05
"""Seconds between two looks at a worker: looking takes its processor away."""


class Office(Desk):
    """A desk, a sender and a receiver; `now` is the time for every worker."""

    def __init__(self, database: Database, sender: Sender, receiver: Receiver) -> None:
        super().__init__(database)
        self.sender = sender
        self.receiver = receiver
        self.base_url = BASE

    def subscribe(
        self, path: str = "/status/204", name: str = "end_1", filters: Filters | None = None
    ) -> None:
        """Add an endpoint at a path of the receiver."""
        endpoint = Endpoint(
            name, self.receiver.url(path), filters or Filters(), SECRET, NOW - timedelta(days=1)
        )
        with self.database.write() as connection:
            add_endpoint(connection, endpoint)

    def redirect(self, path: str, name: str = "end_1") -> None:
        """Let the receiver behave otherwise from now on."""
        with self.database.write() as connection:
            found = lock_endpoint(connection, name)
            save_endpoint(connection, replace(found, url=self.receiver.url(path)))

    def make_worker(self) -> Worker:
        return Worker(self.database, self.sender, BASE, lambda: self.now, lambda: 0.5)

    def work(self, until: Callable[[], bool]) -> None:
        """Let a worker run at the time that is now until something is so."""
        with working(self.make_worker()):
            wait_until(until)

    def deliver(self) -> list[DeliveryRow]:
        """Let a worker do what there is to do now, to its end, and return every delivery."""
        self.work(self.is_done)
        return self.deliveries()

    def is_done(self) -> bool:
        """Whether nothing is to be sent at this time, and nothing is on its way.

        Asked twice: an outcome that is recorded between two reads can become a message.
        """
        return self._seems_done() and self._seems_done()

    def _seems_done(self) -> bool:
        if not self.is_idle():
            return False
        # Read after it: what is claimed in between is on its way.
        pending = [row for row in self.deliveries() if row.state == "pending"]
        return not any(row.next_at == self.now + LEASE for row in pending)

    def is_idle(self) -> bool:
        agenda = self.make_worker().agenda()
        return not agenda.unfinished and (agenda.next_at is None or agenda.next_at > self.now)

    def deliveries(self) -> list[DeliveryRow]:
        return read_deliveries(self.database)


@contextmanager
def working(worker: Worker) -> Iterator[None]:
    """A worker on a thread of its own."""
    thread = threading.Thread(target=worker.run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        worker.stop()
        thread.join(PATIENCE)
        assert not thread.is_alive()


def wait_until(condition: Callable[[], bool], seconds: float = PATIENCE) -> None:
    """Return as soon as something is so."""
    deadline, pause = time.monotonic() + seconds, 0.005
    while not condition():
        assert time.monotonic() < deadline, f"not so after {seconds} s"
        threading.Event().wait(pause)
        pause = min(1.5 * pause, _LONGEST_PAUSE)


def check_signature(post: Post) -> None:
    """The signature is that of these bytes, this id and this timestamp."""
    at = datetime.fromtimestamp(int(post.headers["webhook-timestamp"]), UTC)
    headers: dict[str, Any] = sign_headers(post.headers["webhook-id"], at, post.body, [SECRET])
    assert post.headers["webhook-signature"] == headers["webhook-signature"]
