"""Reminders gathered for an endpoint and sent in digests, on both databases."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from calfeed.delivery.due import LateReminderPacer, fan_out, fire_due, make_digests
from calfeed.delivery.engine.attempts import prepare_requests
from calfeed.delivery.engine.composing import InFlightDelivery
from calfeed.model.states import DeliveryState, EndpointState
from calfeed.reminders import digests as bounds
from calfeed.reminders.filters import Filters
from calfeed.reminders.option_values import Digest, QuietHours
from calfeed.reminders.options import Options
from calfeed.store.endpoints.lifecycle import Released, pause_or_disable_endpoint, resume_endpoint
from calfeed.store.endpoints.records import add_endpoint, find_endpoint, save_endpoint
from calfeed.store.outbox import claims, digests
from calfeed.store.outbox.deliveries import DeliveryRow
from calfeed.store.outbox.messages import load_messages
from calfeed.store.tables import deliveries, messages
from tests.delivery.office import Office
from tests.publish.desk import BASE, Desk
from tests.store.keeping import make_endpoint, read_deliveries

DAILY = Options(digest=Digest(at=time(18)))
# Three dates whose reminders are due on the 10th at 04:00 UTC.
DATES = "".join(
    f"date-{number}:\n  summary: Date {number}\n  start: 2025-06-1{number}\n"
    f"  reminders: [{number} days]\n"
    for number in (3, 4, 5)
)
DUE = datetime(2025, 6, 10, 4, tzinfo=UTC)
EVENING = datetime(2025, 6, 10, 18, tzinfo=UTC)


def subscribe(desk: Desk, options: Options = DAILY, name: str = "end_1") -> None:
    with desk.database.write() as connection:
        wanted = Filters(types=("reminder.due",))
        add_endpoint(connection, replace(make_endpoint(name, filters=wanted), options=options))


def work(desk: Desk, now: datetime) -> None:
    """Do what a worker does at a time, but for the posts."""
    while fire_due(desk.database, now, BASE, LateReminderPacer()) or fan_out(desk.database, now):
        pass
    while make_digests(desk.database, now):
        pass


def post(
    desk: Desk, now: datetime, *, settle: DeliveryState | None = DeliveryState.DELIVERED
) -> list[Any]:
    """Take what is to be posted; the bodies of what would be."""
    with desk.database.write() as connection:
        requests = prepare_requests(connection, claims.claim(connection, now, 100), lambda: now)
        taken = [
            request.key.claim for request in requests if isinstance(request.key, InFlightDelivery)
        ]
        if settle is not None:
            claims.settle(connection, taken, settle, now)
    return [json.loads(request.body) for request in requests]


def reminders(desk: Desk) -> list[DeliveryRow]:
    return [row for row in read_deliveries(desk.database) if row.type == "reminder.due"]


def states(desk: Desk) -> list[str]:
    return [row.state for row in reminders(desk)]


def summaries(body: Any) -> list[str]:
    return [one["event"]["summary"] for one in body["data"]["reminders"]]


def test_gathered_reminders_are_told_in_one_message_when_it_is_time(desk: Desk) -> None:
    subscribe(desk)
    subscribe(desk, Options(), "end_2")
    desk.publish(DATES)
    work(desk, DUE)
    single = post(desk, DUE)
    assert [body["type"] for body in single] == ["reminder.due"] * 3, "for the other endpoint"
    with desk.database.read() as connection:
        assert digests.next_digest_due(connection) == EVENING
    assert make_digests(desk.database, EVENING - timedelta(seconds=1)) == 0
    assert make_digests(desk.database, EVENING) == 3
    assert make_digests(desk.database, EVENING) == 0
    (body,) = post(desk, EVENING)
    assert body["type"] == "reminder.digest"
    assert summaries(body) == ["Date 3", "Date 4", "Date 5"]
    with desk.database.read() as connection:
        query = select(deliveries.c.state, deliveries.c.digest, deliveries.c.settled_at)
        rows = connection.execute(query.where(deliveries.c.digest.is_not(None))).all()
        own = connection.scalar(select(messages.c.id).where(messages.c.uid.is_(None)))
        assert digests.next_digest_due(connection) is None
    assert {tuple(row) for row in rows} == {("digested", own, EVENING)}
    assert len(rows) == 3


def test_what_cannot_wait_for_the_digest_goes_out_by_itself(desk: Desk) -> None:
    subscribe(desk)
    desk.publish(
        "soon:\n  summary: Soon\n  start: 2025-06-10 22:30\n  reminders: [1 day, 1 hour]\n"
    )
    begins = datetime(2025, 6, 10, 17, 30, tzinfo=UTC)
    work(desk, begins - timedelta(days=1))
    assert states(desk) == ["gathered"]
    work(desk, begins - timedelta(hours=1))
    assert states(desk) == ["digested", "pending"]


def test_what_became_wrong_meanwhile_is_not_in_the_digest(desk: Desk) -> None:
    subscribe(desk)
    desk.publish(DATES)
    work(desk, DUE)
    desk.publish(DATES.replace("2025-06-14", "2025-06-24"))
    assert sorted(states(desk)) == ["gathered", "gathered", "superseded"]
    work(desk, EVENING)
    (body,) = [body for body in post(desk, EVENING) if body["type"] == "reminder.digest"]
    assert summaries(body) == ["Date 3", "Date 5"]


def test_what_no_longer_matters_expires_and_an_empty_digest_is_not_sent(desk: Desk) -> None:
    subscribe(desk)
    desk.publish(DATES)
    work(desk, DUE)
    late = datetime(2025, 6, 14, 12, tzinfo=UTC)
    work(desk, late)
    assert sorted(states(desk)) == ["digested", "digested", "expired"]
    assert [summaries(body) for body in post(desk, late)] == [["Date 4", "Date 5"]]


def test_nothing_is_sent_where_all_has_expired(desk: Desk) -> None:
    subscribe(desk)
    desk.publish(DATES)
    work(desk, DUE)
    after = datetime(2025, 6, 20, tzinfo=UTC)
    work(desk, after)
    assert states(desk) == ["expired"] * 3
    assert post(desk, after) == []


def test_a_digest_that_failed_so_far_leaves_out_what_became_wrong(desk: Desk) -> None:
    """It goes on under the same id, for it may have been received."""
    subscribe(desk)
    desk.publish(DATES)
    work(desk, DUE)
    work(desk, EVENING)
    first = claims_of(desk, EVENING)
    moved = DATES.replace("2025-06-14", "2025-06-24")
    desk.publish(moved)
    again = EVENING + claims.LEASE
    assert claims_of(desk, again) == first
    (digest,) = first
    assert summaries(load(desk, digest)) == ["Date 3", "Date 5"]
    assert sorted(states(desk)) == ["digested", "digested", "superseded"]
    # Moved back, it is told again in the same one.
    desk.publish(DATES)
    work(desk, again)
    assert summaries(load(desk, digest)) == ["Date 3", "Date 4", "Date 5"]
    assert sorted(states(desk)) == ["digested"] * 3


def test_a_digest_of_nothing_that_is_true_is_taken_back_and_revived(desk: Desk) -> None:
    subscribe(desk)
    desk.publish(DATES)
    work(desk, DUE)
    work(desk, EVENING)
    (digest,) = claims_of(desk, EVENING)
    desk.publish(*[DATES.replace("start: 2025-06", "start: 2025-08")])
    again = EVENING + claims.LEASE
    assert digest not in claims_of(desk, again)
    desk.publish(DATES)
    assert digest in claims_of(desk, again)
    assert sorted(states(desk)) == ["digested"] * 3


def test_what_the_digest_went_without_is_gathered_for_the_next(desk: Desk) -> None:
    subscribe(desk)
    desk.publish(DATES)
    work(desk, DUE)
    work(desk, EVENING)
    desk.publish(DATES.replace("2025-06-14", "2025-06-24"))
    post(desk, EVENING)
    desk.publish(DATES)
    work(desk, EVENING)
    assert sorted(states(desk)) == ["digested", "digested", "gathered"]
    work(desk, EVENING + timedelta(days=1))
    bodies = post(desk, EVENING + timedelta(days=1))
    assert [summaries(body) for body in bodies if body["type"] == "reminder.digest"] == [["Date 4"]]


def test_a_digest_that_failed_long_ago_is_taken_back_with_what_was_in_it(desk: Desk) -> None:
    """By then the bodies are gone that it was made of."""
    subscribe(desk)
    desk.publish(DATES)
    work(desk, DUE)
    work(desk, EVENING)
    post(desk, EVENING, settle=DeliveryState.FAILED)
    with desk.database.write() as connection:
        connection.execute(update(messages).values(body=None))
    desk.publish(DATES.replace("2025-06-14", "2025-06-24"))
    assert sorted(states(desk)) == ["digested", "digested", "superseded"]
    (digest,) = [row for row in read_deliveries(desk.database) if row.type == "reminder.digest"]
    assert digest.state == "superseded"


def claims_of(desk: Desk, now: datetime) -> list[str]:
    """Claim what is ripe, as a worker that dies then does: the ids of the digests."""
    with desk.database.write() as connection:
        taken = [one.message_id for one in claims.claim(connection, now, 100)]
        query = select(messages.c.id).where(messages.c.uid.is_(None), messages.c.id.in_(taken))
        return list(connection.scalars(query))


def load(desk: Desk, message_id: str) -> Any:
    with desk.database.read() as connection:
        return json.loads(load_messages(connection, [message_id])[message_id].body)


def test_many_are_told_in_several_digests(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MAX_ENTRIES", 2)
    subscribe(desk)
    desk.publish(DATES)
    work(desk, DUE)
    work(desk, EVENING)
    bodies = post(desk, EVENING)
    assert [summaries(body) for body in bodies] == [["Date 3", "Date 4"], ["Date 5"]]


def test_the_same_time_that_comes_again_makes_another_digest(desk: Desk) -> None:
    """The clock is put back by an hour just after the digest went out."""
    subscribe(desk)
    desk.publish(DATES)
    work(desk, DUE)
    work(desk, EVENING)
    (first,) = claims_of(desk, EVENING)
    back = EVENING - timedelta(hours=1)
    desk.now = back - timedelta(hours=1)
    desk.publish(DATES, "late:\n  summary: Late\n  start: 2025-06-12\n  reminders: [3 days]\n")
    work(desk, back)
    work(desk, EVENING)
    assert sorted(states(desk)) == ["digested"] * 4
    assert len({first, *claims_of(desk, EVENING + claims.LEASE)}) == 2


def test_a_digest_found_in_the_quiet_hours_tells_only_what_cannot_wait(desk: Desk) -> None:
    quiet = QuietHours(begin=time(20), end=time(7))
    subscribe(desk, Options(digest=DAILY.digest, quiet=quiet))
    desk.publish(
        DATES, "night:\n  summary: Night\n  start: 2025-06-11 09:00\n  reminders: [1 day]\n"
    )
    work(desk, DUE + timedelta(hours=3))
    assert states(desk) == ["gathered"] * 4
    late = EVENING + timedelta(hours=3)
    work(desk, late)
    assert [summaries(body) for body in post(desk, late)] == [["Night"]]
    morning = datetime(2025, 6, 11, 7, tzinfo=UTC)
    with desk.database.read() as connection:
        assert digests.next_digest_due(connection) == morning
    work(desk, morning)
    assert [summaries(body) for body in post(desk, morning)] == [["Date 3", "Date 4", "Date 5"]]


def test_no_two_workers_make_digests_for_the_same_endpoint(desk: Desk) -> None:
    if desk.database.is_sqlite:
        return  # there is one writer, whatever it does
    subscribe(desk)
    subscribe(desk, name="end_2")
    desk.publish(DATES)
    work(desk, DUE)
    with desk.database.write() as one, desk.database.write() as other:
        assert len(digests.lock_due_digests(one, EVENING, 1)) == 1
        assert len(digests.lock_due_digests(other, EVENING, 9)) == 1
        # Deliveries are made for both meanwhile, which is no reason to wait.
        subscribe(desk, name="end_3")
        desk.publish(DATES.replace("Date 4", "Another"))
        assert fan_out(desk.database, EVENING)


def test_what_is_gathered_is_held_while_its_endpoint_is_paused(desk: Desk) -> None:
    subscribe(desk)
    desk.publish(DATES)
    work(desk, DUE)
    with desk.database.write() as connection:
        pause_or_disable_endpoint(connection, "end_1", EndpointState.PAUSED, DUE)
    work(desk, EVENING)
    assert states(desk) == ["held"] * 3
    with desk.database.write() as connection:
        resume_endpoint(connection, "end_1", EVENING)
    assert states(desk) == ["gathered"] * 3


@pytest.mark.parametrize("later", [timedelta(seconds=1), 2 * claims.LEASE], ids=["then", "before"])
def test_what_is_or_was_in_hand_when_its_endpoint_is_resumed_goes_out_under_its_own_id(
    desk: Desk, later: timedelta
) -> None:
    """It may have been received under that one, so no digest tells it."""
    subscribe(desk, Options())
    desk.publish(DATES)
    work(desk, DUE)
    with desk.database.write() as connection:
        (taken,) = claims.claim(connection, DUE, 1)
        now = DUE + later
        pause_or_disable_endpoint(connection, "end_1", EndpointState.PAUSED, now)
        paused = find_endpoint(connection, "end_1")
        save_endpoint(connection, replace(paused, options=DAILY))
        assert resume_endpoint(connection, "end_1", now) == Released(1, 2, 0)
    assert sorted(states(desk)) == ["gathered", "gathered", "pending"]
    ripe = max(now, DUE + claims.LEASE)
    if now < ripe:
        assert post(desk, now) == [], "it is still in the hands of its worker"
    with desk.database.write() as connection:
        (again,) = claims.claim(connection, ripe, 100)
    assert again.message_id == taken.message_id


def test_a_worker_wakes_for_a_digest_and_posts_it(office: Office) -> None:
    office.subscribe()
    with office.database.write() as connection:
        save_endpoint(connection, replace(find_endpoint(connection, "end_1"), options=DAILY))
    office.publish(DATES)
    office.now = DUE
    office.deliver()
    assert office.make_worker().agenda().next_at == EVENING
    office.now = EVENING
    office.deliver()
    bodies = [json.loads(post.body) for post in office.receiver.posts]
    assert [body["type"] for body in bodies] == ["event.added"] * 3 + ["reminder.digest"]
    assert office.make_worker().agenda().next_at is None
