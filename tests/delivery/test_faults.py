"""The fate of a message at each kind of failing receiver, as the docs describe it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from calfeed.delivery.transport.sender import Sender
from calfeed.reminders.filters import Filters
from calfeed.reminders.retry import SCHEDULE
from calfeed.store.database import Database
from calfeed.store.endpoints.records import Endpoint, add_endpoint, list_endpoints
from calfeed.store.outbox.deliveries import DeliveryRow, load_attempts
from tests.delivery.office import SECRET, Office
from tests.delivery.receiver import Receiver
from tests.patience import PATIENCE
from tests.publish.desk import NOW, STAY

BROKEN = ("reset", "closed", "half", "garbage", "headers")
REFUSED = ("status/400", "status/401", "status/404", "status/500", "moved")
ASKED_TO_WAIT = ("status/429", "status/503")  # with "Retry-After: 7", more than the first wait
GONE, TAKEN, HUGE = "status/410", "status/204", "huge"
NO_TLS, NO_NAME = "https", "no-name"


@contextmanager
def make_office(database: Database, timeout: float) -> Iterator[Office]:
    """An office whose sender has this much patience, in seconds."""
    with Receiver() as receiver, Sender(allow_private=True, timeout=timeout) as sender:
        yield Office(database, sender, receiver)


def subscribe(office: Office, *paths: str, **others: str) -> None:
    """One endpoint for each path and each further URL, named after it."""
    urls = {path: office.receiver.url(f"/{path}") for path in paths} | others
    only_news = Filters(types=("event.added",))
    with office.database.write() as connection:
        for name, url in urls.items():
            endpoint = Endpoint(name, url, only_news, SECRET, NOW - timedelta(days=1))
            add_endpoint(connection, endpoint)


def deliver_to_the_end(office: Office) -> None:
    """Deliver whenever the next delivery is due, until none is pending."""
    while pending := [row for row in office.deliveries() if row.state == "pending"]:
        office.now = max(row.next_at for row in pending)
        office.deliver()


def by_endpoint(rows: list[DeliveryRow]) -> dict[str, DeliveryRow]:
    return {row.endpoint_id: row for row in rows}


def test_each_fault_ends_in_the_state_that_the_docs_say(database: Database) -> None:
    with make_office(database, PATIENCE) as office:
        subscribe(
            office,
            *(*BROKEN, *REFUSED, *ASKED_TO_WAIT, GONE, TAKEN, HUGE),
            **{
                NO_TLS: office.receiver.url("/").replace("http:", "https:"),
                NO_NAME: "http://nowhere.invalid/",
            },
        )
        office.publish(STAY.format(start="2025-06-30"))
        rows = by_endpoint(office.deliver())
        again = (*BROKEN, *REFUSED, NO_TLS, NO_NAME)
        for name in again:
            later = office.now + SCHEDULE[1]
            assert (rows[name].state, rows[name].next_at) == ("pending", later), name
        for name in ASKED_TO_WAIT:
            assert rows[name].next_at == office.now + timedelta(seconds=7), name
        for name in (TAKEN, HUGE):
            assert rows[name].state == "delivered", name
        with office.database.read() as connection:
            assert {one.id for one in list_endpoints(connection) if one.state == "disabled"} == {
                GONE
            }
        deliver_to_the_end(office)
        rows = by_endpoint(office.deliveries())
    for name in (*again, *ASKED_TO_WAIT):
        assert (rows[name].state, rows[name].attempts) == ("failed", len(SCHEDULE)), name
    assert (rows[GONE].state, rows[GONE].attempts) == ("failed", 1)
    with database.read() as connection:
        for name in again:
            made = load_attempts(connection, rows[name].id)
            assert len(made) == len(SCHEDULE), name
            assert all((one.error is None) == (name in REFUSED) for one in made), name
        states = {one.id: one.state for one in list_endpoints(connection)}
    assert {name for name, state in states.items() if state != "active"} == {GONE}


def test_no_answer_in_time_is_tried_again_to_the_end(database: Database) -> None:
    with make_office(database, 0.2) as office:
        subscribe(office, "hang", "slow")
        office.publish(STAY.format(start="2025-06-30"))
        office.deliver()
        deliver_to_the_end(office)
        rows = office.deliveries()
    assert {(row.state, row.attempts) for row in rows} == {("failed", len(SCHEDULE))}
    with database.read() as connection:
        for row in rows:
            made = load_attempts(connection, row.id)
            # On a busy machine, not even the connection is made in so short a time.
            assert all(
                re.match("no (complete answer|connection) after", one.error or "") for one in made
            )
