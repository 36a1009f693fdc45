"""One delivery that is sent immediately, and its log entries."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from calfeed.delivery.engine.attempts import deliver_now, prepare_requests
from calfeed.errors import CalfeedError
from calfeed.model.states import EndpointState
from calfeed.store.database import Connection
from calfeed.store.endpoints.lifecycle import pause_or_disable_endpoint, remove_endpoint
from calfeed.store.outbox.claims import Claim, claim
from calfeed.store.outbox.deliveries import find_delivery
from calfeed.store.outbox.messages import add_delivery
from tests.delivery.office import SECRET, Office, check_signature
from tests.store.keeping import NOW, make_message


def keep(office: Office, path: str) -> int:
    office.subscribe(path)
    with office.database.write() as connection:
        return add_delivery(connection, make_message(at=NOW), "end_1")


def test_a_delivery_is_posted_and_recorded_at_once(office: Office) -> None:
    number = keep(office, "/status/204")
    attempt = deliver_now(
        office.database, office.sender, lambda _: number, lambda: NOW, lambda: 0.5
    )
    assert (attempt.status, attempt.error) == (204, None)
    (post,) = office.receiver.posts
    check_signature(post)
    with office.database.read() as connection:
        assert find_delivery(connection, number).state == "delivered"
    with pytest.raises(CalfeedError, match="not pending"):
        deliver_now(office.database, office.sender, lambda _: number, lambda: NOW, lambda: 0.5)


def test_no_worker_can_take_what_a_command_has_added_to_post_it_itself(office: Office) -> None:
    office.subscribe("/status/204")
    taken: list[Claim] = []

    class Busy:
        """The office's database, with a worker that claims after every transaction."""

        @contextmanager
        def write(self) -> Iterator[Connection]:
            with office.database.write() as connection:
                yield connection
            with office.database.write() as connection:
                taken.extend(claim(connection, NOW, 9))

    def add(connection: Connection) -> int:
        return add_delivery(connection, make_message(at=NOW), "end_1")

    busy: Any = Busy()
    attempt = deliver_now(busy, office.sender, add, lambda: NOW, lambda: 0.5)
    assert (attempt.status, taken) == (204, [])


def test_no_log_shows_a_secret_a_query_or_a_path(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    number = keep(office, "/status/500/hunter2?token=hunter2")
    with caplog.at_level(logging.DEBUG):
        attempt = deliver_now(
            office.database, office.sender, lambda _: number, lambda: NOW, lambda: 0.5
        )
    assert attempt.status == 500
    assert "again at" in caplog.text
    assert "hunter2" not in caplog.text
    assert SECRET not in caplog.text


def test_a_delivery_is_posted_at_once_to_a_paused_endpoint_too(office: Office) -> None:
    """To see whether it is back; if it is not, the delivery is held with the others."""
    keep(office, "/status/500")
    with office.database.write() as connection:
        pause_or_disable_endpoint(connection, "end_1", EndpointState.DISABLED, NOW)
        probe = add_delivery(connection, make_message("probe", at=NOW), "end_1")
    attempt = deliver_now(office.database, office.sender, lambda _: probe, lambda: NOW, lambda: 0.5)
    assert attempt.status == 500
    office.now = NOW + timedelta(minutes=1)
    assert {row.state for row in office.deliver()} == {"held"}


def test_what_is_for_an_endpoint_that_went_is_dropped_and_not_posted(office: Office) -> None:
    number = keep(office, "/status/204")
    with office.database.write() as connection:
        claims = claim(connection, NOW, 1)
        remove_endpoint(connection, "end_1", NOW)
        assert prepare_requests(connection, claims, lambda: NOW) == []
        assert find_delivery(connection, number).state == "dropped"


def test_neither_request_nor_posting_shows_the_secret_or_the_url(office: Office) -> None:
    keep(office, "/status/204/hunter2")
    with office.database.write() as connection:
        (request,) = prepare_requests(connection, claim(connection, NOW, 1), lambda: NOW)
    assert SECRET not in repr(request)
    assert "hunter2" not in repr(request)
