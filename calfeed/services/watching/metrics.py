"""The metrics, read from the database when they are requested, so any process can serve them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from math import isfinite
from typing import NamedTuple

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from calfeed.errors import StoreError
from calfeed.services.watching.status import Status, load_status
from calfeed.store.database import Database
from calfeed.store.watching.heartbeats import ProcessKind
from calfeed.store.watching.measures import ATTEMPT_OUTCOMES

_CACHE_SECONDS = 5.0

Values = Iterator[tuple[tuple[str, ...], float]]


class Description(NamedTuple):
    """A metric: its name, its meaning, its labels, and how its values are read from a status.

    The counters begin again at midnight (UTC).
    """

    name: str
    help: str
    labels: tuple[str, ...]
    read: Callable[[Status], Values]

    @property
    def is_counter(self) -> bool:
        """Whether it is a counter, not a gauge."""
        return self.name.endswith("_total")


class DatabaseCollector(Collector):
    """Reads the metrics from a database, at most once in five seconds. Thread-safe."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self._read_at: float | None = None  # monotonic
        self._status: Status | None = None

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics; only `calfeed_database_up` if the database cannot be read."""
        status = self._load()
        up = GaugeMetricFamily(UP.name, UP.help)
        up.add_metric([], 0.0 if status is None else 1.0)
        yield up
        if status is not None:
            yield from (_make_family(one, status) for one in METRICS)

    def describe(self) -> Iterator[Metric]:
        """Yield nothing, so that registering does not read the database."""
        return iter(())

    def _load(self) -> Status | None:
        with self._lock:
            now = time.monotonic()
            if self._read_at is None or now - self._read_at > _CACHE_SECONDS:
                try:
                    self._status = load_status(self._database, self._clock())
                except StoreError:
                    self._status = None
                self._read_at = time.monotonic()
            return self._status


def _make_family(one: Description, status: Status) -> Metric:
    if not one.is_counter:
        gauge = GaugeMetricFamily(one.name, one.help, labels=one.labels)
        for labels, value in one.read(status):
            gauge.add_metric(labels, value)
        return gauge
    counter = CounterMetricFamily(one.name.removesuffix("_total"), one.help, labels=one.labels)
    midnight = datetime.combine(status.now.astimezone(UTC).date(), datetime.min.time(), UTC)
    for labels, value in one.read(status):
        counter.add_metric(labels, value, created=midnight.timestamp())
    return counter


def _one(value: float) -> Values:
    yield (), value


def _time(at: datetime | None) -> Values:
    """Yield a time, if there is one, as seconds since 1970."""
    if at is not None:
        yield (), at.timestamp()


def _count_processes(status: Status) -> Values:
    for kind in ProcessKind:
        yield (kind,), status.count_alive(kind)


def _read_heartbeat_ages(status: Status) -> Values:
    for kind in ProcessKind:
        beats = [one.beaten for one in status.measures.processes if one.kind is kind]
        if beats:
            yield (kind,), (status.now - max(beats)).total_seconds()


def _sum_polls(status: Status) -> Values:
    sums: dict[tuple[str, ...], int] = {}
    for one in status.polls:
        for code, number in (("200", one.sent), ("304", one.unchanged)):
            sums[one.family, code] = sums.get((one.family, code), 0) + number
    yield from sums.items()


def _sum_bytes(status: Status) -> Values:
    yield from (
        ((family,), sum(one.bytes for one in status.polls if one.family == family))
        for family in sorted({one.family for one in status.polls})
    )


def _count_problems(status: Status) -> Values:
    refusal = status.measures.refusal
    yield (), 0 if refusal is None else max(1, refusal.problems)


UP = Description("calfeed_database_up", "Whether the database can be read.", (), lambda _: _one(1))

METRICS = (
    Description(
        "calfeed_database_seconds",
        "How long the database took for these metrics.",
        (),
        lambda status: _one(status.seconds),
    ),
    Description(
        "calfeed_delivery_lag_seconds",
        "How long the most overdue reminder or delivery has been due; the number to alert on.",
        (),
        lambda status: _one(status.lag.total_seconds()),
    ),
    Description(
        "calfeed_oldest_pending_message_age_seconds",
        "Age of the oldest message with a pending delivery, even if that waits for a retry.",
        (),
        lambda status: _one(status.oldest_age.total_seconds()),
    ),
    Description(
        "calfeed_unfinished_deliveries",
        "Deliveries that are not finished, by state.",
        ("state",),
        lambda status: (((state,), number) for state, number in status.measures.unfinished.items()),
    ),
    Description(
        "calfeed_recent_deliveries",
        "Deliveries of the messages of the last 24 hours, by kind of endpoint and state.",
        ("kind", "state"),
        lambda status: iter(status.measures.recent.items()),
    ),
    Description(
        "calfeed_recent_attempts",
        "Attempts for the messages of the last 24 hours, by outcome.",
        ("outcome",),
        lambda status: (
            ((outcome,), status.measures.attempts.get(outcome, 0)) for outcome in ATTEMPT_OUTCOMES
        ),
    ),
    Description(
        "calfeed_recent_received_deliveries",
        "Deliveries of the last 24 hours, received at most this many seconds after their time.",
        ("within",),
        lambda status: (
            ((f"{bound:g}" if isfinite(bound) else "+Inf",), number)
            for bound, number in status.measures.received.items()
        ),
    ),
    Description(
        "calfeed_overdue_reminders",
        "Reminders that are due and have not become messages.",
        (),
        lambda status: _one(status.measures.overdue_reminders),
    ),
    Description(
        "calfeed_missed_reminders",
        "Reminders of the last 24 hours that were too late for their occurrence.",
        (),
        lambda status: _one(status.measures.missed_reminders),
    ),
    Description(
        "calfeed_next_reminder_timestamp_seconds",
        "When the next reminder is due, in seconds since 1970; absent if none is planned.",
        (),
        lambda status: _time(status.measures.next_reminder),
    ),
    Description(
        "calfeed_last_publish_timestamp_seconds",
        "When something was published last, in seconds since 1970.",
        (),
        lambda status: _time(status.measures.last_publish),
    ),
    Description(
        "calfeed_publish_problems",
        "Number of problems for which the last publish was refused, 1 if it was refused for "
        "another reason, 0 if it was not refused.",
        (),
        _count_problems,
    ),
    Description(
        "calfeed_endpoints",
        "Endpoints, by kind and state.",
        ("kind", "state"),
        lambda status: iter(status.measures.endpoints.items()),
    ),
    Description(
        "calfeed_people",
        "People who follow dates by mail and have confirmed it.",
        (),
        lambda status: _one(status.measures.people),
    ),
    Description(
        "calfeed_processes",
        "Processes with a heartbeat in the last two minutes, by kind.",
        ("kind",),
        _count_processes,
    ),
    Description(
        "calfeed_heartbeat_age_seconds",
        "Age of the newest heartbeat, by kind; absent if there was none for a day.",
        ("kind",),
        _read_heartbeat_ages,
    ),
    Description(
        "calfeed_feed_polls_total",
        "Requests for feeds since midnight (UTC), by family of apps and HTTP status.",
        ("family", "code"),
        _sum_polls,
    ),
    Description(
        "calfeed_feed_response_bytes_total",
        "Bytes of feeds that were sent since midnight (UTC), by family of apps.",
        ("family",),
        _sum_bytes,
    ),
)
"""All metrics but `UP`; docs/metrics.md lists them."""
