"""The worker: fires what is due, claims deliveries, posts them, records each attempt.

Everything it knows is in the database, so any number of workers run beside each other and any
of them may die at any line. What it has in hand then comes back when its claims run out.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta

from calfeed.delivery.due import (
    REVIEWED,
    Pace,
    extend_plans,
    fan_out,
    fire_due,
    make_digests,
    retire_events,
    review_plans,
)
from calfeed.delivery.posting import Posting, prepare, record
from calfeed.delivery.retention import KEEP, Retention
from calfeed.delivery.sender import Outcome, Request, Sender
from calfeed.delivery.shares import Shares, endpoint_of
from calfeed.errors import StoreError
from calfeed.store import catalog, deliveries, digests, outbox
from calfeed.store import claims as store
from calfeed.store.claims import Claim
from calfeed.store.database import Database

_log = logging.getLogger(__name__)

_RENEWAL = store.LEASE / 3
"""How often the claims in hand are renewed: a line before a slow endpoint can be minutes long."""

_TURN = 0.02
"""Seconds in which results are gathered, to be recorded in one transaction."""

_DATABASE_PAUSE = 1.0
_LONGEST_NAP = 1.0

_LAST = 16.0
"""Seconds that a worker that was stopped gives what it has posted: a little more than a post can
take. A note to a channel can take longer; then its claim runs out, and it is sent once more."""


@dataclass(frozen=True)
class Agenda:
    """What lies ahead: when the next reminder or digest is due, when the next delivery may be
    claimed, and whether a message waits for its deliveries to be made."""

    due: datetime | None
    ripe: datetime | None
    waiting: bool

    @property
    def next_at(self) -> datetime | None:
        """When the next thing is to be done."""
        return min((one for one in (self.due, self.ripe) if one is not None), default=None)


class Worker:
    """One delivery worker; `run` blocks until `stop`. `wake` may be called from any thread."""

    def __init__(
        self,
        database: Database,
        sender: Sender,
        base_url: str,
        clock: Callable[[], datetime],
        random: Callable[[], float],
        *,
        keep_bodies: timedelta = KEEP,
    ) -> None:
        self._database = database
        self._sender = sender
        self._base_url = base_url
        self._clock = clock
        self._random = random
        self._retention = Retention(database, keep_bodies)
        self._pace = Pace()
        self._reviewed = clock()  # up to when due times were worked out anew
        self._awake = threading.Event()
        self._awake.set()
        self._published = 0  # the last publish that is known of
        self._doubting = False  # what is in hand may have been superseded by a publish
        self._firing = True  # something may be due, or wait to be fanned out
        self._due: datetime | None = None  # when the next is, as far as is known
        self._more = True  # more may be ripe than the last claim could take
        self._stopping = threading.Event()
        self._again: float | None = None  # when what was given back is ripe, on the monotonic clock
        self._shares = Shares()
        self._unrecorded: list[Outcome] = []
        self._unposted: dict[Claim, float] = {}  # to be given back, for so many seconds
        self._claims: set[Claim] = set()  # in hand, or not yet recorded or given back
        self._renewed = clock()
        self._recorder = ThreadPoolExecutor(1, "calfeed-recorder")

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
        with self._recorder:
            while not self._stopping.is_set():
                self._guarded(self._turn)
            self._let_go(lambda _: True)
            deadline = time.monotonic() + _LAST
            while self._claims and time.monotonic() < deadline:
                if not self._guarded(lambda: self._exchange(0)):
                    return  # the claims run out by themselves
                self._gather(1.0)

    def agenda(self) -> Agenda:
        """Look ahead, for the clock."""
        with self._database.read() as connection:
            published = catalog.latest_publish(connection)
            moments = [outbox.next_due(connection), digests.next_gathered(connection)]
            agenda = Agenda(
                due=min((one for one in moments if one is not None), default=None),
                ripe=deliveries.next_pending(connection),
                waiting=outbox.is_waiting(connection),
            )
        if published != self._published:
            self._published, self._doubting = published, True
        return agenda

    def do_duties(self) -> None:
        """What has to be done now and then: plan further ahead, retire events, forget bodies."""
        ahead = self._clock() + REVIEWED
        review_plans(self._database, self._reviewed, ahead)
        self._reviewed = ahead
        while extend_plans(self._database, self._clock()):
            pass
        retire_events(self._database, self._clock())
        self._retention.work(self._clock())

    def _turn(self) -> None:
        if self._awake.is_set():
            self._awake.clear()
            if self._stopping.is_set():
                return  # stop() may have woken us just before the clear
            self._firing = True
        if self._firing or self._is_due():
            self._fire()
            self._more = True
        if self._shares.in_hand:
            self._gather(0.0 if self._firing else min(_TURN, self._find_nap()))
        if self._again is not None and self._again <= time.monotonic():
            self._again, self._more = None, True
        limit = self._shares.find_room() if self._more else 0
        if limit or self._unrecorded or self._unposted or self._renewal_is_due():
            self._exchange(limit)
        elif not self._shares.in_hand and not self._firing:
            self._awake.wait(self._find_nap())

    def _fire(self) -> None:
        """Fire and fan out one batch of each. There may be more, but what is ripe goes before."""
        agenda = self.agenda()
        self._due = agenda.due
        self._firing = False
        if self._is_due():
            fired = fire_due(self._database, self._clock(), self._base_url, self._pace)
            told = make_digests(self._database, self._clock())
            self._firing = bool(fired or told)
        if agenda.waiting or self._firing:
            self._firing |= fan_out(self._database, self._clock())

    def _is_due(self) -> bool:
        return self._due is not None and self._due <= self._clock()

    def _find_nap(self) -> float:
        """How many seconds there is nothing to do, for all that is known.

        Never long: the clock may be set meanwhile.
        """
        naps = [_LONGEST_NAP]
        if self._again is not None:
            naps.append(self._again - time.monotonic())
        if self._due is not None:
            naps.append((self._due - self._clock()).total_seconds())
        return max(0.0, min(naps))

    def _exchange(self, limit: int) -> None:
        """Record what came back, and claim up to `limit` deliveries at the same time.

        Each is a transaction of its own, and either may fail: the other one holds.
        """
        now = self._clock()
        outcomes, back = self._unrecorded, self._unposted
        renewing = self._renewal_is_due()
        if renewing or not self._claims:
            self._doubting = False  # here already: a publish from now on is a reason to ask again
        held = self._claims.difference(_claims_of(outcomes), back) if renewing else set()
        keeping = self._recorder.submit(self._keep, outcomes, back, held, now)
        if self._database.is_sqlite:
            wait([keeping])  # it has one writer at a time
        try:
            if limit:
                self._claim(limit, now)
        finally:
            lost = keeping.result()
            self._unrecorded, self._unposted = [], {}
            self._claims.difference_update(_claims_of(outcomes), back)
            if renewing:
                self._renewed = now
            if lost:
                self._let_go(lambda one: _claim_of(one) in lost)
            if back:
                self._ask_again(min(back.values()))

    def _keep(
        self,
        outcomes: Sequence[Outcome],
        back: Mapping[Claim, float],
        held: set[Claim],
        now: datetime,
    ) -> set[Claim]:
        """Record, give back and renew; returns those of `held` that are another's or settled."""
        if not (outcomes or back or held):
            return set()
        with self._database.write() as connection:
            record(connection, outcomes, now, self._random)
            lost = held - store.renew(connection, held, now)
            store.give_back(connection, _after(now, back))
        return lost

    def _claim(self, limit: int, now: datetime) -> None:
        """Claim up to `limit` deliveries, and post those whose turn has come."""
        with self._database.write() as connection:
            claims = store.claim(connection, now, limit)
            kept, beyond = self._shares.sort_out(claims, time.monotonic())
            requests = prepare(connection, kept, self._clock, takes=self._sender.takes)
            store.pass_over(connection, _after(now, beyond))
        if not self._claims:
            self._renewed = now
        self._more = len(claims) == limit
        self._claims.update(_claims_of(requests))
        if beyond:
            self._ask_again(min(beyond.values()))
        self._shares.line_up(requests)
        self._sender.submit(self._shares.take_turns(time.monotonic()))

    def _ask_again(self, after: float) -> None:
        """Claim again in so many seconds, at the latest."""
        again = time.monotonic() + after
        self._again = again if self._again is None else min(again, self._again)

    def _renewal_is_due(self) -> bool:
        # In either direction: after the clock was set they would end too soon or much too late.
        overdue = abs(self._clock() - self._renewed) >= _RENEWAL
        return bool(self._claims) and (overdue or self._doubting)

    def _gather(self, timeout: float) -> None:
        """Wait up to `timeout` seconds, and post what has its turn then.

        Not for all: recording this half and claiming another goes on while the rest is posted.
        """
        deadline = time.monotonic() + timeout
        left = timeout
        while left >= 0:  # once in any case: while much is fanned out there is no time to wait
            outcomes = self._sender.results(left)
            self._unrecorded += outcomes
            at = time.monotonic()
            if resting := self._shares.note(outcomes, at):
                self._let_go(lambda one: endpoint_of(one) in resting)
            self._sender.submit(self._shares.take_turns(at))
            left = deadline - at if self._shares.in_hand > len(self._unrecorded) else -1.0

    def _let_go(self, unwanted: Callable[[Request], bool]) -> None:
        """Take back what is not posted yet, to be given back with the next exchange."""
        at = time.monotonic()
        recalled = self._sender.recall(unwanted)
        self._shares.take_back(recalled)
        for claim in _claims_of(recalled + self._shares.take_lines(unwanted)):
            self._unposted[claim] = self._shares.rest_of(claim.endpoint_id, at)

    def _guarded(self, step: Callable[[], None]) -> bool:
        try:
            step()
        except StoreError as error:
            _log.error("%s; trying again", error)
            self._stopping.wait(_DATABASE_PAUSE)
            self._awake.set()
            self._doubting = True
            return False
        return True


def _after(now: datetime, waits: Mapping[Claim, float]) -> dict[Claim, datetime]:
    return {one: now + timedelta(seconds=seconds) for one, seconds in waits.items()}


def _claims_of(ones: Iterable[Request | Outcome]) -> list[Claim]:
    return [_claim_of(one) for one in ones]


def _claim_of(one: Request | Outcome) -> Claim:
    if not isinstance(one.key, Posting):
        raise TypeError(f"a post of something else: {one.key!r}")
    return one.key.claim
