"""A life of a desk in short: edits, restarts, clock steps and all that is due, and who was told.

The functions are the real ones, on a real database. The clock, the receivers and what becomes of
each post are the test's.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from calfeed.definitions.result import Definitions
from calfeed.delivery.due import (
    REVIEW_WINDOW,
    LateReminderPacer,
    extend_plans,
    fan_out,
    fire_due,
    make_digests,
    review_plans,
)
from calfeed.delivery.engine.attempts import prepare_requests, record_outcomes
from calfeed.delivery.engine.composing import InFlightDelivery
from calfeed.delivery.replanning import replan
from calfeed.model.dates.durations import parse_duration
from calfeed.model.dates.reminder_rules import ReminderRule
from calfeed.model.events import Calendar, Event, Repeat, Status
from calfeed.model.states import EndpointState
from calfeed.publish.apply import publish
from calfeed.reminders.options import Options
from calfeed.reminders.retry import Outcome
from calfeed.store.database import Database
from calfeed.store.endpoints.lifecycle import (
    change_endpoint,
    pause_or_disable_endpoint,
    resume_endpoint,
)
from calfeed.store.endpoints.records import add_endpoint, find_endpoint
from calfeed.store.outbox import claims, deliveries, digests
from calfeed.store.outbox.reminders import next_reminder_due
from calfeed.store.tables import deliveries as deliveries_table
from calfeed.store.tables import messages, reminders
from tests.delivery.releases import Releases
from tests.publish.desk import BASE
from tests.store.keeping import delete_rows, make_endpoint

SETTLED = ("withdrawn", "missed", "collapsed", "sent", "recalled")
ENDS = ("delivered", "digested", "failed", "expired", "superseded", "dropped")


@dataclass(frozen=True)
class Draft:
    """What an editor has written of one event; `start` is on the wall clock of the zone."""

    start: date | datetime
    zone: str
    rules: tuple[str, ...]
    status: Status = Status.CONFIRMED
    text: str = "It"
    repeat: str | None = None

    def make(self, slug: str) -> Event:
        start = self.start
        if isinstance(start, datetime):
            start = start.replace(tzinfo=ZoneInfo(self.zone))
        return Event(
            calendar="desk",
            slug=slug,
            uid=f"{slug}@desk",
            summary={"en": self.text},
            start=start,
            end=None if isinstance(start, datetime) else start + timedelta(days=1),
            time_zone=self.zone,
            language="en",
            status=self.status,
            repeat=Repeat(rule=self.repeat) if self.repeat else None,
            reminders=tuple(ReminderRule(before=parse_duration(rule)) for rule in self.rules),
        )


@dataclass
class Life:
    """One history; each method is a thing that happens."""

    database: Database
    now: datetime
    wishes: Mapping[str, Options]
    """By endpoint, what it asks for at first."""
    releases: Releases
    drafts: dict[str, Draft] = field(default_factory=dict)
    told: dict[tuple[str, str], list[tuple[int, str]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    """By endpoint and reminder: how often the reminder had been recalled then, and the id."""
    recalls: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    out: list[Outcome] = field(default_factory=list)
    pace: LateReminderPacer = field(default_factory=LateReminderPacer)

    def __post_init__(self) -> None:
        self.options = dict(self.wishes)
        self.reviewed = self.now  # up to when due times were worked out anew
        self.latest = self.now  # that it has ever been

    def begin(self) -> None:
        """Empty the database, and add the endpoints."""
        self.releases.install(0)
        with self.database.write() as connection:
            delete_rows(connection)
            for name, options in self.options.items():
                endpoint = make_endpoint(name)
                created = self.now - timedelta(days=1)
                add_endpoint(connection, replace(endpoint, options=options, created=created))

    def publish(self) -> None:
        calendar = Calendar(
            slug="desk",
            name={"en": "Desk"},
            time_zone="UTC",
            events=tuple(draft.make(slug) for slug, draft in self.drafts.items()),
        )
        before = self._states()
        publish(self.database, Definitions((calendar,)), self.now, BASE, allow_removals=True)
        for key, state in self._states().items():
            if state == "recalled" and before.get(key) != state:
                self.recalls[key] += 1

    def edit(self, slug: str, draft: Draft | None) -> None:
        """Publish an event as it is drafted, or withdraw it."""
        if draft is None:
            self.drafts.pop(slug, None)
        else:
            self.drafts[slug] = draft
        self.publish()

    def set_standing(self, kind: str, name: str) -> None:
        """Pause or resume an endpoint, or let it ask for something else: what the next one asks."""
        with self.database.write() as connection:
            if kind == "pause":
                pause_or_disable_endpoint(connection, name, EndpointState.PAUSED, self.now)
            elif kind == "resume":
                resume_endpoint(connection, name, self.now)
            else:
                names = sorted(self.options)
                other = self.wishes[names[(names.index(name) + 1) % len(names)]]
                self.options[name] = other if self.options[name] != other else self.wishes[name]
                endpoint = replace(find_endpoint(connection, name), options=self.options[name])
                change_endpoint(connection, endpoint, self.now)

    def work(self, step: str) -> bool:
        """One thing that a worker does; whether there may be more of it to do."""
        self.latest = max(self.latest, self.now)
        if step == "review":
            ahead = self.now + REVIEW_WINDOW
            review_plans(self.database, self.reviewed, ahead)
            self.reviewed = ahead
            return False
        if step == "replan":
            replan(self.database, self.now)
            return extend_plans(self.database, self.now) > 0
        if step == "fire":
            return fire_due(self.database, self.now, BASE, self.pace) > 0
        if step == "fan out":
            return fan_out(self.database, self.now)
        return make_digests(self.database, self.now) > 0

    def post(self, limit: int, fates: Sequence[str]) -> int:
        """Claim and post; `fates` in turn are what becomes of each post."""
        self.latest = max(self.latest, self.now)
        with self.database.write() as connection:
            taken = claims.claim(connection, self.now, limit)
            requests = prepare_requests(connection, taken, lambda: self.now)
        for index, request in enumerate(requests):
            fate = fates[index % len(fates)]
            posting = request.key
            assert isinstance(posting, InFlightDelivery)
            if fate in ("arrives", "arrives unheard", "arrives unrecorded"):
                self._receive(posting, request.body)
            if fate in ("dies", "arrives unrecorded"):
                continue  # the worker's end
            status = {"arrives": 204, "refused": 500}.get(fate)
            error = None if status else "no answer"
            self.out.append(Outcome(posting, status, error, 1, None, "", self.now))
        return len(taken)

    def record(self) -> None:
        with self.database.write() as connection:
            record_outcomes(connection, self.out, self.now, lambda: 0.5)
        self.out.clear()

    def die(self) -> None:
        """The worker ends with answers that it did not record."""
        self.out.clear()

    def update_zones(self, release: int) -> None:
        """Put in a release of the zone database, for which every process ends and begins anew."""
        self.die()
        self.releases.install(release)
        self.reviewed = self.now

    def end(self) -> None:
        """Let everything that is still to come go well, until nothing is left."""
        # Recorded first: the last outcomes may disable an endpoint.
        self.record()
        for name in self.options:
            self.set_standing("resume", name)
        for _ in range(1000):
            for step in ("review", "fire", "fan out", "gather"):
                while self.work(step):
                    pass
            while self.post(100, ["arrives"]):
                self.record()
            ahead = self.look_ahead()
            if ahead is None:
                return
            self.now = max(self.now, ahead)
        raise AssertionError("it never ends")

    def look_ahead(self) -> datetime | None:
        """When the next thing is due."""
        with self.database.read() as connection:
            ahead = [
                next_reminder_due(connection),
                digests.next_digest_due(connection),
                deliveries.next_pending_at(connection),
            ]
        return min((moment for moment in ahead if moment is not None), default=None)

    def wait_for_next(self, minutes: float) -> None:
        """Time goes by to some minutes after the next thing is due, or before."""
        ahead = self.look_ahead()
        if ahead is not None:
            self.now = max(self.now, ahead + timedelta(minutes=minutes))

    def check(self) -> None:
        """Everyone was told everything under one id, or there is a reason on record."""
        states = self._states()
        assert set(states.values()) <= set(SETTLED), states
        with self.database.read() as connection:
            rows = connection.execute(
                select(
                    messages.c.reminder,
                    deliveries_table.c.endpoint_id,
                    deliveries_table.c.message_id,
                    deliveries_table.c.state,
                    deliveries_table.c.digest,
                ).join(messages, messages.c.id == deliveries_table.c.message_id)
            ).all()
        made = {(row.endpoint_id, row.reminder): row for row in rows if row.reminder}
        ends = {(row.endpoint_id, row.message_id): row.state for row in rows}
        assert set(ends.values()) <= set(ENDS), ends
        for key, state in states.items():
            for name in self.options:
                told = self.told.get((name, key), [])
                row = made.get((name, key))
                if state in ("withdrawn", "missed", "collapsed"):
                    assert not told
                    assert row is None
                    continue
                self._check_ids(name, told)
                if row is None:
                    # It was taken back before its delivery was made.
                    assert state == "recalled"
                    assert not told
                elif row.state == "digested":
                    assert ends[name, row.digest] != "superseded"
                    if ends[name, row.digest] == "delivered":
                        assert told[-1][1] == row.digest
                elif row.state == "delivered":
                    assert {one for _, one in told} == {row.message_id}
                else:
                    assert row.state != "superseded" or state == "recalled"

    def _check_ids(self, name: str, told: Sequence[tuple[int, str]]) -> None:
        ids = {one for _, one in told}
        if len(ids) > 1:
            # A digest that went without what was not true, and is now again, is not sent twice.
            by_life: dict[int, set[str]] = defaultdict(set)
            for life, one in told:
                by_life[life].add(one)
            assert all(len(found) == 1 for found in by_life.values()), told

    def _receive(self, posting: InFlightDelivery, body: bytes) -> None:
        """What a receiver gets has to be true and of use at this moment, and not at night."""
        name, message_id = posting.claim.endpoint_id, posting.claim.message_id
        assert posting.until is None or self.now < posting.until
        quiet = self.options[name].quiet_until(self.now)
        assert quiet is None or (posting.until is not None and posting.until <= quiet)
        message = json.loads(body)
        if not message["type"].startswith("reminder."):
            return
        data = message["data"]
        rows = self._keys()
        states = self._states()
        for one in data.get("reminders", [data]):
            key = rows[_identify(one)]
            assert states[key] == "sent", (states[key], message)
            due = datetime.fromisoformat(one["reminder"]["due"])
            assert due <= self.latest, "never before its time, unless the clock was put back"
            self.told[name, key].append((self.recalls[key], message_id))

    def _states(self) -> dict[str, str]:
        with self.database.read() as connection:
            rows = connection.execute(select(reminders.c.key, reminders.c.state))
            return {row.key: row.state for row in rows}

    def _keys(self) -> dict[tuple[str, ...], str]:
        with self.database.read() as connection:
            query = select(messages.c.reminder, messages.c.body)
            rows = connection.execute(query.where(messages.c.reminder.is_not(None))).all()
        keys: dict[tuple[str, ...], str] = {}
        for row in rows:
            # Not even in one message for each set of rules.
            one = _identify(json.loads(row.body)["data"])
            assert keys.setdefault(one, row.reminder) == row.reminder, (one, keys[one], row)
        return keys


def _identify(data: Any) -> tuple[str, ...]:
    """What a reminder is of: its occurrence as a wall clock shows it, whatever the zone's rules."""
    occurrence = data["occurrence"]
    return (
        data["event"]["uid"],
        "one of a series" if occurrence["id"] else "",  # its id is in UTC
        occurrence["start"][: len("2026-03-06T21:00:00")],
        occurrence["time_zone"],
        data["reminder"]["rule"],
    )
