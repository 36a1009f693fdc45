"""Reminders that a wrong clock has settled are planned again once the clock is right."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, update

from calfeed.delivery.due import LateReminderPacer, fan_out, fire_due
from calfeed.delivery.replanning import replan
from calfeed.delivery.retention import KEEP_HELD, Retention
from calfeed.model.states import DeliveryState, EndpointState
from calfeed.reminders.filters import Filters
from calfeed.reminders.options import Options
from calfeed.reminders.plan import plan_reminders
from calfeed.store.database import Database
from calfeed.store.endpoints import lifecycle
from calfeed.store.endpoints.records import add_endpoint, find_endpoint
from calfeed.store.outbox import claims
from calfeed.store.outbox.messages import add_delivery
from calfeed.store.tables import announcements, endpoints, reminders
from tests.delivery.history import Draft, Life
from tests.delivery.releases import Releases
from tests.delivery.test_told_once import make_database
from tests.publish.desk import BASE, STAY, Desk
from tests.store.keeping import keep_deliveries, make_endpoint, make_message, read_deliveries

pytestmark = pytest.mark.slow

YEAR, DAY, HOUR = timedelta(days=365), timedelta(days=1), timedelta(hours=1)
JUMPS = [YEAR, 30 * DAY, HOUR, -HOUR, -DAY, -YEAR]


def dates(count: int) -> str:
    """So many events, a day after the other, with two reminders each."""
    return "".join(
        STAY.replace("stay:", f"stay-{number}:").format(start=f"2025-07-{number:02}")
        for number in range(1, count + 1)
    )


def test_what_was_missed_in_error_is_planned_again(desk: Desk) -> None:
    desk.publish(dates(20))
    before = desk.states()
    while fire_due(desk.database, desk.now + YEAR, BASE, LateReminderPacer()):
        pass
    assert {state for _, state in desk.states()} == {"missed"}
    assert replan(desk.database, desk.now).reminders == 40
    assert desk.states() == before
    assert replan(desk.database, desk.now).reminders == 0


def test_what_was_missed_rightly_stays_so(desk: Desk) -> None:
    desk.publish(dates(1))
    fire_due(desk.database, desk.now + 40 * DAY, BASE, LateReminderPacer())
    assert replan(desk.database, desk.now + 40 * DAY).reminders == 0
    assert {state for _, state in desk.states()} == {"missed"}


def test_what_was_sent_too_early_waits_for_its_time_unless_it_was_posted(desk: Desk) -> None:
    """Both reminders are due by the wrong time, so one is sent and the other left out."""
    with desk.database.write() as connection:
        add_endpoint(connection, make_endpoint("end_1", filters=Filters(types=("reminder.due",))))
    desk.publish(dates(2))
    planned = desk.states()
    wrong = datetime(2025, 6, 30, 12, tzinfo=UTC)
    fire_due(desk.database, wrong, BASE, LateReminderPacer())
    while fan_out(desk.database, wrong):
        pass
    assert sorted(state for _, state in desk.states()) == ["collapsed", "planned", "sent", "sent"]
    with desk.database.write() as connection:
        (posted,) = claims.claim(connection, wrong, 1)
    replan(desk.database, desk.now)
    assert sorted(state for _, state in desk.states()) == ["planned", "planned", "planned", "sent"]
    assert [row.message_id for row in read_deliveries(desk.database)] == [posted.message_id]
    for due in sorted(row.due for row in desk.reminders() if row.state == "planned"):
        fire_due(desk.database, due, BASE, LateReminderPacer())
    assert [state for _, state in desk.states()] == ["sent"] * len(planned)


@pytest.mark.parametrize("jump", [YEAR, -YEAR], ids=["ahead", "back"])
def test_a_publish_at_a_wrong_time_loses_no_reminder(desk: Desk, jump: timedelta) -> None:
    desk.publish(dates(1))
    desk.now += jump
    desk.publish(dates(3))
    desk.now -= jump
    replan(desk.database, desk.now)
    planned = [row.due for row in desk.reminders() if row.state == "planned"]
    ahead = desk.now + timedelta(days=60)
    assert len([due for due in planned if desk.now < due < ahead]) == 6
    assert replan(desk.database, desk.now).reminders == 0


@pytest.mark.parametrize(
    "state", [DeliveryState.EXPIRED, DeliveryState.FAILED, DeliveryState.DROPPED]
)
def test_what_was_given_up_in_the_future_is_sent(database: Database, state: DeliveryState) -> None:
    """Unless it is of no use any more."""
    keep_deliveries(database, 1)
    now = datetime(2025, 6, 1, 12, tzinfo=UTC)
    with database.write() as connection:
        add_delivery(connection, make_message("msg_old", until=now - HOUR), "end_1")
        claimed = claims.claim(connection, now, 9)
        claims.settle(connection, claimed, state, now + YEAR)
    assert replan(database, now).deliveries == 1
    assert [row.state for row in read_deliveries(database)] == ["pending", state]
    with database.write() as connection:
        assert len(claims.claim(connection, now, 9)) == 1


def test_a_lease_that_was_taken_in_the_future_ends(database: Database) -> None:
    now = datetime(2025, 6, 1, 12, tzinfo=UTC)
    keep_deliveries(database, 2)
    with database.write() as connection:
        assert len(claims.claim(connection, now + YEAR, 1)) == 1
    replan(database, now)
    with database.write() as connection:
        assert len(claims.claim(connection, now, 9)) == 2


def test_what_was_held_for_too_long_by_a_wrong_clock_is_not_dropped(database: Database) -> None:
    now = datetime(2025, 6, 1, 12, tzinfo=UTC)
    keep_deliveries(database, 2)
    with database.write() as connection:
        lifecycle.pause_or_disable_endpoint(connection, "end_1", EndpointState.PAUSED, now)
    Retention(database).run(now + KEEP_HELD)
    replan(database, now)
    with database.write() as connection:
        lifecycle.resume_endpoint(connection, "end_1", now)
        assert len(claims.claim(connection, now, 9)) == 2


def test_an_endpoint_that_was_changed_in_the_future_gets_what_it_is_to_get(
    database: Database,
) -> None:
    now = datetime(2025, 6, 1, 12, tzinfo=UTC)
    keep_deliveries(database, 2)
    columns = {"created": now + YEAR, "failing_since": now + YEAR, "paced_to": now + YEAR}
    with database.write() as connection:
        connection.execute(update(endpoints).values(**columns))
        lifecycle.pause_or_disable_endpoint(
            connection, "end_1", EndpointState.DISABLED, now + YEAR, "it failed"
        )
    assert replan(database, now).deliveries == 2
    with database.read() as connection:
        endpoint = find_endpoint(connection, "end_1")
        paced_to = connection.scalar(select(endpoints.c.paced_to))
    assert (endpoint.state, endpoint.created) == ("active", now)
    assert (endpoint.failing_since, paced_to) == (None, None)


def test_a_change_that_was_put_off_into_the_future_is_announced(desk: Desk) -> None:
    desk.add_endpoint()
    desk.publish(dates(1))
    with desk.database.write() as connection:
        connection.execute(insert(announcements).values(uid="x", base=None, due=desk.now + YEAR))
        connection.execute(update(reminders).values(send_from=desk.now + YEAR))
    replan(desk.database, desk.now)
    with desk.database.read() as connection:
        assert connection.scalar(select(announcements.c.due)) == desk.now
        assert set(connection.scalars(select(reminders.c.send_from))) == {desk.now}


class _Unchanged(Releases):
    """The zone database as it is."""

    def __init__(self) -> None:
        pass

    def install(self, number: int) -> None:
        pass


@pytest.fixture(scope="module")
def sqlite_file() -> Iterator[Database]:
    with make_database() as database:
        yield database


drafts = st.builds(
    Draft,
    start=st.integers(10, 60).map(
        lambda day: datetime.combine(date(2025, 6, 2), time(9, 30)) + timedelta(days=day)
    ),
    zone=st.just("America/New_York"),
    rules=st.just(("1 week", "1 day", "2 hours")),
    repeat=st.sampled_from([None, "FREQ=DAILY;COUNT=3"]),
)
mistakes = st.tuples(
    st.sampled_from(JUMPS),
    st.sampled_from([None, "three", "four"]),
    drafts,
    st.lists(st.sampled_from(["fire", "fan out", "gather", "replan"]), max_size=6),
    st.sampled_from([[], ["dies"], ["arrives"]]),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(first=drafts, second=drafts, history=st.lists(mistakes, max_size=5))
def test_whatever_a_wrong_clock_does_everything_is_told_under_one_id(
    sqlite_file: Database, first: Draft, second: Draft, history: list[Any]
) -> None:
    """The worker believes the wrong time, decides by it, and posts or dies."""
    now = datetime(2025, 6, 1, 12, tzinfo=UTC)
    life = Life(sqlite_file, now, {"end_1": Options()}, _Unchanged())
    life.begin()
    life.edit("one", first)
    life.edit("two", second)
    edited = dict.fromkeys(life.drafts, now)
    for jump, slug, draft, work, fates in history:
        life.wait_for_next(0)
        right = life.now
        life.now += jump
        if slug is not None:
            life.edit(slug, draft)
            edited[slug] = right
        for step in work:
            life.work(step)
        if fates:
            life.post(4, fates)
            life.record()
        life.now = right
        while life.work("replan"):
            pass
    life.end()
    life.check()
    states = life._states()
    for slug, after in edited.items():
        for reminder in plan_reminders(life.drafts[slug].make(slug), after, after + 100 * DAY):
            assert states[reminder.key] == "sent"
