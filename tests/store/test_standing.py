"""How an endpoint stands, and what that does to what is to be sent to it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta

import pytest
from sqlalchemy import select, text, update

from calfeed.errors import InvalidInputError, NotFoundError
from calfeed.model.states import DeliveryState, EndpointState
from calfeed.reminders.options import Digest, Options
from calfeed.reminders.signing import make_secret
from calfeed.store.database import Connection, Database
from calfeed.store.endpoints import lifecycle
from calfeed.store.endpoints.endpoints import (
    ROTATION,
    Endpoint,
    add_endpoint,
    find_endpoint,
    keep_idle,
    load_endpoints,
    page_of_endpoints,
    take_endpoint,
)
from calfeed.store.endpoints.lifecycle import Released
from calfeed.store.outbox import claims, fanout, outbox
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
        return lifecycle.hold_endpoint(connection, name, state, NOW)


def resume(database: Database, now: datetime = NOW, name: str = "end_1") -> Released | None:
    with database.write() as connection:
        return lifecycle.resume_endpoint(connection, name, now)


def find(database: Database, name: str = "end_1") -> Endpoint:
    with database.read() as connection:
        return find_endpoint(connection, name)


def change(database: Database, options: Options) -> None:
    with database.write() as connection:
        found = take_endpoint(connection, "end_1")
        lifecycle.change_endpoint(connection, replace(found, options=options), NOW)


def put(database: Database, number: int, **values: object) -> None:
    with database.write() as connection:
        statement = update(deliveries).where(deliveries.c.id == number)
        connection.execute(statement.values(**values))


def keep_reminders(database: Database, untils: Sequence[datetime | None]) -> None:
    """Pending deliveries of reminders, which matter until these times."""
    with database.write() as connection:
        for number, until in enumerate(untils):
            message = make_message(f"rem_{number}", until=until)
            outbox.add_delivery(connection, message, "end_1")
            names = update(messages).where(messages.c.id == message.id)
            connection.execute(names.values(reminder=f"key_{number}"))


def claim_all(connection: Connection, now: datetime) -> list[int]:
    found = []
    while claimed := claims.claim(connection, now, 1):
        found += [one.delivery_id for one in claimed]
    return found


def test_what_is_still_to_come_is_held_while_an_endpoint_is_paused(database: Database) -> None:
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


def test_what_was_held_is_claimed_oldest_first_after_a_resume(database: Database) -> None:
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


def test_what_no_longer_matters_when_an_endpoint_is_resumed_has_expired(
    database: Database,
) -> None:
    keep_deliveries(database, 1)
    keep_reminders(database, [NOW + HOUR, NOW + DAY])
    hold(database)
    assert resume(database, NOW + HOUR) == Released(2, 0, 1)
    assert states(database) == ["pending", "expired", "pending"]


def test_an_attempt_that_is_on_its_way_when_its_endpoint_is_resumed_is_not_made_twice(
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


def test_what_was_given_up_since_an_endpoint_began_to_fail_is_sent_when_it_is_resumed(
    database: Database,
) -> None:
    before, since, forgotten, over = keep_deliveries(database, 4)
    for number, at in ((before, -DAY), (since, HOUR), (forgotten, HOUR), (over, HOUR)):
        put(database, number, state="failed", settled_at=NOW + at, attempts=10)
    with database.write() as connection:
        assert lifecycle.note_outcomes(connection, [], ["end_1"], NOW) == {"end_1": NOW}
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


def test_reminders_that_were_held_for_an_endpoint_with_a_digest_are_gathered_again(
    database: Database,
) -> None:
    """All but what its digest would tell too late, and what is no reminder."""
    keep_deliveries(database, 1)
    change(database, DAILY)
    keep_reminders(database, [TOMORROW, TOMORROW + SECOND, None])
    hold(database)
    assert resume(database) == Released(2, 2, 0)
    assert states(database) == ["pending", "pending", "gathered", "gathered"]
    assert {row.next_at for row in read_deliveries(database)[2:]} == {TOMORROW}


def test_other_options_hold_for_what_waits_already(database: Database) -> None:
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


def test_removal_drops_what_is_to_come_and_forgets_the_secrets(database: Database) -> None:
    numbers = keep_deliveries(database, 4)
    for number, state in zip(numbers, ("pending", "held", "gathered", "failed"), strict=True):
        put(database, number, state=state, settled_at=NOW if state == "failed" else None)
    with database.write() as connection:
        found = take_endpoint(connection, "end_1")
        rotated = replace(found, headers={"X-Token": "hunter2"}).rotate(OTHER, NOW)
        lifecycle.change_endpoint(connection, rotated, NOW)
        assert lifecycle.remove_endpoint(connection, "end_1", NOW)
        (row,) = connection.execute(select(endpoints)).all()
        assert not any(secret in str(row) for secret in (OTHER, found.secret, "hunter2"))
        assert load_endpoints(connection, ["end_1"]) == {}
        with pytest.raises(NotFoundError):
            take_endpoint(connection, "end_1")
    assert states(database) == ["dropped", "dropped", "dropped", "failed"]


def test_failing_counts_from_the_first_failure_after_the_last_success(database: Database) -> None:
    def note(answered: Sequence[str], failed: Sequence[str], now: datetime) -> datetime | None:
        with database.write() as connection:
            told = lifecycle.note_outcomes(connection, answered, failed, now)
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
        assert lifecycle.note_outcomes(connection, [], ["end_1", "end_9"], NOW) == {}


def turns(database: Database, rate: int, wanted: int, now: datetime) -> list[datetime]:
    with database.write() as connection:
        return lifecycle.take_turns(connection, "end_1", rate, wanted, now)


@pytest.mark.parametrize(
    ("engine", "rate"),
    # Each turn is a round trip: with PostgreSQL, one rate shows that it reckons alike.
    [*(("sqlite", rate) for rate in (1, 7, 60, 61, 200)), ("postgresql", 61)],
    indirect=["engine"],
)
def test_no_minute_has_more_posts_than_the_rate_and_none_is_wasted(
    database: Database, rate: int
) -> None:
    """Asked for more than there is, twice a second, and after a rest."""
    times = [NOW + half * SECOND / 2 for half in (*range(240), *range(400, 640))]
    taken: list[datetime] = []
    with database.write() as connection:
        keep_endpoints(connection, "end_1")
        for now in times:
            found = lifecycle.take_turns(connection, "end_1", rate, rate + 1, now)
            assert found == sorted(found)
            taken += [at for at in found if at == now]
    for begin in taken:
        assert sum(begin <= at < begin + timedelta(minutes=1) for at in taken) <= rate
    assert len(taken) >= 4 * rate * 0.9


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)  # on SQLite nobody else writes
def test_turns_that_another_worker_is_just_taking_are_asked_for_again(database: Database) -> None:
    with database.write() as connection:
        keep_endpoints(connection, "end_1")
    with database.write() as connection:
        assert lifecycle.take_turns(connection, "end_1", 1, 1, NOW) == [NOW]
        (later,) = turns(database, 1, 1, NOW)
        assert NOW < later < NOW + SECOND


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)  # on SQLite nobody else writes
def test_an_endpoint_that_is_just_resumed_is_not_thought_idle(database: Database) -> None:
    """Nothing may be held for it that the resume does not see."""
    with database.write() as connection:
        keep_endpoints(connection, "end_1", "end_2")
    hold(database)
    hold(database, name="end_2")
    with database.write() as resuming:
        lifecycle.resume_endpoint(resuming, "end_1", NOW)
        with database.write() as connection:
            assert keep_idle(connection, ["end_1", "end_2"]) == {"end_2"}
            page = page_of_endpoints(connection, "", 9)
            assert [one.state for one in page] == ["active", "paused"]


def test_a_resume_waits_for_who_is_about_to_hold_something(database: Database) -> None:
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
        assert keep_idle(connection, ["end_1"]) == {"end_1"}
        thread.start()
        if not database.is_sqlite:
            wait_until(waits)
        claims.give_back(connection, {claimed[0]: NOW})
        claims.hold(connection, claimed)
    thread.join(PATIENCE)
    assert done.is_set()
    assert states(database) == ["pending"]
    with database.write() as connection:
        assert claim_all(connection, NOW) == numbers


def test_both_secrets_sign_for_a_day_after_a_rotation_and_no_third() -> None:
    first = make_endpoint("end_1")
    second = first.rotate(OTHER, NOW)
    assert second.secrets_at(NOW) == [OTHER, first.secret]
    assert second.secrets_at(NOW + ROTATION - SECOND) == [OTHER, first.secret]
    assert second.secrets_at(NOW + ROTATION) == [OTHER]
    third = make_secret(bytes(24))
    assert second.rotate(third, NOW + HOUR).secrets_at(NOW + HOUR) == [third, OTHER]
    with pytest.raises(InvalidInputError, match="has already"):
        second.rotate(OTHER, NOW)


def test_nothing_secret_of_an_endpoint_is_in_its_repr(database: Database) -> None:
    endpoint = replace(
        make_endpoint("end_1", "https://example.org/hooks/hunter2").rotate(OTHER, NOW),
        headers={"X-Token": "hunter2"},
    )
    with database.write() as connection:
        add_endpoint(connection, endpoint)
        assert find_endpoint(connection, "end_1") == endpoint
    for hidden in (endpoint.secret, endpoint.former_secret or "?", "hunter2"):
        assert hidden not in repr(endpoint)


def test_what_is_resumed_is_not_sent_before_its_time(database: Database) -> None:
    """A reminder becomes a message a moment before it is due, and waits for the rest of it."""
    due = NOW + SECOND / 2
    with database.write() as connection:
        keep_endpoints(connection, "end_1")
        outbox.add_messages(connection, [replace(make_message(), send_from=due)])
    hold(database)
    with database.write() as connection:
        assert fanout.fan_out(connection, NOW)
    assert states(database) == ["held"]
    resume(database)
    (row,) = read_deliveries(database)
    assert (row.state, row.next_at) == ("pending", due)
