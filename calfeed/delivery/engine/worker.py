"""The worker: fires what is due, and claims deliveries for as long as there is room for more.

What it has claimed it hands to its recorder, which follows it to the record of its end. Everything
it knows is in the database, so any number of workers run beside each other and any of them may die
at any line. What it has in hand then comes back when its claims run out.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from calfeed.delivery.due import (
    AHEAD,
    REVIEWED,
    Pace,
    extend_plans,
    fan_out,
    fire_due,
    make_digests,
    retire_events,
    review_plans,
)
from calfeed.delivery.engine.attempts import prepare
from calfeed.delivery.engine.concurrency import Shares
from calfeed.delivery.engine.recorder import TURN, Recorder, Steps
from calfeed.delivery.replanning import replan
from calfeed.delivery.retention import KEEP, Retention
from calfeed.delivery.transport.sender import Sender
from calfeed.publish.announce import announce_due
from calfeed.store.catalog import announcements
from calfeed.store.catalog.publishes import latest_publish
from calfeed.store.database import Database
from calfeed.store.outbox import claims as store
from calfeed.store.outbox import clock_skew, deliveries, digests
from calfeed.store.outbox.messages import has_pending_fan_out
from calfeed.store.outbox.reminders import next_reminder_due

_LONGEST_NAP = 1.0

_WORTH = 512
"""From how many on it is worth to claim again at once."""


@dataclass(frozen=True)
class Agenda:
    """What lies ahead: when the next reminder or digest is to be made ready, when the next delivery
    may be claimed, when the next change is to be announced, and whether a message waits for its
    deliveries to be made."""

    due: datetime | None
    ripe: datetime | None
    announce: datetime | None
    waiting: bool

    @property
    def next_at(self) -> datetime | None:
        """When the next thing is to be done."""
        moments = (self.due, self.ripe, self.announce)
        return min((one for one in moments if one is not None), default=None)


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
        self._retention = Retention(database, keep_bodies)
        self._pace = Pace()
        self._reviewed = clock()  # up to when due times were worked out anew
        self._awake = threading.Event()
        self._awake.set()
        self._published = 0  # the last publish that is known of
        self._firing = True  # something may be due, or wait to be fanned out
        self._due: datetime | None = None  # when the next is, as far as is known
        self._more = True  # more may be ripe than the last claim could take
        self._claimed = 0.0  # when the last claim was made, on the monotonic clock
        self._again: float | None = None  # and when more is ripe, as far as is known
        self._stopping = threading.Event()
        self._shares = Shares()
        self._recorder = Recorder(database, sender, self._shares, clock, random)

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
        """Work until stopped. A database that goes away is waited for.

        Raises ReplacedError where the file of the database was replaced by another one.
        """
        self._recorder.start()
        steps = Steps(self._stopping)
        try:
            while not self._stopping.is_set():
                if not steps.take(self._turn):
                    self._awake.set()
        finally:
            self._recorder.stop()

    def agenda(self) -> Agenda:
        """Look ahead, for the clock."""
        with self._database.read() as connection:
            published = latest_publish(connection)
            next_due = next_reminder_due(connection)
            moments = [next_due and next_due - AHEAD, digests.next_digest_due(connection)]
            agenda = Agenda(
                due=min((one for one in moments if one is not None), default=None),
                ripe=deliveries.next_pending_at(connection),
                announce=announcements.next_announcement_due(connection),
                waiting=has_pending_fan_out(connection),
            )
        if published != self._published:
            self._published = published
            self._recorder.doubt()
        return agenda

    def do_duties(self) -> None:
        """What has to be done now and then: plan further ahead, retire events, forget bodies.

        First of all, what a wrong clock has left is put right.
        """
        now = self._clock()
        with self._database.write() as connection:
            clock_skew.record_time(connection, now)
        replan(self._database, now)
        ahead = now + REVIEWED
        review_plans(self._database, min(self._reviewed, now), ahead)
        self._reviewed = ahead
        while extend_plans(self._database, self._clock()):
            pass
        retire_events(self._database, self._clock())
        self._retention.work(self._clock())

    def _turn(self) -> None:
        self._recorder.check()
        if self._awake.is_set():
            self._awake.clear()
            if self._stopping.is_set():
                return  # stop() may have woken us just before the clear
            self._firing = True
        if self._again is not None and self._again <= time.monotonic():
            self._again, self._more = None, True
        # What is ripe goes before what is to be made ready.
        if self._more and (limit := self._find_room()):
            self._claim(limit)
        elif not self._firing:
            self._awake.wait(self._find_nap())
        if self._firing or self._is_due():
            self._fire()
            self._more = True

    def _find_room(self) -> int:
        """How many deliveries to claim now: not a few again and again, where more will fit soon."""
        room = self._shares.find_room(self._recorder.in_hand)
        soon = self._claimed + TURN > time.monotonic()
        return 0 if soon and room < _WORTH and self._shares.in_hand else room

    def _fire(self) -> None:
        """Fire and fan out one batch of each. There may be more, but what is ripe goes before."""
        agenda = self.agenda()
        self._due = agenda.due
        self._firing = False
        if agenda.ripe is not None:
            # A little later: before its moment, a claim would be in vain.
            self._ask_again((agenda.ripe - self._clock()).total_seconds() + 0.001)
        # Before the reminders, some of which wait for it. If it has to wait itself, the clock asks
        # for it again.
        if agenda.announce is not None and agenda.announce <= self._clock():
            announced = announce_due(self._database, self._clock(), self._base_url)
            self._firing = announced > 0
        if self._is_due():
            fired = fire_due(self._database, self._clock(), self._base_url, self._pace)
            told = make_digests(self._database, self._clock())
            self._firing |= bool(fired or told)
        if agenda.waiting or self._firing:
            self._firing |= fan_out(self._database, self._clock())

    def _is_due(self) -> bool:
        return self._due is not None and self._due <= self._clock()

    def _find_nap(self) -> float:
        """How many seconds there is nothing to do, for all that is known.

        Never long: the clock may be set meanwhile.
        """
        naps = [TURN if self._more else _LONGEST_NAP]
        if self._again is not None:
            naps.append(self._again - time.monotonic())
        if self._due is not None:
            naps.append((self._due - self._clock()).total_seconds())
        return max(0.0, min(naps))

    def _claim(self, limit: int) -> None:
        """Claim up to `limit` deliveries, and hand those over whose turn it is."""
        now, doubts = self._clock(), self._recorder.doubts
        with self._database.write() as connection:
            claims = store.claim(connection, now, limit)
            kept, beyond = self._shares.sort_out(claims, time.monotonic())
            requests = prepare(connection, kept, self._clock, takes=self._sender.takes)
            until = {one: now + timedelta(seconds=left) for one, left in beyond.items()}
            store.defer(connection, until)
        self._recorder.take(requests, doubts, now)
        self._claimed = time.monotonic()
        self._more = len(claims) == limit
        if beyond:
            self._ask_again(min(beyond.values()))

    def _ask_again(self, after: float) -> None:
        """Claim again in so many seconds, at the latest."""
        again = time.monotonic() + after
        self._again = again if self._again is None else min(again, self._again)
