"""Which processes run, and what waits to be sent, for `calfeed status` and the metrics."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from calfeed.store.database import Database
from calfeed.store.reports.poll_counts import PollCounts
from calfeed.store.reports.polls import load_polls
from calfeed.store.watching.heartbeats import ProcessKind
from calfeed.store.watching.measures import Measures, load_measures


@dataclass(frozen=True)
class Status:
    """The measures of an installation at `now` (UTC), and numbers calculated from them.

    `polls` are those since midnight (UTC), `seconds` is how long the database took for all this.
    """

    now: datetime
    measures: Measures
    polls: tuple[PollCounts, ...]
    seconds: float

    @property
    def lag(self) -> timedelta:
        """How long the most overdue reminder or delivery has been due; zero if none is."""
        times = (self.measures.next_reminder, self.measures.next_pending)
        return max((self.now - at for at in times if at is not None and at < self.now), default=_NO)

    @property
    def oldest_age(self) -> timedelta:
        """How old the oldest message with a pending delivery is; zero if none is pending."""
        oldest = self.measures.oldest_message
        return max(_NO, self.now - oldest) if oldest is not None else _NO

    def count_alive(self, kind: ProcessKind) -> int:
        """How many processes of a kind run."""
        processes = self.measures.processes
        return sum(one.kind is kind and one.is_alive(self.now) for one in processes)


_NO = timedelta()


def load_status(database: Database, now: datetime) -> Status:
    """Read the status of an installation. Raises StoreError if the database cannot be read."""
    begun = time.perf_counter()
    with database.read() as connection:
        measures = load_measures(connection, now)
        polls = tuple(load_polls(connection, now, 1))
    return Status(now, measures, polls, time.perf_counter() - begun)
