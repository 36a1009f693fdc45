"""The worker: fires what is due, claims deliveries, posts them, records each attempt.

Everything it knows is in the database, so any number of workers run beside each other and any
of them may die at any line. What it has in hand then comes back when its claims run out.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from calfeed.delivery.due import extend_plans, fan_out, fire_due, retire_events
from calfeed.delivery.posting import Posting, prepare, record
from calfeed.delivery.sender import Outcome, Request, Sender
from calfeed.errors import StoreError
from calfeed.store import claims as store
from calfeed.store import deliveries, outbox
from calfeed.store.claims import Claim
from calfeed.store.database import Database

_log = logging.getLogger(__name__)

_IN_HAND = 1024
"""How many deliveries are claimed at once: half of them are posted while the others are recorded
and replaced."""

_PER_ENDPOINT = 512
"""How many of them one endpoint can have, so that one that hangs leaves room."""

_RENEWAL = store.LEASE / 3
"""How often the claims in hand are renewed: a line before a slow endpoint can be minutes long."""

_TURN = 0.01
"""Seconds in which results are gathered, to be recorded in one transaction."""

_DATABASE_PAUSE = 1.0

_LAST = 16.0
"""Seconds that a worker that was stopped gives what it has posted: a little more than an attempt
can take."""


@dataclass(frozen=True)
class Agenda:
    """What lies ahead: when the next thing is to be done, and whether something waits now."""

    next_at: datetime | None
    waiting: bool


class Worker:
    """One delivery worker; `run` blocks until `stop`. `wake` may be called from any thread."""

    def __init__(
        self,
        database: Database,
        sender: Sender,
        base_url: str,
        clock: Callable[[], datetime],
        random: Callable[[], float],
    ) -> None:
        self._database = database
        self._sender = sender
        self._base_url = base_url
        self._clock = clock
        self._random = random
        self._awake = threading.Event()
        self._awake.set()
        self._more = True  # more may be ripe than the last claim could take
        self._stopping = threading.Event()
        self._passed_over = False  # the last claim passed endpoints over
        self._in_flight: Counter[str] = Counter()  # by endpoint
        self._unrecorded: list[Outcome] = []
        self._claims: set[Claim] = set()  # in flight or unrecorded
        self._renewed = clock()

    def wake(self) -> None:
        """Say that something may be due."""
        self._awake.set()

    def stop(self) -> None:
        """Let `run` return once what is on its way has come back and is recorded.

        What still stands in a line before a slow receiver is not waited for.
        """
        self._stopping.set()
        self._awake.set()

    def run(self) -> None:
        """Work until stopped. A database that goes away is waited for."""
        while not self._stopping.is_set():
            self._guarded(self._turn)
        deadline = time.monotonic() + _LAST
        while (self._in_flight.total() or self._unrecorded) and time.monotonic() < deadline:
            self._gather(1.0)
            if not self._guarded(lambda: self._exchange(0, ())):
                return  # the claims run out by themselves

    def agenda(self) -> Agenda:
        """Look ahead, for the clock."""
        with self._database.read() as connection:
            moments = [outbox.next_due(connection), deliveries.next_pending(connection)]
            waiting = outbox.is_waiting(connection)
        known = [moment for moment in moments if moment is not None]
        return Agenda(min(known, default=None), waiting)

    def do_duties(self) -> None:
        """What has to be done now and then: plan further ahead, retire withdrawn events."""
        while extend_plans(self._database, self._clock()):
            pass
        retire_events(self._database, self._clock())

    def _turn(self) -> None:
        if self._awake.is_set():
            self._awake.clear()
            if self._stopping.is_set():
                return  # stop() may have woken us just before the clear
            self._fire()
            self._more = True
        if self._in_flight.total():
            self._gather(_TURN)
        limit, busy = self._find_room() if self._more else (0, [])
        if limit or self._unrecorded or self._renewal_is_due():
            self._exchange(limit, busy)
        elif not self._in_flight.total():
            self._awake.wait()

    def _fire(self) -> None:
        agenda = self.agenda()
        if agenda.next_at is not None and agenda.next_at <= self._clock():
            while fire_due(self._database, self._clock(), self._base_url):
                agenda = Agenda(None, waiting=True)
        if agenda.waiting:
            while fan_out(self._database, self._clock()):
                pass

    def _find_room(self) -> tuple[int, list[str]]:
        """How many deliveries to claim, and the endpoints that are passed over meanwhile."""
        # An endpoint near its limit is passed over, and nobody can get more than is left below it.
        busy = [key for key, count in self._in_flight.items() if count > _PER_ENDPOINT * 3 // 4]
        most = max((self._in_flight[key] for key in self._in_flight if key not in busy), default=0)
        return max(0, min(_IN_HAND - self._in_flight.total(), _PER_ENDPOINT - most)), busy

    def _exchange(self, limit: int, busy: Sequence[str]) -> None:
        """Record what came back and claim up to `limit` deliveries, in one transaction."""
        requests: list[Request] = []
        done = {posting.claim for posting in _postings(self._unrecorded)}
        left = self._claims - done
        now = self._clock()
        renewing = self._renewal_is_due()
        with self._database.write() as connection:
            record(connection, self._unrecorded, now, self._random)
            if renewing:
                store.renew(connection, list(left), now)
            if limit:
                claims = store.claim(connection, now, limit, busy)
                requests = prepare(connection, claims, self._clock)
                self._more = len(claims) == limit
        self._unrecorded = []
        self._passed_over = bool(limit and busy)
        if renewing or not left:
            self._renewed = now
        posted = [posting.claim for posting in _postings(requests)]
        self._claims = left.union(posted)
        self._in_flight.update(claim.endpoint_id for claim in posted)
        self._sender.submit(requests)

    def _renewal_is_due(self) -> bool:
        return bool(self._claims) and self._clock() - self._renewed >= _RENEWAL

    def _gather(self, timeout: float) -> None:
        """Wait up to `timeout` seconds for as many outcomes as are still out after them."""
        deadline = time.monotonic() + timeout
        while len(self._unrecorded) < self._in_flight.total():
            left = deadline - time.monotonic()
            if left <= 0:
                break
            outcomes = self._sender.results(left)
            self._in_flight.subtract(posting.claim.endpoint_id for posting in _postings(outcomes))
            self._in_flight = +self._in_flight
            self._unrecorded += outcomes
        if self._unrecorded and self._passed_over:
            self._more = True

    def _guarded(self, step: Callable[[], None]) -> bool:
        try:
            step()
        except StoreError as error:
            _log.error("%s; trying again", error)
            self._stopping.wait(_DATABASE_PAUSE)
            self._awake.set()
            return False
        return True


def _postings(ones: Iterable[Request | Outcome]) -> list[Posting]:
    return [one.key for one in ones if isinstance(one.key, Posting)]
