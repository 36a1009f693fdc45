"""The worker: fires due reminders, fans messages out, and claims deliveries to send.

Claimed deliveries go to the recorder, which sends them and records the attempts. All state is in
the database: several workers can run at once, and one that dies loses its claims when their
leases expire.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from calfeed.delivery.due import (
    FIRE_AHEAD,
    REVIEW_WINDOW,
    LateReminderPacer,
    extend_plans,
    fan_out,
    fire_due,
    make_digests,
    retire_events,
    review_plans,
)
from calfeed.delivery.engine.attempts import prepare_requests
from calfeed.delivery.engine.composing import Composers
from calfeed.delivery.engine.concurrency import ConcurrencyLimits
from calfeed.delivery.engine.recorder import BATCH_SECONDS, Recorder, StepRunner
from calfeed.delivery.replanning import replan
from calfeed.delivery.retention import KEEP_BODIES, Retention
from calfeed.delivery.sign_ups import admit_sign_ups
from calfeed.delivery.transport.sender import Outcome, Sender
from calfeed.publish.announce import announce_due
from calfeed.store.catalog import announcements
from calfeed.store.catalog.publishes import latest_publish
from calfeed.store.database import Database
from calfeed.store.outbox import claims as store
from calfeed.store.outbox import clock_skew, deliveries, digests
from calfeed.store.outbox.messages import has_pending_fan_out
from calfeed.store.outbox.reminders import next_reminder_due
from calfeed.store.people.requests import next_sign_up

_MAX_WAIT_SECONDS = 1.0
"""Limits each wait, because the clock may be adjusted during it."""

_MIN_CLAIM = 512
"""The minimum size of a claim that immediately follows another."""


@dataclass(frozen=True)
class Agenda:
    """When there is work next: `due` for reminders and digests, `claimable` for deliveries,
    `announce` for changes, `sign_up` for sign-ups. `unfinished` is true if messages are waiting to
    be fanned out."""

    due: datetime | None
    claimable: datetime | None
    announce: datetime | None
    sign_up: datetime | None
    unfinished: bool

    @property
    def next_at(self) -> datetime | None:
        """The earliest of these times."""
        times = (self.due, self.claimable, self.announce, self.sign_up)
        return min((at for at in times if at is not None), default=None)


class Worker:
    """One delivery worker; `run` blocks until `stop`. `wake` may be called from any thread.

    `composers` make the requests to endpoints other than webhooks. `report` gets the outcomes of
    attempts once they are recorded; it must return at once.
    """

    def __init__(
        self,
        database: Database,
        sender: Sender,
        base_url: str,
        clock: Callable[[], datetime],
        random: Callable[[], float],
        *,
        keep_bodies: timedelta = KEEP_BODIES,
        composers: Composers | None = None,
        report: Callable[[Sequence[Outcome]], None] | None = None,
    ) -> None:
        self._database = database
        self._sender = sender
        self._base_url = base_url
        self._clock = clock
        self._composers = composers
        self._retention = Retention(database, keep_bodies)
        self._pacer = LateReminderPacer()
        self._reviewed_until = clock()
        self._woken = threading.Event()
        self._woken.set()
        self._last_publish = 0
        self._must_fire = True  # reminders may be due, or messages wait for their fan-out
        self._due: datetime | None = None  # the next reminder or digest in the last agenda
        self._must_claim = True  # the last claim may have left claimable deliveries
        self._claimed_at = 0.0  # monotonic
        self._claim_again_at: float | None = None  # monotonic
        self._stopping = threading.Event()
        self._limits = ConcurrencyLimits()
        self._recorder = Recorder(database, sender, self._limits, clock, random, self.wake, report)
        self._stepped_at = time.monotonic()

    def wake(self) -> None:
        """Make the worker check for due work."""
        self._woken.set()

    def stop(self) -> None:
        """Make `run` return once the requests that were sent are recorded.

        Queued deliveries are released.
        """
        self._stopping.set()
        self._woken.set()

    def run(self) -> None:
        """Run until stopped, retrying after database errors.

        Raises ReplacedError if the database file was replaced by another one, and SchemaError if
        the database was migrated by a newer version.
        """
        self._recorder.start()
        steps = StepRunner(self._stopping)
        try:
            while not self._stopping.is_set():
                if not steps.run(self._step):
                    self._woken.set()
                self._stepped_at = time.monotonic()
        finally:
            self._recorder.stop()

    def seconds_since_step(self) -> float:
        """Return the seconds since the last step ended, even if the step failed.

        A step usually takes at most about a second.
        """
        return time.monotonic() - self._stepped_at

    def agenda(self) -> Agenda:
        """Read the agenda of next work; revalidate deliveries in flight after a publish."""
        with self._database.read() as connection:
            publish = latest_publish(connection)
            next_due = next_reminder_due(connection)
            times = [next_due and next_due - FIRE_AHEAD, digests.next_digest_due(connection)]
            agenda = Agenda(
                due=min((at for at in times if at is not None), default=None),
                claimable=deliveries.next_pending_at(connection),
                announce=announcements.next_announcement_due(connection),
                sign_up=next_sign_up(connection),
                unfinished=has_pending_fan_out(connection),
            )
        if publish != self._last_publish:
            self._last_publish = publish
            self._recorder.revalidate()
        return agenda

    def run_maintenance(self) -> None:
        """Repair the effects of a wrong clock, extend plans, retire events, delete old bodies."""
        now = self._clock()
        with self._database.write() as connection:
            clock_skew.record_time(connection, now)
        replan(self._database, now)
        review_until = now + REVIEW_WINDOW
        review_plans(self._database, min(self._reviewed_until, now), review_until)
        self._reviewed_until = review_until
        while extend_plans(self._database, self._clock()):
            pass
        retire_events(self._database, self._clock())
        self._retention.run(self._clock())

    def _step(self) -> None:
        self._recorder.check()
        if self._woken.is_set():
            self._woken.clear()
            if self._stopping.is_set():
                return  # stop() may have set the event just before it was cleared
            self._must_fire = True
        if self._claim_again_at is not None and self._claim_again_at <= time.monotonic():
            self._claim_again_at, self._must_claim = None, True
        # Claim before firing, so that firing many reminders does not delay due deliveries.
        if self._must_claim and (size := self._claim_size()):
            self._claim(size)
        elif not self._must_fire:
            self._woken.wait(self._wait_seconds())
        if self._must_fire or self._is_due():
            self._fire()
            self._must_claim = True

    def _claim_size(self) -> int:
        """How many deliveries to claim now; 0 if a larger claim will be possible soon."""
        size = self._limits.claim_size(self._recorder.in_flight)
        just_claimed = self._claimed_at + BATCH_SECONDS > time.monotonic()
        return 0 if just_claimed and size < _MIN_CLAIM and self._limits.outstanding else size

    def _fire(self) -> None:
        """Announce, fire, admit sign-ups and fan out one batch of each; more batches follow the
        next claim."""
        agenda = self.agenda()
        self._due = agenda.due
        self._must_fire = False
        if agenda.claimable is not None:
            # A millisecond more, as a claim before that time would be empty.
            self._claim_within((agenda.claimable - self._clock()).total_seconds() + 0.001)
        # Announce first, because some reminders wait for the announcement of their event. If an
        # announcement must itself wait, the scheduler wakes the worker later.
        if agenda.announce is not None and agenda.announce <= self._clock():
            announced = announce_due(self._database, self._clock(), self._base_url)
            self._must_fire = announced > 0
        if self._is_due():
            fired = fire_due(self._database, self._clock(), self._base_url, self._pacer)
            digested = make_digests(self._database, self._clock())
            self._must_fire |= bool(fired or digested)
        if agenda.sign_up is not None and agenda.sign_up <= self._clock():
            self._must_fire |= admit_sign_ups(self._database, self._clock())
        if agenda.unfinished or self._must_fire:
            self._must_fire |= fan_out(self._database, self._clock())

    def _is_due(self) -> bool:
        return self._due is not None and self._due <= self._clock()

    def _wait_seconds(self) -> float:
        """Return the seconds until the next known work."""
        waits = [BATCH_SECONDS if self._must_claim else _MAX_WAIT_SECONDS]
        if self._claim_again_at is not None:
            waits.append(self._claim_again_at - time.monotonic())
        if self._due is not None:
            waits.append((self._due - self._clock()).total_seconds())
        return max(0.0, min(waits))

    def _claim(self, size: int) -> None:
        """Claim up to `size` deliveries; send those the limits admit, and release the others."""
        now, revalidations = self._clock(), self._recorder.revalidations
        with self._database.write() as connection:
            claims = store.claim(connection, now, size)
            admitted, released = self._limits.admit(claims, time.monotonic())
            requests = prepare_requests(
                connection,
                admitted,
                self._clock,
                accepts=self._sender.accepts,
                composers=self._composers,
            )
            store.defer(
                connection,
                {claim: now + timedelta(seconds=after) for claim, after in released.items()},
            )
        self._recorder.add(requests, revalidations, now)
        self._claimed_at = time.monotonic()
        self._must_claim = len(claims) == size
        if released:
            self._claim_within(min(released.values()))

    def _claim_within(self, seconds: float) -> None:
        """Claim again no later than `seconds` from now."""
        at = time.monotonic() + seconds
        self._claim_again_at = at if self._claim_again_at is None else min(at, self._claim_again_at)
