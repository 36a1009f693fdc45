"""Helpers for the scripts that try to lose messages: a site, its receivers, its drills."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

from sqlalchemy import BigInteger, select, type_coerce, update

from calfeed.store.database import Database
from calfeed.store.tables import deliveries, messages, reminders
from calfeed.store.watching.heartbeats import ProcessKind, list_heartbeats
from tests.acceptance.drills import Drills
from tests.acceptance.proof import Endpoint, Proof, prove
from tests.acceptance.sink import FAILING, REMINDERS, RESETTING, WELL, Sink
from tests.acceptance.site import Site, until

LEASE = timedelta(seconds=30)
"""The time after which the deliveries of a killed worker are claimed again."""

_SOON = timedelta(hours=1)

FOUR = (WELL, REMINDERS, FAILING, RESETTING)
"""A receiver of each kind."""


@dataclass(frozen=True)
class Scale:
    """How much there is to deliver: to these kinds of receivers, which take up to `pause` seconds.

    Each drill has `due` reminders that fall due within the time `over`.
    """

    receivers: Sequence[str]
    due: int
    over: timedelta
    pause: float = 0.15


@dataclass(frozen=True)
class Trial:
    """A site with the shipped calendars published, and endpoints that wait for the drills."""

    site: Site
    database: Database
    sink: Sink
    endpoints: Sequence[Endpoint]
    drills: Drills

    def publish_drill(self) -> None:
        """Write the next drill, and publish it."""
        self.drills.write()
        self.site.do("publish")

    @contextmanager
    def until_posted(self, count: int) -> Iterator[None]:
        """Wait, when the block is through, until so many posts have come since its beginning."""
        before = self.sink.count
        yield
        until(lambda: self.sink.count >= before + count, f"{count} posts")

    def list_pids(self, kind: ProcessKind) -> list[int]:
        """The processes of a kind that have a heartbeat."""
        with self.database.read() as connection:
            return [one.pid for one in list_heartbeats(connection) if one.kind == kind]

    def has_work(self, within: timedelta = timedelta(0)) -> bool:
        """Whether a worker could do something now, or within this time."""
        then = datetime.now(UTC) + within
        planned = (reminders.c.state == "planned") & (reminders.c.due <= then)
        pending = (deliveries.c.state == "pending") & (deliveries.c.next_at <= then)
        work = [
            select(reminders.c.key).where(planned),
            select(messages.c.id).where(messages.c.fanned_out_to.is_not(None)),
            select(deliveries.c.id).where(pending),
        ]
        with self.database.read() as connection:
            return any(connection.execute(query.limit(1)).first() for query in work)

    def settle(self) -> None:
        """Wait until everything has its end that is published, and due within the hour."""
        until(lambda: not self.has_work(_SOON), "an end of every delivery")

    def end_leases(self) -> None:
        """Make it later, for what is pending, by a lease; no worker may be running."""
        earlier = type_coerce(deliveries.c.next_at, BigInteger) - LEASE // timedelta(microseconds=1)
        with self.database.write() as connection:
            connection.execute(
                update(deliveries).where(deliveries.c.state == "pending").values(next_at=earlier)
            )

    def prove(self, kills: Sequence[float]) -> Proof:
        """Compare all that is known; `kills` are moments on the monotonic clock."""
        return prove(self.database, self.sink.read(), self.endpoints, self.drills, kills)


@contextmanager
def trial(folder: Path, url: str, scale: Scale, choose: random.Random) -> Iterator[Trial]:
    """Set everything up in a new folder, over an empty database."""
    site = Site(folder, url)
    site.do("publish")
    with closing(Database(url, site.keys)) as database, Sink(scale.pause) as sink:

        def add(number: int, kind: str) -> Endpoint:
            words = ("--type", "reminder.due") if kind == REMINDERS else ()
            made = site.ask("endpoint", "add", f"{sink.url}/{kind}/{number}", *words)
            return Endpoint(made["id"], f"/{kind}/{number}", made["secret"])

        with ThreadPoolExecutor(2) as pool:
            endpoints = list(pool.map(add, count(), scale.receivers))
        kinds = dict(zip((one.id for one in endpoints), scale.receivers, strict=True))
        everything = [key for key, kind in kinds.items() if kind != REMINDERS]
        others = [key for key, kind in kinds.items() if kind == REMINDERS]
        drills = Drills(site, everything, others, due=scale.due, over=scale.over, choose=choose)
        yield Trial(site, database, sink, endpoints, drills)
