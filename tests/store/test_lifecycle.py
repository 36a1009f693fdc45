"""The states of endpoints, and their effect on deliveries."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta

import pytest
from sqlalchemy import select, text, update

from calfeed.errors import InvalidInputError, NotFoundError
from calfeed.model.states import DeliveryState, EndpointState
from calfeed.reminders.option_values import Digest
from calfeed.reminders.options import Options
from calfeed.reminders.signing import make_secret
from calfeed.store.database import Connection, Database
from calfeed.store.endpoints import lifecycle
from calfeed.store.endpoints.lifecycle import Released
from calfeed.store.endpoints.records import (
    ROTATION_PERIOD,
    Endpoint,
    add_endpoint,
    find_endpoint,
    load_endpoint_page,
    load_endpoints,
    lock_endpoint,
    lock_inactive,
)
from calfeed.store.outbox import claims, fanout
from calfeed.store.outbox.messages import add_delivery, add_messages
from calfeed.store.tables import deliveries, endpoints, messages
from tests.delivery.office import wait_until
from tests.patience import PATIENCE
from tests.store.keeping import (
    NOW,
    keep_deliveries,
    keep_endpoints,
    make_endpoint,
    make_message,
    read_deliveries,
)

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
OTHER = make_secret(bytes(range(32)))
DAILY = Options(digest=Digest(at=time(9)))
TOMORROW = NOW.replace(hour=9) + DAY


def states(database: Database) -> list[str]:
    return [row.state for row in read_deliveries(database)]


def hold(
    database: Database, state: EndpointState = EndpointState.PAUSED, name: str = "end_1"
) -> bool:
    with database.write() as connection:
        return lifecycle.pause_or_disable_endpoint(connection, name, state, NOW)


def resume(database: Database, now: datetime = NOW, name: str = "end_1") -> Released | None:
    with database.write() as connection:
        return lifecycle.resume_endpoint(connection, name, now)


def find(database: Database, name: str = "end_1") -> Endpoint:
    with database.read() as connection:
        return find_endpoint(connection, name)


def change(database: Database, options: Options) -> None:
    with database.write() as connection:
        found = lock_endpoint(connection, "end_1")
        lifecycle.change_endpoint(connection, replace(found, options=options), NOW)


def put(database: Database, number: int, **values: object) -> None:
    with database.write() as connection:
        statement = update(deliveries).where(deliveries.c.id == number)
        connection.execute(statement.values(**values))


def keep_reminders(database: Database, untils: Sequence[datetime | None]) -> None:
    """Add pending deliveries of reminders that expire at these times."""
    with database.write() as connection:
        for number, until in enumerate(untils):
            message = make_message(f"rem_{number}", until=until)
            add_delivery(connection, message, "end_1")
            names = update(messages).where(messages.c.id == message.id)
            connection.execute(names.values(reminder=f"key_{number}"))


def claim_all(connection: Connection, now: datetime) -> list[int]:
    found = []
    while claimed := claims.claim(connection, now, 1):
        found += [one.delivery_id for one in claimed]
    return found


def test_unsettled_deliveries_are_held_while_an_endpoint_is_paused(database: Database) -> None:
    numbers = keep_deliveries(database, 4)
    put(database, numbers[0], state="gathered", next_at=TOMORROW)
    put(database, numbers[1], state="delivered", settled_at=NOW)
    assert hold(database)
    assert states(database) == ["held", "delivered", "held", "held"]
    assert find(database).state == "paused"
    assert find(database).since == NOW
    with database.write() as connection:
        assert claim_all(connection, NOW + DAY) == []
    assert not hold(database, EndpointState.DISABLED), "it was paused already"


def test_held_deliveries_are_claimed_oldest_first_after_a_resume(database: Database) -> None:
    numbers = keep_deliveries(database, 5)
    put(database, numbers[1], next_at=NOW + HOUR, attempts=3)
    put(database, numbers[2], next_at=NOW - HOUR)
    hold(database)
    assert resume(database) == Released(5, 0, 0)
    assert find(database).state == "active"
    with database.write() as connection:
        assert claim_all(connection, NOW) == numbers
    assert resume(database) is None, "it is active"
    assert resume(database, name="end_2") is None, "there is none"


def test_late_deliveries_expire_when_an_endpoint_is_resumed(
    database: Database,
) -> None:
    keep_deliveries(database, 1)
    keep_reminders(database, [NOW + HOUR, NOW + DAY])
    hold(database)
    assert resume(database, NOW + HOUR) == Released(2, 0, 1)
    assert states(database) == ["pending", "expired", "pending"]


def test_an_attempt_in_flight_during_a_resume_is_not_repeated(
    database: Database,
) -> None:
    keep_deliveries(database, 1)
    with database.write() as connection:
        (claimed,) = claims.claim(connection, NOW, 1)
    hold(database)
    assert resume(database, NOW + SECOND) == Released(1, 0, 0)
    with database.write() as connection:
        assert claim_all(connection, NOW + SECOND) == []
        claims.settle(connection, [claimed], DeliveryState.DELIVERED, NOW)
    assert states(database) == ["delivered"]


def test_a_resume_retries_deliveries_that_failed_since_failing_since(
    database: Database,
) -> None:
    before, since, forgotten, over = keep_deliveries(database, 4)
    for number, at in ((before, -DAY), (since, HOUR), (forgotten, HOUR), (over, HOUR)):
        put(database, number, state="failed", settled_at=NOW + at, attempts=10)
    with database.write() as connection:
        assert lifecycle.record_failing_since(connection, [], ["end_1"], NOW) == {"end_1": NOW}
        ids = dict(connection.execute(select(deliveries.c.id, deliveries.c.message_id)).all())
        body = update(messages).where(messages.c.id == ids[forgotten])
        connection.execute(body.values(body=None))
        until = update(messages).where(messages.c.id == ids[over])
        connection.execute(until.values(until=NOW + DAY))
    hold(database, EndpointState.DISABLED)
    assert resume(database, NOW + 5 * DAY) == Released(1, 0, 0)
    assert states(database) == ["failed", "pending", "failed", "failed"]
    assert [row.attempts for row in read_deliveries(database)] == [10, 0, 10, 10]
    assert find(database).failing_since is None


def test_held_reminders_are_gathered_again_for_a_digest(
    database: Database,
) -> None:
    """Except reminders that are too late for the digest, and other messages."""
    keep_deliveries(database, 1)
    change(database, DAILY)
    keep_reminders(database, [TOMORROW, TOMORROW + SECOND, None])
    hold(database)
    assert resume(database) == Released(2, 2, 0)
    assert states(database) == ["pending", "pending", "gathered", "gathered"]
    assert {row.next_at for row in read_deliveries(database)[2:]} == {TOMORROW}


def test_new_options_apply_to_waiting_deliveries(database: Database) -> None:
    keep_deliveries(database, 1)
    keep_reminders(database, [None, None, None])
    waits, tried, on_its_way = (row.id for row in read_deliveries(database)[1:])
    put(database, waits, next_at=NOW + HOUR)
    put(database, tried, next_at=NOW + HOUR, attempts=1)
    put(database, on_its_way, next_at=NOW + SECOND)
    change(database, Options(rate=1))
    assert [row.next_at - NOW for row in read_deliveries(database)[1:]] == [
        timedelta(0),
        HOUR,
        SECOND,
    ]
    put(database, waits, state="gathered", next_at=NOW + 7 * DAY)
    change(database, DAILY)
    assert read_deliveries(database)[1].next_at == TOMORROW
    change(database, Options())
    assert states(database) == ["pending"] * 4
    assert read_deliveries(database)[1].next_at <= NOW
    assert find(database).options == Options()


def test_removal_drops_unsettled_deliveries_and_deletes_the_secrets(database: Database) -> None:
    numbers = keep_deliveries(database, 4)
    for number, state in zip(numbers, ("pending", "held", "gathered", "failed"), strict=True):
        put(database, number, state=state, settled_at=NOW if state == "failed" else None)
    with database.write() as connection:
        found = lock_endpoint(connection, "end_1")
        rotated = replace(found, headers={"X-Token": "hunter2"}).rotate(OTHER, NOW)
        lifecycle.change_endpoint(connection, rotated, NOW)
        assert lifecycle.remove_endpoint(connection, "end_1", NOW)
        (row,) = connection.execute(select(endpoints)).all()
        assert not any(secret in str(row) for secret in (OTHER, found.secret, "hunter2"))
        assert load_endpoints(connection, ["end_1"]) == {}
        with pytest.raises(NotFoundError):
            lock_endpoint(connection, "end_1")
    assert states(database) == ["dropped", "dropped", "dropped", "failed"]


def test_failing_counts_from_the_first_failure_after_the_last_success(database: Database) -> None:
    def note(answered: Sequence[str], failed: Sequence[str], now: datetime) -> datetime | None:
        with database.write() as connection:
            told = lifecycle.record_failing_since(connection, answered, failed, now)
        assert set(told) <= set(failed)
        return find(database).failing_since

    with database.write() as connection:
        keep_endpoints(connection, "end_1", "end_2")
    assert note([], ["end_1", "end_2"], NOW) == NOW
    assert note([], ["end_1"], NOW + HOUR) == NOW
    assert note(["end_2"], [], NOW + HOUR) == NOW
    assert note(["end_1"], ["end_1"], NOW + DAY) == NOW + DAY
    assert note(["end_1"], [], NOW + 2 * DAY) is None
    assert note([], ["end_1"], NOW + 3 * DAY) == NOW + 3 * DAY
    hold(database, EndpointState.DISABLED)
    assert note(["end_1"], [], NOW + 4 * DAY) == NOW + 3 * DAY, "a resume asks for it"
    with database.write() as connection:
        assert lifecycle.record_failing_since(connection, [], ["end_1", "end_9"], NOW) == {}


def turns(database: Database, rate: int, wanted: int, now: datetime) -> list[datetime]:
    with database.write() as connection:
        return lifecycle.reserve_send_times(connection, "end_1", rate, wanted, now)


@pytest.mark.parametrize(
    ("engine", "rate"),
    # Each turn is a round trip: with PostgreSQL, one rate shows that it reckons alike.
    [*(("sqlite", rate) for rate in (1, 7, 60, 61, 200)), ("postgresql", 61)],
    indirect=["engine"],
)
def test_no_minute_exceeds_the_rate_limit_and_no_time_is_wasted(
    database: Database, rate: int
) -> None:
    """With more requests than the limit allows, twice a second and after a pause."""
    times = [NOW + half * SECOND / 2 for half in (*range(240), *range(400, 640))]
    taken: list[datetime] = []
    with database.write() as connection:
        keep_endpoints(connection, "end_1")
        for now in times:
            found = lifecycle.reserve_send_times(connection, "end_1", rate, rate + 1, now)
            assert found == sorted(found)
            taken += [at for at in found if at == now]
    for begin in taken:
        assert sum(begin <= at < begin + timedelta(minutes=1) for at in taken) <= rate
    assert len(taken) >= 4 * rate * 0.9


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)  # on SQLite nobody else writes
def test_reserving_is_tried_again_while_another_worker_reserves(database: Database) -> None:
    with database.write() as connection:
        keep_endpoints(connection, "end_1")
    with database.write() as connection:
        assert lifecycle.reserve_send_times(connection, "end_1", 1, 1, NOW) == [NOW]
        (later,) = turns(database, 1, 1, NOW)
        assert NOW < later < NOW + SECOND


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)  # on SQLite nobody else writes
def test_an_endpoint_that_is_being_resumed_counts_as_active(database: Database) -> None:
    """Otherwise deliveries would be held that the resume does not see."""
    with database.write() as connection:
        keep_endpoints(connection, "end_1", "end_2")
    hold(database)
    hold(database, name="end_2")
    with database.write() as resuming:
        lifecycle.resume_endpoint(resuming, "end_1", NOW)
        with database.write() as connection:
            assert lock_inactive(connection, ["end_1", "end_2"]) == {"end_2"}
            page = load_endpoint_page(connection, "", 9)
            assert [one.state for one in page] == ["active", "paused"]


def test_a_resume_waits_for_transactions_that_hold_deliveries(database: Database) -> None:
    numbers = keep_deliveries(database, 1)
    hold(database)
    put(database, numbers[0], state="pending")
    done = threading.Event()

    def work() -> None:
        resume(database)
        done.set()

    def waits() -> bool:
        with database.read() as connection:
            query = "SELECT count(*) FROM pg_locks WHERE NOT granted"
            return done.is_set() or bool(connection.scalar(text(query)))

    thread = threading.Thread(target=work)
    with database.write() as connection:
        claimed = claims.claim(connection, NOW, 1)
        assert lock_inactive(connection, ["end_1"]) == {"end_1"}
        thread.start()
        if not database.is_sqlite:
            wait_until(waits)
        claims.release(connection, {claimed[0]: NOW})
        claims.hold(connection, claimed)
    thread.join(PATIENCE)
    assert done.is_set()
    assert states(database) == ["pending"]
    with database.write() as connection:
        assert claim_all(connection, NOW) == numbers


def test_two_secrets_sign_for_a_day_after_a_rotation() -> None:
    first = make_endpoint("end_1")
    second = first.rotate(OTHER, NOW)
    assert second.secrets_at(NOW) == [OTHER, first.secret]
    assert second.secrets_at(NOW + ROTATION_PERIOD - SECOND) == [OTHER, first.secret]
    assert second.secrets_at(NOW + ROTATION_PERIOD) == [OTHER]
    third = make_secret(bytes(24))
    assert second.rotate(third, NOW + HOUR).secrets_at(NOW + HOUR) == [third, OTHER]
    with pytest.raises(InvalidInputError, match="has this secret already"):
        second.rotate(OTHER, NOW)


def test_the_repr_of_an_endpoint_shows_no_secret(database: Database) -> None:
    endpoint = replace(
        make_endpoint("end_1", "https://example.org/hooks/hunter2").rotate(OTHER, NOW),
        headers={"X-Token": "hunter2"},
    )
    with database.write() as connection:
        add_endpoint(connection, endpoint)
        assert find_endpoint(connection, "end_1") == endpoint
    for hidden in (endpoint.secret, endpoint.former_secret or "?", "hunter2"):
        assert hidden not in repr(endpoint)


def test_resumed_deliveries_are_not_sent_early(database: Database) -> None:
    """A reminder becomes a message just before it is due."""
    due = NOW + SECOND / 2
    with database.write() as connection:
        keep_endpoints(connection, "end_1")
        add_messages(connection, [replace(make_message(), send_from=due)])
    hold(database)
    with database.write() as connection:
        assert fanout.fan_out(connection, NOW)
    assert states(database) == ["held"]
    resume(database)
    (row,) = read_deliveries(database)
    assert (row.state, row.next_at) == ("pending", due)
