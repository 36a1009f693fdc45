"""Everyone is told everything under one id, or there is a reason on record, whatever happens.

`python -m benchmarks.told_once` tries many more histories.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calfeed.delivery.due import FIRE_AHEAD
from calfeed.model.events import Status
from calfeed.reminders.option_values import Digest, QuietHours
from calfeed.reminders.options import Options
from calfeed.store.database import Database
from calfeed.store.migrate import migrate
from tests.delivery.history import Draft, Life
from tests.delivery.releases import Releases, releases
from tests.keys import KEYS

pytestmark = pytest.mark.slow

# Around these the clocks change in many places.
BEGINNINGS = [datetime(2025, 10, 24, 9, 30, tzinfo=UTC), datetime(2026, 3, 6, 21, tzinfo=UTC)]
ZONES = sorted(zone for zone in available_timezones() if "/" in zone)
RULES = ["1 week", "3 days", "1 day", "24 hours", "2 hours", "0 minutes"]
FATES = ["arrives", "refused", "lost", "arrives unheard", "arrives unrecorded", "dies"]
A_MOMENT_BEFORE = -FIRE_AHEAD / timedelta(minutes=2)
"""Half as long, in minutes, as a reminder is made ready before it is due."""

WORK = ["review", "fire", "fan out", "gather"]
RELEASES = [1, 40]
"""How far behind each zone the one is whose rules it gets, in two releases of the database."""

quiet_hours = st.sampled_from([None, QuietHours(begin=time(22), end=time(7))])
options = st.builds(
    Options,
    time_zone=st.sampled_from(["UTC", "America/New_York", "Australia/Lord_Howe"]),
    quiet=quiet_hours,
    digest=st.sampled_from([None, Digest(at=time(9)), Digest(at=time(23, 30), weekday=0)]),
)
moments = st.sampled_from([180, 1500, 3000, 6000, 12000]).flatmap(
    lambda minutes: st.sampled_from([minutes, minutes + 30])
)


@st.composite
def drafts(draw: st.DrawFn, beginning: datetime) -> Draft:
    start: date | datetime = (beginning + timedelta(minutes=draw(moments))).replace(tzinfo=None)
    if draw(st.booleans()) and isinstance(start, datetime):
        start = start.date()
    return Draft(
        start=start,
        zone=draw(st.sampled_from(ZONES)),
        rules=tuple(draw(st.lists(st.sampled_from(RULES), min_size=1, max_size=3, unique=True))),
        status=draw(st.sampled_from([Status.CONFIRMED] * 4 + [Status.CANCELLED])),
        text=draw(st.sampled_from(["It", "It again"])),
        repeat=draw(st.sampled_from([None, None, "FREQ=DAILY;COUNT=3"])),
    )


@dataclass(frozen=True)
class Round:
    """What happens one after the other; None: nothing of the kind."""

    edit: tuple[str, Draft | None] | None
    standing: tuple[str, str] | None
    release: int | None
    next_and: float | None
    """Minutes after the next thing is due, or before."""
    wait: int
    """Minutes; below zero the clock is put back."""
    work: list[str]
    fates: list[str]
    then: str


@dataclass(frozen=True)
class History:
    beginning: datetime
    options: list[Options]
    rounds: list[Round]


def sometimes(strategy: st.SearchStrategy[Any], *, never: int = 2) -> st.SearchStrategy[Any]:
    return st.one_of(*[st.none()] * never, strategy)


@st.composite
def histories(draw: st.DrawFn) -> History:
    beginning = draw(st.sampled_from(BEGINNINGS))
    # Few, so that events move back to where they were.
    known = draw(st.lists(drafts(beginning), min_size=2, max_size=3))
    slugs = st.sampled_from(["one", "two"])
    rounds = st.builds(
        Round,
        edit=sometimes(st.tuples(slugs, st.sampled_from([*known, *known, None]))),
        standing=sometimes(
            st.tuples(
                st.sampled_from(["pause", "resume", "change"]), st.sampled_from(["end_0", "end_1"])
            ),
            never=4,
        ),
        release=sometimes(st.sampled_from([0, 1, 2]), never=6),
        next_and=st.sampled_from([None, A_MOMENT_BEFORE, 0, 0, 0, 5, 300]),
        wait=st.sampled_from([*[0] * 8, -60, 60, 1, 20, 300, 1440, 8000]),
        work=st.sampled_from(
            [[*WORK, *WORK], [*WORK, *WORK], [*WORK], WORK[1:], ["fire"], ["gather"], []]
        ),
        fates=st.lists(st.sampled_from(FATES), min_size=1, max_size=3),
        then=st.sampled_from(["record", "record", "die", "leave"]),
    )
    first = Round(("two", known[0]), None, None, None, 0, [*WORK], ["arrives"], "record")
    return History(
        beginning,
        draw(st.lists(options, min_size=2, max_size=2)),
        [replace(first, edit=("one", known[1])), first, *draw(st.lists(rounds, max_size=12))],
    )


def live(database: Database, zones: Releases, history: History) -> Life:
    """Let a history happen, and check what it comes to."""
    options = {f"end_{index}": each for index, each in enumerate(history.options)}
    life = Life(database, history.beginning, options, zones)
    life.begin()
    for each in history.rounds:
        if each.next_and is not None:
            life.wait_for_next(each.next_and)
        life.now += timedelta(minutes=each.wait)
        if each.release is not None:
            life.update_zones(each.release)
        if each.edit is not None:
            life.edit(*each.edit)
        if each.standing is not None:
            life.set_standing(*each.standing)
        for step in each.work:
            life.work(step)
        life.post(4, each.fates)
        if each.then == "record":
            life.record()
        elif each.then == "die":
            life.die()
    life.end()
    life.check()
    return life


@contextmanager
def make_releases() -> Iterator[Releases]:
    """The zone database as it is, and two in which all clocks go otherwise."""
    with releases(ZONES, RELEASES) as found:
        yield found


@contextmanager
def make_database() -> Iterator[Database]:
    """A SQLite file, in memory where there is such a place."""
    memory = Path("/dev/shm")
    with (
        TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder,
        closing(Database(f"sqlite:///{folder}/calfeed.sqlite3")) as database,
    ):
        migrate(database)
        yield database


@pytest.fixture(scope="module")
def zones() -> Iterator[Releases]:
    with make_releases() as found:
        yield found


@pytest.fixture(scope="module")
def sqlite_file() -> Iterator[Database]:
    with make_database() as database:
        yield database


@pytest.fixture(scope="module")
def postgresql_tables(_tables: str) -> Iterator[Database]:
    with closing(Database(_tables, KEYS)) as database:
        yield database


@settings(max_examples=60)
@given(history=histories())
def test_each_reminder_is_told_under_one_id_or_there_is_a_reason(
    sqlite_file: Database, zones: Releases, history: History
) -> None:
    live(sqlite_file, zones, history)


@settings(max_examples=15)
@given(history=histories())
def test_and_so_it_is_on_postgresql(
    postgresql_tables: Database, zones: Releases, history: History
) -> None:
    live(postgresql_tables, zones, history)
