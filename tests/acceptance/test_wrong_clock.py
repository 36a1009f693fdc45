"""A worker whose machine's clock is set while it runs, by libfaketime, loses nothing."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from calfeed.store.database import Database
from calfeed.store.outbox.clock_skew import last_recorded_time
from calfeed.store.outbox.reminders import load_reminders
from tests.acceptance.clocks import Clock, find_library
from tests.acceptance.receiver import Receiver
from tests.acceptance.site import Site, until
from tests.patience import PATIENCE

YEAR, HOUR = timedelta(days=365), timedelta(hours=1)

EVENT = """\
name: Desk
time_zone: UTC
events:
  soon:
    summary: Soon
    start: {start:%Y-%m-%d %H:%M:%S}
    reminders: [1 hour]
"""
LATER = """\
name: Later
time_zone: UTC
events:
  later:
    summary: Later
    start: {start:%Y-%m-%d}
    repeat: {{rule: FREQ=MONTHLY;COUNT=9}}
    reminders: [1 week, 1 day]
"""


@pytest.fixture
def library() -> Path:
    return find_library()


@pytest.fixture
def site(site: Site) -> Site:
    """A site with reminders that are due in the next months, and none before."""
    site.write("later.yaml", LATER.format(start=datetime.now(UTC) + timedelta(days=30)))
    return site


def states(site: Site) -> list[str]:
    with (
        closing(Database(f"sqlite:///{site.folder}/var/calfeed.sqlite3")) as database,
        database.read() as connection,
    ):
        return [row.state for row in load_reminders(connection)]


@pytest.mark.parametrize("wrong", [YEAR, -HOUR], ids=str)
def test_what_a_clock_says_for_a_few_seconds_decides_nothing(
    site: Site, receiver: Receiver, library: Path, wrong: timedelta
) -> None:
    """The reminder that is due meanwhile goes out on time; all others stay planned."""
    clock = Clock(library, site.folder)
    begins = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1, seconds=15)
    site.write("soon.yaml", EVENT.format(start=begins))
    site.do("publish")
    site.ask("endpoint", "add", receiver.url, "--type", "reminder.due")
    planned = states(site)
    with site.running("worker", environment=clock.environment) as worker:
        until(lambda: noted(site), "the first duties")
        clock.set(wrong)
        worker.until_it_says("the system clock jumped by")
        (post,) = until(lambda: receiver.posts, "the reminder")
        clock.set(timedelta(0))
        assert post.message["data"]["event"]["slug"] == "soon"
        # By its clock it would be an hour or a year; a busy machine may take some seconds.
        assert 0 <= post.message["data"]["reminder"]["late_seconds"] < PATIENCE
        until(lambda: states(site).count("sent") == 1, "its record")
        assert worker.end() == 0
    assert sorted(states(site)) == sorted(["sent", *planned[1:]])
    assert set(planned) == {"planned"}


def noted(site: Site) -> bool:
    with (
        closing(Database(f"sqlite:///{site.folder}/var/calfeed.sqlite3")) as database,
        database.read() as connection,
    ):
        return last_recorded_time(connection) is not None


def test_a_worker_that_begins_a_year_ahead_decides_nothing_until_the_clock_is_right(
    site: Site, receiver: Receiver, library: Path
) -> None:
    """As after a boot with a wrong clock: another worker's time says that it is wrong."""
    clock = Clock(library, site.folder)
    site.do("publish")
    site.ask("endpoint", "add", receiver.url)
    with site.running("worker", environment=clock.environment) as worker:
        until(lambda: noted(site), "the first duties")
        assert worker.end() == 0
    planned = states(site)
    clock.set(YEAR)
    with site.running("worker", environment=clock.environment) as worker:
        worker.until_it_says("nothing is sent until the clock has run steadily for 120 seconds")
        clock.set(timedelta(0))
        site.write("soon.yaml", EVENT.format(start=datetime.now(UTC) + 2 * HOUR))
        site.do("publish")
        until(lambda: receiver.posts, "the message of a new event")
        assert worker.end() == 0
    assert states(site) == ["planned", *planned]


def test_what_a_worker_missed_a_year_ahead_is_planned_again(site: Site, library: Path) -> None:
    """Nobody has noted a time, so the worker believes its clock; the next one puts it right."""
    clock = Clock(library, site.folder)
    site.do("publish")
    assert set(states(site)) == {"planned"}
    clock.set(YEAR)
    with site.running("worker", environment=clock.environment) as worker:
        until(lambda: "missed" in states(site), "reminders that are missed")
        worker.until_it_says("missed:")
        worker.kill_group()
    clock.set(timedelta(0))
    with site.running("worker", environment=clock.environment):
        until(lambda: set(states(site)) == {"planned"}, "all of them planned again")
    assert site.do("replan") == "0 reminders planned again, 0 deliveries to be sent after all\n"
