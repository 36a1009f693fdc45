"""Deliveries: claimed by one at a time, given back by the dead, recorded by who holds them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import update

from calfeed.errors import NotFoundError
from calfeed.model.states import DeliveryState, EndpointState
from calfeed.store.database import Database
from calfeed.store.endpoints.endpoints import (
    add_endpoint,
    find_endpoint,
    list_endpoints,
    load_endpoints,
)
from calfeed.store.endpoints.lifecycle import hold_endpoint, remove_endpoint
from calfeed.store.outbox import outbox
from calfeed.store.outbox.claims import (
    LEASE,
    Attempt,
    Claim,
    claim,
    claim_one,
    load_messages,
    pass_over,
    put_off,
    record_attempts,
    settle,
)
from calfeed.store.outbox.deliveries import (
    count_by_state,
    find_delivery,
    list_deliveries,
    load_attempts,
    next_pending,
    retry,
)
from calfeed.store.tables import deliveries
from tests.patience import PATIENCE
from tests.store.keeping import (
    NOW,
    keep_deliveries,
    keep_endpoints,
    make_endpoint,
    read_deliveries,
)

SECOND = timedelta(seconds=1)


def take(database: Database, count: int, after: timedelta = timedelta(0)) -> list[Claim]:
    with database.write() as connection:
        return claim(connection, NOW + after, count)


def attempt(claimed: Claim, status: int = 500) -> Attempt:
    return Attempt(claimed.delivery_id, claimed.number, NOW, 12, status, None, "no")


def test_those_that_waited_longest_are_claimed_first_and_no_more_than_asked_for(
    database: Database,
) -> None:
    numbers = keep_deliveries(database, 5)
    assert {one.delivery_id for one in take(database, 2)} == set(numbers[:2])
    assert {one.delivery_id for one in take(database, 9)} == set(numbers[2:])
    assert take(database, 9) == []


def test_what_is_not_due_yet_is_left_alone(database: Database) -> None:
    keep_deliveries(database, 2)
    assert len(take(database, 9, -2 * SECOND)) == 1


def test_two_claimers_never_share_a_delivery(database: Database) -> None:
    numbers = keep_deliveries(database, 600)
    barrier = threading.Barrier(4)

    def work() -> list[int]:
        found: list[int] = []
        barrier.wait(PATIENCE)
        while claims := take(database, 7):
            found += [one.delivery_id for one in claims]
        return found

    with ThreadPoolExecutor(4) as pool:
        parts = [future.result() for future in [pool.submit(work) for _ in range(4)]]
    taken = [number for part in parts for number in part]
    # On PostgreSQL rows that another holds are passed over, so one may find nothing too soon.
    taken += [one.delivery_id for one in take(database, 600)]
    assert sorted(taken) == numbers


def test_when_the_lease_runs_out_another_gets_it_and_the_first_has_no_say(
    database: Database,
) -> None:
    (number,) = keep_deliveries(database, 1)
    (first,) = take(database, 1)
    assert take(database, 1, LEASE - SECOND) == []
    (second,) = take(database, 1, LEASE)
    assert (second.delivery_id, second.number) == (number, first.number + 1)
    with database.write() as connection:
        put_off(connection, {first: NOW})
        settle(connection, [first], DeliveryState.FAILED, NOW)
        assert find_delivery(connection, number).state == "pending"
        assert find_delivery(connection, number).next_at == NOW + 2 * LEASE
        settle(connection, [second], DeliveryState.DELIVERED, NOW)
        settle(connection, [first], DeliveryState.FAILED, NOW)
        found = find_delivery(connection, number)
    assert (found.state, found.attempts, found.settled_at) == ("delivered", 1, NOW)


def test_every_attempt_is_kept_whoever_holds_the_delivery_by_then(database: Database) -> None:
    (number,) = keep_deliveries(database, 1)
    (first,) = take(database, 1)
    (second,) = take(database, 1, LEASE)
    with database.write() as connection:
        record_attempts(connection, [attempt(second, 200)])
        record_attempts(connection, [attempt(first), attempt(first)])
        kept = load_attempts(connection, number)
    assert [(one.claim, one.status) for one in kept] == [(1, 500), (2, 200)]
    assert kept[0] == attempt(first)


def test_what_is_put_off_is_pending_until_its_time_has_come(database: Database) -> None:
    (number,) = keep_deliveries(database, 1)
    (claimed,) = take(database, 1)
    with database.write() as connection:
        put_off(connection, {claimed: NOW + 5 * SECOND})
        assert next_pending(connection) == NOW + 5 * SECOND
    assert take(database, 1, 4 * SECOND) == []
    (again,) = take(database, 1, 5 * SECOND)
    assert (again.delivery_id, again.attempts) == (number, 1)


def test_what_is_passed_over_was_never_claimed(database: Database) -> None:
    """Its next claim has the number that it would have had."""
    keep_deliveries(database, 2)
    with database.write() as connection:
        first, second = claim(connection, NOW, 2)
        pass_over(connection, {first: NOW + 5 * SECOND})
    assert take(database, 9, 4 * SECOND) == []
    assert take(database, 9, 5 * SECOND) == [first]
    assert take(database, 9, 40 * SECOND) == [
        first._replace(number=first.number + 1),
        second._replace(number=second.number + 1),
    ]


def test_one_delivery_is_claimed_by_its_number_while_it_is_pending(database: Database) -> None:
    (number,) = keep_deliveries(database, 1)
    with database.write() as connection:
        (claimed,) = claim_one(connection, number, NOW)
        settle(connection, [claimed], DeliveryState.DELIVERED, NOW, attempted=False)
        assert claim_one(connection, number, NOW) == []
        assert claim_one(connection, number + 1, NOW) == []
        assert find_delivery(connection, number).attempts == 0


def test_an_attempt_that_is_recorded_twice_counts_once(database: Database) -> None:
    """A connection that breaks does not tell whether its last commit was made."""
    (number,) = keep_deliveries(database, 1)
    (first,) = take(database, 1)
    for _ in range(2):
        with database.write() as connection:
            record_attempts(connection, [attempt(first)])
            put_off(connection, {first: NOW + SECOND})
    with database.read() as connection:
        assert find_delivery(connection, number).attempts == 1
        assert len(load_attempts(connection, number)) == 1


@pytest.mark.parametrize("state", ["held", "gathered"])
def test_what_waits_for_its_endpoint_or_a_digest_is_not_claimed(
    database: Database, state: str
) -> None:
    (number,) = keep_deliveries(database, 1)
    with database.write() as connection:
        connection.execute(update(deliveries).values(state=state))
        assert claim(connection, NOW, 9) == claim_one(connection, number, NOW) == []


@pytest.mark.parametrize(
    "state",
    [
        DeliveryState.DELIVERED,
        DeliveryState.EXPIRED,
        DeliveryState.SUPERSEDED,
        DeliveryState.DROPPED,
    ],
)
def test_what_ended_otherwise_than_by_failing_stays_ended(
    database: Database, state: DeliveryState
) -> None:
    (number,) = keep_deliveries(database, 1)
    (first,) = take(database, 1)
    with database.write() as connection:
        if state is DeliveryState.SUPERSEDED:
            outbox.take_back(connection, deliveries.c.id == number, NOW)
        else:
            settle(connection, [first], state, NOW)
        assert find_delivery(connection, number).state is state
        assert list(retry(connection, [number], NOW).refused) == [number]
        assert find_delivery(connection, number).state == state


def test_what_failed_can_be_tried_again_from_the_start(database: Database) -> None:
    (number,) = keep_deliveries(database, 1)
    (first,) = take(database, 1)
    with database.write() as connection:
        assert not retry(connection, [number], NOW).pending
        record_attempts(connection, [attempt(first)])
        settle(connection, [first], DeliveryState.FAILED, NOW)
        assert retry(connection, [number], NOW + SECOND).pending == [number]
        found = find_delivery(connection, number)
        assert (found.state, found.attempts, found.settled_at) == ("pending", 0, None)
    (second,) = take(database, 1, SECOND)
    with database.write() as connection:
        record_attempts(connection, [attempt(second, 200)])
        assert len(load_attempts(connection, number)) == 2
        settle(connection, [second], DeliveryState.DELIVERED, NOW)
        assert not retry(connection, [number], NOW).pending


def test_deliveries_are_listed_newest_first_by_endpoint_and_state(database: Database) -> None:
    keep_deliveries(database, 2, "end_1")
    (claimed, *_) = take(database, 1)
    with database.write() as connection:
        settle(connection, [claimed], DeliveryState.FAILED, NOW)
        keep_endpoints(connection, "end_2")
        assert [row.state for row in list_deliveries(connection)] == ["pending", "failed"]
        assert len(list_deliveries(connection, limit=1)) == 1
        assert (
            len(list_deliveries(connection, states=[DeliveryState.FAILED, DeliveryState.EXPIRED]))
            == 1
        )
        assert list_deliveries(connection, endpoint_id="end_2") == []
        assert count_by_state(connection) == {"pending": 1, "failed": 1}
        assert list_deliveries(connection)[0].type == "event.moved"


def test_a_delivery_that_is_not_there_is_an_error_for_people(database: Database) -> None:
    with database.read() as connection, pytest.raises(NotFoundError, match="delivery list"):
        find_delivery(connection, 7)


def test_messages_come_by_their_ids(database: Database) -> None:
    keep_deliveries(database, 3)
    with database.read() as connection:
        found = load_messages(connection, ["msg_0", "msg_2", "msg_9"])
    assert {key: message.body for key, message in found.items()} == {
        "msg_0": b'{"text":"it"}',
        "msg_2": b'{"text":"it"}',
    }


def test_an_endpoint_that_goes_drops_what_is_pending_for_it_and_nothing_else(
    database: Database,
) -> None:
    keep_deliveries(database, 2)
    (claimed,) = take(database, 1)
    with database.write() as connection:
        settle(connection, [claimed], DeliveryState.DELIVERED, NOW)
        assert remove_endpoint(connection, "end_1", NOW)
        assert not remove_endpoint(connection, "end_1", NOW), "somebody else was first"
        assert load_endpoints(connection, ["end_1"]) == {}
    assert {row.state for row in read_deliveries(database)} == {"delivered", "dropped"}


def test_a_removed_endpoint_is_gone_and_a_disabled_one_is_shown(database: Database) -> None:
    with database.write() as connection:
        keep_endpoints(connection, "end_1", "end_2")
        hold_endpoint(connection, "end_1", EndpointState.DISABLED, NOW)
        remove_endpoint(connection, "end_2", NOW)
        assert [(one.id, one.state) for one in list_endpoints(connection)] == [
            ("end_1", "disabled")
        ]
        with pytest.raises(NotFoundError, match="endpoint list"):
            find_endpoint(connection, "end_2")
        assert not hold_endpoint(connection, "end_2", EndpointState.DISABLED, NOW)
        assert remove_endpoint(connection, "end_1", NOW)


def test_an_endpoint_comes_back_as_it_was_kept(database: Database) -> None:
    endpoint = make_endpoint("end_1")
    with database.write() as connection:
        add_endpoint(connection, endpoint)
        assert find_endpoint(connection, "end_1") == endpoint
        assert load_endpoints(connection, ["end_1", "end_9"]) == {"end_1": endpoint}
