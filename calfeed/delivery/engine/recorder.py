"""The recorder: what a worker has in hand, from the claim to the record of what came of it.

It has a thread of its own. While the worker claims more, the recorder listens to the sender, lets
the next ones have their turn, records what came back, and renews what is still to come.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta

from calfeed.delivery.engine.attempts import Posting, record
from calfeed.delivery.engine.concurrency import Shares, endpoint_of
from calfeed.delivery.transport.sender import Outcome, Request, Sender
from calfeed.errors import ReplacedError, StoreError
from calfeed.store.database import Database
from calfeed.store.outbox import claims as store
from calfeed.store.outbox.claims import Claim

_log = logging.getLogger(__name__)

_RENEWAL = store.LEASE / 3
"""How often the claims in hand are renewed: a line before a slow endpoint can be minutes long."""

TURN = 0.02
"""Seconds in which results are gathered, to be recorded in one transaction."""

_DATABASE_PAUSE = 1.0

_OVER = 5.0
"""Seconds without a failure after which the database is believed to be back."""

_REPEATED = 600.0
"""Seconds after which it is logged again that the database is away."""

_LONGEST_NAP = 1.0

_LAST = 16.0
"""Seconds that a worker that was stopped gives what it has posted: a little more than a post can
take. A note to a channel can take longer; then its claim runs out, and it is sent once more."""


class Recorder:
    """Follows what is in hand to its end, between `start` and `stop`.

    The public methods may be called from any thread.
    """

    def __init__(
        self,
        database: Database,
        sender: Sender,
        shares: Shares,
        clock: Callable[[], datetime],
        random: Callable[[], float],
    ) -> None:
        self._database = database
        self._sender = sender
        self._shares = shares
        self._clock = clock
        self._random = random
        self._thread = ThreadPoolExecutor(1, "calfeed-recorder")
        self._running: Future[None] | None = None
        self._stopping = threading.Event()
        self._taken = threading.Event()  # something is in hand, or it is time to stop

        # Shared, under the lock: what is in hand, and where it is. So nothing is on its way from a
        # line to the sender, where it could not be found, when something is to be taken back.
        self._lock = threading.Lock()
        self._claims: set[Claim] = set()
        self._renewed = clock()
        self._doubts = 0
        self._doubting = False  # what is in hand may have been superseded by a publish

        # The thread's own.
        self._unrecorded: list[Outcome] = []
        self._unposted: dict[Claim, float] = {}  # to be given back, for so many seconds

    @property
    def in_hand(self) -> int:
        """How many claims there are whose end is not recorded, and that are not given back."""
        return len(self._claims)

    @property
    def doubts(self) -> int:
        """How often there was a doubt. To be read before claiming, and handed to `take`."""
        return self._doubts

    def start(self) -> None:
        """Begin to listen."""
        self._running = self._thread.submit(self._run)

    def check(self) -> None:
        """Raise what has ended the recorder, if it has ended by an error of its own."""
        if self._running is not None and self._running.done():
            self._running.result()

    def stop(self) -> None:
        """Return once what is on its way has come back and is recorded.

        What still stands in a line before a slow receiver is given back at once.
        """
        self._stopping.set()
        self._taken.set()
        self._thread.shutdown()
        self.check()

    def take(self, requests: Sequence[Request], doubts: int, now: datetime) -> None:
        """Follow requests from now on, whose claims were made at `now`, and post them in turn."""
        with self._lock:
            if not self._claims:
                self._renewed = now
            self._claims.update(_claims_of(requests))
            # A doubt that came while these were claimed was cleared, perhaps, without them.
            self._doubting |= doubts != self._doubts
            self._shares.line_up(requests)
            self._sender.submit(self._shares.take_turns(time.monotonic()))
        self._taken.set()

    def doubt(self) -> None:
        """Ask, soon, whether what is in hand is still true: there was a publish."""
        with self._lock:
            self._doubts += 1
            self._doubting = True

    # From here on: the thread.

    def _run(self) -> None:
        steps = Steps(self._stopping)
        while not self._stopping.is_set():
            if not steps.take(self._turn):
                self.doubt()
        self._let_go(lambda _: True)
        deadline = time.monotonic() + _LAST
        while self._claims and time.monotonic() < deadline:
            if not steps.take(self._keep):
                return  # the claims run out by themselves
            self._gather(1.0)

    def _turn(self) -> None:
        # What no record could be made of is not sent.
        self._database.identify()
        if self._shares.in_hand:
            self._gather(TURN)
        elif not (self._unrecorded or self._unposted):
            self._taken.wait(_LONGEST_NAP)
            self._taken.clear()
        self._keep()

    def _gather(self, timeout: float) -> None:
        """Wait up to `timeout` seconds, and post what has its turn then.

        Not for all: recording this half goes on while the rest is posted.
        """
        deadline = time.monotonic() + timeout
        left = timeout
        while left >= 0:
            outcomes = self._sender.results(left)
            self._unrecorded += outcomes
            at = time.monotonic()
            if resting := self._shares.note(outcomes, at):
                self._let_go(lambda one: endpoint_of(one) in resting)
            with self._lock:
                self._sender.submit(self._shares.take_turns(at))
            left = deadline - at if self._shares.in_hand > len(self._unrecorded) else -1.0

    def _keep(self) -> None:
        """Record what came back, give back what is not posted, and renew what is due."""
        now = self._clock()
        with self._lock:
            held: set[Claim] = set()
            if renewing := self._is_renewal_due(now):
                held = self._claims.difference(_claims_of(self._unrecorded), self._unposted)
            if renewing or not self._claims:
                self._doubting = False  # here already: from now on there is a reason to ask again
        if not (self._unrecorded or self._unposted or held):
            return
        back = {one: now + timedelta(seconds=left) for one, left in self._unposted.items()}
        with self._database.write() as connection:
            record(connection, self._unrecorded, now, self._random)
            lost = held - store.renew(connection, held, now)
            store.release(connection, back)
        with self._lock:
            self._claims.difference_update(_claims_of(self._unrecorded), self._unposted)
            if renewing:
                self._renewed = now
        self._unrecorded, self._unposted = [], {}
        if lost:
            self._let_go(lambda one: claim_of(one) in lost)

    def _is_renewal_due(self, now: datetime) -> bool:
        # In either direction: after the clock was set they would end too soon or much too late.
        overdue = abs(now - self._renewed) >= _RENEWAL
        return bool(self._claims) and (overdue or self._doubting)

    def _let_go(self, unwanted: Callable[[Request], bool]) -> None:
        """Take back what is not posted yet, to be given back with the next record."""
        at = time.monotonic()
        with self._lock:
            recalled = self._sender.recall(unwanted)
            self._shares.take_back(recalled)
            recalled += self._shares.take_lines(unwanted)
        for claim in _claims_of(recalled):
            self._unposted[claim] = self._shares.rest_of(claim.endpoint_id, at)


class Steps:
    """Takes steps of work. Where the database is away a step fails.

    Each cause is logged once, and again while it lasts, now and then. It is over when no step has
    failed for a while: some of them succeed without a write.
    """

    def __init__(
        self, stopping: threading.Event, elapsed: Callable[[], float] = time.monotonic
    ) -> None:
        self._stopping = stopping
        self._elapsed = elapsed
        self._said: dict[str, float] = {}
        self._failed = 0.0

    def take(self, step: Callable[[], None]) -> bool:
        """Take a step; where the database is away, wait a moment and return False.

        Raises ReplacedError where it is another one now: what is in hand is of the former.
        """
        try:
            step()
        except ReplacedError:
            raise
        except StoreError as error:
            self._failed = self._elapsed()
            self._report(str(error))
            self._stopping.wait(_DATABASE_PAUSE)
            return False
        if self._said and self._elapsed() - self._failed >= _OVER:
            self._said.clear()
            _log.info("the database can be used again")
        return True

    def _report(self, failure: str) -> None:
        if self._failed - self._said.get(failure, -math.inf) >= _REPEATED:
            self._said[failure] = self._failed
            _log.error("%s; trying again until it is back", failure)


def claim_of(one: Request | Outcome) -> Claim:
    """The claim of a `Posting`."""
    if not isinstance(one.key, Posting):
        raise TypeError(f"a post of something else: {one.key!r}")
    return one.key.claim


def _claims_of(ones: Iterable[Request | Outcome]) -> list[Claim]:
    return [claim_of(one) for one in ones]
