"""What becomes of a message at each kind of bad receiver, to its end, as the docs say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from calfeed.delivery.sender import Sender
from calfeed.reminders.filters import Filters
from calfeed.reminders.retry import SCHEDULE
from calfeed.store.database import Database
from calfeed.store.deliveries import DeliveryRow, load_attempts
from calfeed.store.endpoints import Endpoint, add_endpoint, list_endpoints
from tests.delivery.office import SECRET, Office
from tests.delivery.receiver import Receiver
from tests.publish.desk import NOW, STAY

NO_ANSWER = ("hang", "slow", "reset", "closed", "half", "garbage", "headers")
REFUSED = ("status/400", "status/401", "status/404", "status/500", "moved")
ASKED_TO_WAIT = ("status/429", "status/503")  # with "Retry-After: 7", more than the first wait
GONE, TAKEN, HUGE = "status/410", "status/204", "huge"
NO_TLS, NO_NAME = "https", "no-name"


@pytest.fixture
def office(database: Database) -> Iterator[Office]:
    """With a sender that has little patience."""
    with (
        Receiver() as receiver,
        Sender(allow_private=True, timeout=0.5, connect_timeout=0.5) as sender,
    ):
        yield Office(database, sender, receiver)


def subscribe_everybody(office: Office) -> None:
    """One endpoint for each kind, named after it."""
    paths = (*NO_ANSWER, *REFUSED, *ASKED_TO_WAIT, GONE, TAKEN, HUGE)
    urls = {path: office.receiver.url(f"/{path}") for path in paths}
    urls[NO_TLS] = office.receiver.url("/").replace("http:", "https:")
    urls[NO_NAME] = "http://nowhere.invalid/"
    only_news = Filters(types=("event.added",))
    with office.database.write() as connection:
        for name, url in urls.items():
            endpoint = Endpoint(name, url, only_news, SECRET, NOW - timedelta(days=1))
            add_endpoint(connection, endpoint)


def by_endpoint(rows: list[DeliveryRow]) -> dict[str, DeliveryRow]:
    return {row.endpoint_id: row for row in rows}


def test_each_fault_ends_in_the_state_that_the_docs_say(office: Office) -> None:
    subscribe_everybody(office)
    office.publish(STAY.format(start="2025-06-30"))
    rows = by_endpoint(office.deliver())
    again = (*NO_ANSWER, *REFUSED, NO_TLS, NO_NAME)
    for name in again:
        assert (rows[name].state, rows[name].next_at) == ("pending", office.now + SCHEDULE[1]), name
    for name in ASKED_TO_WAIT:
        assert rows[name].next_at == office.now + timedelta(seconds=7), name
    for name in (TAKEN, HUGE):
        assert rows[name].state == "delivered", name
    with office.database.read() as connection:
        assert {one.id for one in list_endpoints(connection) if one.state == "disabled"} == {GONE}

    while pending := [row for row in office.deliveries() if row.state == "pending"]:
        office.now = max(row.next_at for row in pending)
        office.deliver()
    rows = by_endpoint(office.deliveries())
    for name in (*again, *ASKED_TO_WAIT):
        assert (rows[name].state, rows[name].attempts) == ("failed", len(SCHEDULE)), name
    assert (rows[GONE].state, rows[GONE].attempts) == ("failed", 1)
    with office.database.read() as connection:
        for name in again:
            made = load_attempts(connection, rows[name].id)
            assert len(made) == len(SCHEDULE), name
            assert all((one.error is None) == (name in REFUSED) for one in made), name
        states = {one.id: one.state for one in list_endpoints(connection)}
    assert {name for name, state in states.items() if state != "active"} == {GONE}
