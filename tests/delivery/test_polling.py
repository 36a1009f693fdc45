"""The receiver of a polled endpoint fetches its messages, on both databases."""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection

from calfeed.delivery.retention import KEEP_HELD, Retention
from calfeed.errors import NotFoundError
from calfeed.model.states import EndpointState
from calfeed.reminders.endpoint_values import POLLED
from calfeed.reminders.filters import Filters
from calfeed.reminders.option_values import Digest
from calfeed.reminders.options import Options
from calfeed.reminders.signing import sign_headers
from calfeed.services.receivers import polling
from calfeed.services.receivers.polling import FetchedMessage, fetch_messages
from calfeed.services.receivers.testing import request_test
from calfeed.store.endpoints import lifecycle
from calfeed.store.endpoints.records import Endpoint, add_endpoint
from calfeed.store.outbox import fetches
from calfeed.store.outbox.deliveries import load_attempts
from calfeed.store.outbox.messages import add_delivery, load_bodies
from tests.contract import check_message
from tests.delivery.office import SECRET, Office
from tests.patience import PATIENCE
from tests.publish.desk import NOW, STAY
from tests.store.keeping import make_message

JUNE = STAY.format(start="2025-06-30")
AUGUST = STAY.format(start="2025-08-31")
WEEK_BEFORE = datetime(2025, 6, 23, 4, 0, tzinfo=UTC)
REMINDERS = Filters(types=("reminder.due",))


def subscribe(
    office: Office,
    name: str = "end_1",
    filters: Filters | None = None,
    options: Options | None = None,
) -> None:
    """Add a polled endpoint."""
    endpoint = Endpoint(
        *(name, POLLED, filters or Filters(), SECRET, NOW - timedelta(days=1)),
        options=options or Options(),
    )
    with office.database.write() as connection:
        add_endpoint(connection, endpoint)


def poll(
    office: Office, received: Collection[int] = (), name: str = "end_1", limit: int = 50
) -> Sequence[FetchedMessage]:
    fetched = fetch_messages(office.database, name, received, limit, office.now)
    for message in fetched:
        check_message(message.body)
    return fetched


def ids_of(fetched: Sequence[FetchedMessage]) -> list[int]:
    return [message.delivery_id for message in fetched]


def states(office: Office, name: str = "end_1") -> list[str]:
    return [row.state for row in office.deliveries() if row.endpoint_id == name]


def test_a_message_is_fetched_with_the_headers_and_the_bytes_of_a_webhook(office: Office) -> None:
    office.subscribe(name="end_2")
    subscribe(office)
    office.publish(JUNE)
    office.deliver()
    (fetched,) = poll(office)
    (post,) = office.receiver.posts
    assert fetched.body == post.body
    assert fetched.headers["webhook-id"] == post.headers["webhook-id"]
    assert fetched.headers == sign_headers(
        fetched.headers["webhook-id"], office.now, post.body, [SECRET]
    )
    assert states(office) == ["held"]


def test_a_message_is_fetched_until_it_is_acknowledged(office: Office) -> None:
    subscribe(office)
    office.publish(JUNE)
    office.deliver()
    (first,) = poll(office)
    office.now += timedelta(minutes=1)
    (again,) = poll(office)
    assert (again.body, again.headers["webhook-id"]) == (first.body, first.headers["webhook-id"])
    assert again.headers["webhook-timestamp"] > first.headers["webhook-timestamp"]
    assert poll(office, ids_of([again])) == []
    assert poll(office, ids_of([again])) == []  # its response got lost
    (row,) = office.deliveries()
    assert (row.state, row.attempts, row.settled_at) == ("delivered", 1, office.now)
    with office.database.read() as connection:
        (attempt,) = load_attempts(connection, row.id)
    assert (attempt.at, attempt.status, attempt.error) == (office.now, None, None)


def test_only_what_was_fetched_is_acknowledged(office: Office) -> None:
    """Also if the receiver of another endpoint names it."""
    subscribe(office)
    subscribe(office, "end_2")
    office.publish(JUNE)
    office.deliver()
    numbers = [row.id for row in office.deliveries()]
    assert len(poll(office, numbers)) == 1
    assert len(poll(office, numbers, name="end_2")) == 1
    assert {row.state for row in office.deliveries()} == {"held"}


def test_nothing_is_fetched_before_its_time_nor_after_it(office: Office) -> None:
    subscribe(office, filters=REMINDERS)
    office.publish(JUNE)
    office.now = WEEK_BEFORE - timedelta(seconds=1)
    office.deliver()
    assert poll(office) == []
    office.now = WEEK_BEFORE
    office.deliver()
    assert len(poll(office)) == 1
    office.now = datetime(2025, 7, 2, tzinfo=UTC)
    assert poll(office) == []
    Retention(office.database).run(office.now)
    assert states(office) == ["expired"]


def test_a_change_that_nobody_fetches_is_dropped_after_thirty_days(office: Office) -> None:
    subscribe(office)
    office.publish(JUNE)
    office.deliver()
    made = office.now
    Retention(office.database).run(made + KEEP_HELD - timedelta(seconds=1))
    assert states(office) == ["held"]
    Retention(office.database).run(made + KEEP_HELD)
    assert states(office) == ["dropped"]


def test_a_moved_event_supersedes_what_was_not_fetched_and_corrects_what_was(
    office: Office,
) -> None:
    subscribe(office, filters=REMINDERS)
    subscribe(office, "end_2", filters=REMINDERS)
    office.publish(JUNE)
    office.now = WEEK_BEFORE
    office.deliver()
    (reminder,) = poll(office)
    office.publish(AUGUST)
    office.deliver()
    moved = poll(office, ids_of([reminder]))
    assert [b'"type":"event.moved"' in message.body for message in moved] == [True]
    assert poll(office, name="end_2") == []
    assert states(office, "end_2") == ["superseded"]


def test_a_paused_endpoint_gets_its_messages_when_it_is_resumed(office: Office) -> None:
    subscribe(office)
    office.publish(JUNE)
    office.deliver()
    (fetched,) = poll(office)
    with office.database.write() as connection:
        lifecycle.pause_or_disable_endpoint(connection, "end_1", EndpointState.PAUSED, office.now)
    office.publish(AUGUST)
    office.deliver()
    assert poll(office, ids_of([fetched])) == []
    with office.database.write() as connection:
        lifecycle.resume_endpoint(connection, "end_1", office.now)
    office.deliver()
    (moved,) = poll(office)
    assert b'"type":"event.moved"' in moved.body
    assert states(office) == ["delivered", "held"]


def test_a_test_and_a_digest_are_fetched_like_other_messages(office: Office) -> None:
    subscribe(office, filters=REMINDERS, options=Options(digest=Digest(at=time(18))))
    office.publish(JUNE)
    office.now = WEEK_BEFORE
    request_test(office.database, "end_1", office.now)
    office.deliver()
    (test,) = poll(office)
    office.now = WEEK_BEFORE.replace(hour=18)
    office.deliver()
    (digest,) = poll(office, ids_of([test]))
    assert b'"type":"reminder.digest"' in digest.body


def test_an_endpoint_with_a_url_or_without_a_row_cannot_be_polled(office: Office) -> None:
    office.subscribe()
    for name in ("end_1", "end_9"):
        with pytest.raises(NotFoundError):
            poll(office, name=name)


def test_a_removed_endpoint_has_nothing_to_fetch(office: Office) -> None:
    subscribe(office)
    office.publish(JUNE)
    office.deliver()
    with office.database.write() as connection:
        lifecycle.remove_endpoint(connection, "end_1", office.now)
    with pytest.raises(NotFoundError):
        poll(office)
    assert states(office) == ["dropped"]


def test_a_poll_has_at_most_so_many_messages_and_bytes(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscribe(office)
    office.publish(JUNE)
    office.publish(AUGUST)
    office.deliver()
    assert len(poll(office)) == 2
    assert len(poll(office, limit=1)) == 1
    monkeypatch.setattr(polling, "MAX_BYTES", 1)
    (first,) = poll(office)
    (second,) = poll(office, ids_of([first]))
    assert poll(office, ids_of([second])) == []


def test_messages_whose_key_is_lost_do_not_keep_others_back(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = {"msg_1", "msg_2"}

    def load(connection: Connection, wanted: Collection[tuple[str, str | None]]) -> dict[Any, Any]:
        return {
            key: one._replace(body=b"", unreadable=True) if key[0] in lost else one
            for key, one in load_bodies(connection, wanted).items()
        }

    subscribe(office)
    with office.database.write() as connection:
        for name in ("msg_1", "msg_2", "msg_3"):
            add_delivery(connection, make_message(name, office.now), "end_1")
    office.deliver()
    monkeypatch.setattr(polling, "load_bodies", load)
    for limit in (1, 2):
        (fetched,) = poll(office, limit=limit)
        assert fetched.headers["webhook-id"] == "msg_3"
    assert poll(office, ids_of([fetched]), limit=1) == []


def test_receivers_that_poll_one_endpoint_at_once_lose_nothing(office: Office) -> None:
    """Each acknowledges what it has; between them they have every message."""
    subscribe(office)
    names = {f"msg_{number}" for number in range(60)}
    with office.database.write() as connection:
        for name in sorted(names):
            add_delivery(connection, make_message(name, office.now), "end_1")
    office.deliver()
    stored: list[set[str]] = []

    def receive() -> None:
        has: set[str] = set()
        stored.append(has)
        received: list[int] = []
        while True:
            fetched = poll(office, received, limit=7)
            has |= {message.headers["webhook-id"] for message in fetched}
            if not (received or fetched):
                return
            received = ids_of(fetched)

    receivers = [threading.Thread(target=receive, daemon=True) for _ in range(4)]
    for receiver in receivers:
        receiver.start()
    for receiver in receivers:
        receiver.join(PATIENCE)
        assert not receiver.is_alive()
    # One that ends early finds the rest in the hands of others.
    assert set.union(*stored) == names
    assert set(states(office)) == {"delivered"}


def test_a_delivery_that_appears_late_under_a_lower_number_is_not_acknowledged_unseen(
    office: Office,
) -> None:
    """Numbers are taken in another order than transactions end."""
    subscribe(office)
    with office.database.write() as connection:
        for name in ("msg_1", "msg_2", "msg_3"):
            add_delivery(connection, make_message(name, office.now), "end_1")
    office.deliver()
    one, two, three = (row.id for row in office.deliveries())
    with office.database.write() as connection:
        fetches.take_fetchable(connection, "end_1", office.now, 50)
    assert ids_of(poll(office, [one, three])) == [two]
