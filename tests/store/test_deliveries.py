"""Delivery leases: claim, settle, release and retry."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import update

from calfeed.errors import NotFoundError
from calfeed.model.states import DeliveryState, EndpointState
from calfeed.store.database import Database
from calfeed.store.endpoints.lifecycle import pause_or_disable_endpoint, remove_endpoint
from calfeed.store.endpoints.records import (
    add_endpoint,
    find_endpoint,
    list_endpoints,
    load_endpoints,
)
from calfeed.store.outbox.claims import (
    LEASE,
    Attempt,
    Claim,
    claim,
    claim_by_id,
    defer,
    record_attempts,
    schedule_retries,
    settle,
)
from calfeed.store.outbox.deliveries import (
    find_delivery,
    list_deliveries,
    load_attempts,
    next_pending_at,
    retry,
)
from calfeed.store.outbox.messages import load_messages, supersede_deliveries
from calfeed.store.tables import deliveries
from tests.patience import PATIENCE
from tests.store.keeping import (
    NOW,
    keep_deliveries,
    keep_endpoints,
    make_endpoint,
    make_message,
    read_deliveries,
)

SECOND = timedelta(seconds=1)


def take(database: Database, count: int, after: timedelta = timedelta(0)) -> list[Claim]:
    with database.write() as connection:
        return claim(connection, NOW + after, count)


def attempt(claimed: Claim, status: int = 500) -> Attempt:
    return Attempt(claimed.delivery_id, claimed.number, NOW, 12, status, None, "no")


def test_the_longest_waiting_are_claimed_first_up_to_the_limit(
    database: Database,
) -> None:
    numbers = keep_deliveries(database, 5)
    assert {one.delivery_id for one in take(database, 2)} == set(numbers[:2])
    assert {one.delivery_id for one in take(database, 9)} == set(numbers[2:])
    assert take(database, 9) == []


def test_deliveries_that_are_not_due_are_not_claimed(database: Database) -> None:
    keep_deliveries(database, 2)
    assert len(take(database, 9, -2 * SECOND)) == 1


def test_concurrent_claims_never_share_a_delivery(database: Database) -> None:
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


def test_after_the_lease_only_the_new_claim_can_settle(
    database: Database,
) -> None:
    (number,) = keep_deliveries(database, 1)
    (first,) = take(database, 1)
    assert take(database, 1, LEASE - SECOND) == []
    (second,) = take(database, 1, LEASE)
    assert (second.delivery_id, second.number) == (number, first.number + 1)
    with database.write() as connection:
        schedule_retries(connection, {first: NOW})
        settle(connection, [first], DeliveryState.FAILED, NOW)
        assert find_delivery(connection, number).state == "pending"
        assert find_delivery(connection, number).next_at == NOW + 2 * LEASE
        settle(connection, [second], DeliveryState.DELIVERED, NOW)
        settle(connection, [first], DeliveryState.FAILED, NOW)
        found = find_delivery(connection, number)
    assert (found.state, found.attempts, found.settled_at) == ("delivered", 1, NOW)


def test_attempts_of_expired_claims_are_recorded(database: Database) -> None:
    (number,) = keep_deliveries(database, 1)
    (first,) = take(database, 1)
    (second,) = take(database, 1, LEASE)
    with database.write() as connection:
        record_attempts(connection, [attempt(second, 200)])
        record_attempts(connection, [attempt(first), attempt(first)])
        kept = load_attempts(connection, number)
    assert [(one.claim, one.status) for one in kept] == [(1, 500), (2, 200)]
    assert kept[0] == attempt(first)


def test_a_scheduled_retry_is_pending_until_it_is_due(database: Database) -> None:
    (number,) = keep_deliveries(database, 1)
    (claimed,) = take(database, 1)
    with database.write() as connection:
        schedule_retries(connection, {claimed: NOW + 5 * SECOND})
        assert next_pending_at(connection) == NOW + 5 * SECOND
    assert take(database, 1, 4 * SECOND) == []
    (again,) = take(database, 1, 5 * SECOND)
    assert (again.delivery_id, again.attempts) == (number, 1)


def test_a_deferred_claim_leaves_no_trace(database: Database) -> None:
    """The next claim has the same number."""
    keep_deliveries(database, 2)
    with database.write() as connection:
        first, second = claim(connection, NOW, 2)
        defer(connection, {first: NOW + 5 * SECOND})
    assert take(database, 9, 4 * SECOND) == []
    assert take(database, 9, 5 * SECOND) == [first]
    assert take(database, 9, 40 * SECOND) == [
        first._replace(number=first.number + 1),
        second._replace(number=second.number + 1),
    ]


def test_a_pending_delivery_is_claimed_by_id(database: Database) -> None:
    (number,) = keep_deliveries(database, 1)
    with database.write() as connection:
        (claimed,) = claim_by_id(connection, number, NOW)
        settle(connection, [claimed], DeliveryState.DELIVERED, NOW, attempted=False)
        assert claim_by_id(connection, number, NOW) == []
        assert claim_by_id(connection, number + 1, NOW) == []
        assert find_delivery(connection, number).attempts == 0


def test_recording_an_attempt_twice_counts_it_once(database: Database) -> None:
    """If a connection breaks during a commit, the outcome is unknown."""
    (number,) = keep_deliveries(database, 1)
    (first,) = take(database, 1)
    for _ in range(2):
        with database.write() as connection:
            record_attempts(connection, [attempt(first)])
            schedule_retries(connection, {first: NOW + SECOND})
    with database.read() as connection:
        assert find_delivery(connection, number).attempts == 1
        assert len(load_attempts(connection, number)) == 1


@pytest.mark.parametrize("state", ["held", "gathered"])
def test_held_and_gathered_deliveries_are_not_claimed(database: Database, state: str) -> None:
    (number,) = keep_deliveries(database, 1)
    with database.write() as connection:
        connection.execute(update(deliveries).values(state=state))
        assert claim(connection, NOW, 9) == claim_by_id(connection, number, NOW) == []


@pytest.mark.parametrize(
    "state",
    [
        DeliveryState.DELIVERED,
        DeliveryState.EXPIRED,
        DeliveryState.SUPERSEDED,
        DeliveryState.DROPPED,
    ],
)
def test_only_failed_deliveries_are_retried(database: Database, state: DeliveryState) -> None:
    (number,) = keep_deliveries(database, 1)
    (first,) = take(database, 1)
    with database.write() as connection:
        if state is DeliveryState.SUPERSEDED:
            supersede_deliveries(connection, deliveries.c.id == number, NOW)
        else:
            settle(connection, [first], state, NOW)
        assert find_delivery(connection, number).state is state
        assert list(retry(connection, [number], NOW).refused) == [number]
        assert find_delivery(connection, number).state == state


def test_a_retry_starts_a_new_series_of_attempts(database: Database) -> None:
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
        assert list_deliveries(connection)[0].type == "event.moved"


def test_an_unknown_delivery_is_an_error(database: Database) -> None:
    with database.read() as connection, pytest.raises(NotFoundError, match="no delivery 7"):
        find_delivery(connection, 7)


def test_messages_are_loaded_by_id(database: Database) -> None:
    keep_deliveries(database, 3)
    with database.read() as connection:
        found = load_messages(connection, ["msg_0", "msg_2", "msg_9"])
    assert {key: message.body for key, message in found.items()} == {
        "msg_0": make_message().body,
        "msg_2": make_message().body,
    }


def test_removing_an_endpoint_drops_only_its_pending_deliveries(
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


def test_removed_endpoints_are_not_found_and_disabled_ones_are(database: Database) -> None:
    with database.write() as connection:
        keep_endpoints(connection, "end_1", "end_2")
        pause_or_disable_endpoint(connection, "end_1", EndpointState.DISABLED, NOW)
        remove_endpoint(connection, "end_2", NOW)
        assert [(one.id, one.state) for one in list_endpoints(connection)] == [
            ("end_1", "disabled")
        ]
        with pytest.raises(NotFoundError, match="no endpoint"):
            find_endpoint(connection, "end_2")
        assert not pause_or_disable_endpoint(connection, "end_2", EndpointState.DISABLED, NOW)
        assert remove_endpoint(connection, "end_1", NOW)


def test_an_endpoint_is_loaded_as_it_was_stored(database: Database) -> None:
    endpoint = make_endpoint("end_1")
    with database.write() as connection:
        add_endpoint(connection, endpoint)
        assert find_endpoint(connection, "end_1") == endpoint
        assert load_endpoints(connection, ["end_1", "end_9"]) == {"end_1": endpoint}
