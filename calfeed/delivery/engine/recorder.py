"""The recorder: follows claimed deliveries until their outcome is recorded.

It runs on a thread of its own. While the worker's thread claims more, the recorder collects
outcomes, sends queued requests, records attempts and renews leases.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta

from calfeed.delivery.engine.attempts import claim_of, record_outcomes
from calfeed.delivery.engine.concurrency import ConcurrencyLimits, endpoint_of
from calfeed.delivery.transport.sender import Outcome, Request, Sender
from calfeed.errors import ReplacedError, SchemaError, StoreError
from calfeed.store.database import Database
from calfeed.store.outbox import claims as store
from calfeed.store.outbox.claims import Claim

_log = logging.getLogger(__name__)

_RENEWAL_INTERVAL = store.LEASE / 3
"""How often leases are renewed: a request for a slow endpoint can be queued for minutes."""

BATCH_SECONDS = 0.02
"""How long outcomes are collected before one transaction records them."""

_RETRY_SECONDS = 1.0
"""The pause after a database error."""

_RECOVERED_SECONDS = 5.0
"""The time without an error after which the database counts as available again."""

_REPEAT_LOG_SECONDS = 600.0
"""How often a lasting error is logged again."""

_IDLE_WAIT_SECONDS = 1.0

_SHUTDOWN_SECONDS = 16.0
"""How long a stopping worker waits for requests that were sent: longer than a POST's time limit.

A channel may take longer. Then the lease expires, and the message is sent once more."""


class Recorder:
    """Sends requests and records their outcomes, between `start` and `stop`. Thread-safe.

    `wake` is called after outcomes have caused operational messages, which have to be fanned out.
    `report` gets the outcomes that are recorded; it must return at once.
    """

    def __init__(
        self,
        database: Database,
        sender: Sender,
        limits: ConcurrencyLimits,
        clock: Callable[[], datetime],
        random: Callable[[], float],
        wake: Callable[[], None],
        report: Callable[[Sequence[Outcome]], None] | None = None,
    ) -> None:
        self._wake_worker = wake
        self._database = database
        self._report = report
        self._sender = sender
        self._limits = limits
        self._clock = clock
        self._random = random
        self._executor = ThreadPoolExecutor(1, "calfeed-recorder")
        self._running: Future[None] | None = None
        self._stopping = threading.Event()
        self._wake = threading.Event()  # there is work, or it is time to stop

        # Shared; use only under the lock. The lock also covers each move of a request from a queue
        # to the sender, so that a recall finds every request that was not sent.
        self._lock = threading.Lock()
        self._claims: set[Claim] = set()
        self._renewed_at = clock()
        self._revalidations = 0
        self._must_revalidate = False  # a publish may have superseded deliveries in flight

        # Used by the recorder's thread only.
        self._unrecorded: list[Outcome] = []
        self._releasing: dict[Claim, float] = {}  # seconds until the next claim

    @property
    def in_flight(self) -> int:
        """How many claims are neither recorded nor released."""
        return len(self._claims)

    @property
    def revalidations(self) -> int:
        """The number of calls of `revalidate`. Read it before claiming, and pass it to `add`."""
        return self._revalidations

    def start(self) -> None:
        """Start the thread."""
        self._running = self._executor.submit(self._run)

    def check(self) -> None:
        """Raise the error that ended the thread, if one did."""
        if self._running is not None and self._running.done():
            self._running.result()

    def stop(self) -> None:
        """Release queued deliveries, and return once the sent ones are recorded."""
        self._stopping.set()
        self._wake.set()
        self._executor.shutdown()
        self.check()

    def add(self, requests: Sequence[Request], revalidations: int, now: datetime) -> None:
        """Queue requests of deliveries claimed at `now`, and send as many as the limits allow."""
        with self._lock:
            if not self._claims:
                self._renewed_at = now
            self._claims.update(map(claim_of, requests))
            # A revalidation since the claim may have run without these deliveries.
            self._must_revalidate |= revalidations != self._revalidations
            self._limits.enqueue(requests)
            self._sender.submit(self._limits.dequeue(time.monotonic()))
        self._wake.set()

    def revalidate(self) -> None:
        """Let the thread check soon whether deliveries in flight are still pending.

        A publish may have superseded them.
        """
        with self._lock:
            self._revalidations += 1
            self._must_revalidate = True

    # The recorder's thread.

    def _run(self) -> None:
        steps = StepRunner(self._stopping)
        while not self._stopping.is_set():
            if not steps.run(self._step):
                self.revalidate()
        self._recall(lambda _: True)
        deadline = time.monotonic() + _SHUTDOWN_SECONDS
        while self._claims and time.monotonic() < deadline:
            if not steps.run(self._record):
                return  # the leases expire
            self._collect(1.0)

    def _step(self) -> None:
        # Do not send if the database was replaced: the attempts could not be recorded.
        self._database.identify()
        if self._limits.outstanding:
            self._collect(BATCH_SECONDS)
        elif not (self._unrecorded or self._releasing):
            self._wake.wait(_IDLE_WAIT_SECONDS)
            self._wake.clear()
        self._record()

    def _collect(self, seconds: float) -> None:
        """Collect outcomes for up to `seconds`, and send queued requests meanwhile."""
        deadline = time.monotonic() + seconds
        remaining = seconds
        while remaining >= 0:
            outcomes = self._sender.results(remaining)
            self._unrecorded += outcomes
            at = time.monotonic()
            if backing_off := self._limits.adjust(outcomes, at):
                self._recall(lambda request: endpoint_of(request) in backing_off)
            with self._lock:
                self._sender.submit(self._limits.dequeue(at))
            # Stop when half of the outcomes are in, so that these are recorded while the other half
            # is sent.
            if self._limits.outstanding <= len(self._unrecorded):
                return
            remaining = deadline - at

    def _record(self) -> None:
        """Record outcomes, release recalled deliveries, and renew leases that are due."""
        now = self._clock()
        with self._lock:
            renewed: set[Claim] = set()
            if renewing := self._is_renewal_due(now):
                renewed = self._claims.difference(map(claim_of, self._unrecorded), self._releasing)
            if renewing or not self._claims:
                # Reset before the transaction: a publish during it needs another revalidation.
                self._must_revalidate = False
        if not (self._unrecorded or self._releasing or renewed):
            return
        released = {
            claim: now + timedelta(seconds=seconds) for claim, seconds in self._releasing.items()
        }
        with self._database.write() as connection:
            has_messages = record_outcomes(connection, self._unrecorded, now, self._random)
            lost = renewed - store.renew(connection, renewed, now)
            store.release(connection, released)
        with self._lock:
            self._claims.difference_update(map(claim_of, self._unrecorded), self._releasing)
            if renewing:
                self._renewed_at = now
        recorded, self._unrecorded, self._releasing = self._unrecorded, [], {}
        if self._report is not None:
            try:
                self._report(recorded)
            except Exception:
                # An error in the report must not stop the attempts.
                _log.exception("the report of attempts failed")
        if has_messages:
            self._wake_worker()
        if lost:
            self._recall(lambda request: claim_of(request) in lost)

    def _is_renewal_due(self, now: datetime) -> bool:
        # abs(), because leases would end too early or too late after the clock was set forward or
        # back.
        overdue = abs(now - self._renewed_at) >= _RENEWAL_INTERVAL
        return bool(self._claims) and (overdue or self._must_revalidate)

    def _recall(self, unwanted: Callable[[Request], bool]) -> None:
        """Take back unwanted requests that were not sent; the next `_record` releases them."""
        at = time.monotonic()
        with self._lock:
            recalled = self._sender.recall(unwanted)
            self._limits.cancel_dequeued(recalled)
            recalled += self._limits.remove_queued(unwanted)
        for claim in map(claim_of, recalled):
            self._releasing[claim] = self._limits.backoff_remaining(claim.endpoint_id, at)


class StepRunner:
    """Runs steps of work, and retries after database errors.

    Each error is logged once, and again every ten minutes while it lasts. The database counts as
    available again only after a while without an error: a step that writes nothing can succeed even
    if the database cannot be written.
    """

    def __init__(
        self, stopping: threading.Event, elapsed: Callable[[], float] = time.monotonic
    ) -> None:
        self._stopping = stopping
        self._elapsed = elapsed
        self._logged_at: dict[str, float] = {}
        self._failed_at = 0.0

    def run(self, step: Callable[[], None]) -> bool:
        """Run a step; after a database error wait a second and return False.

        Raises ReplacedError if the database file was replaced, because the claims belong to the
        former file; SchemaError if the database was migrated by a newer version.
        """
        try:
            step()
        except (ReplacedError, SchemaError):
            raise
        except StoreError as error:
            self._failed_at = self._elapsed()
            self._log_error(str(error))
            self._stopping.wait(_RETRY_SECONDS)
            return False
        if self._logged_at and self._elapsed() - self._failed_at >= _RECOVERED_SECONDS:
            self._logged_at.clear()
            _log.info("the database is available again")
        return True

    def _log_error(self, error: str) -> None:
        if self._failed_at - self._logged_at.get(error, -math.inf) >= _REPEAT_LOG_SECONDS:
            self._logged_at[error] = self._failed_at
            _log.error("%s; retrying until the database is available", error)
