"""Receivers that behave badly beside many that do not: nobody waits for them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, select

from calfeed.delivery.engine import concurrency
from calfeed.delivery.engine.worker import Worker
from calfeed.delivery.scheduler import WorkerScheduler
from calfeed.delivery.transport.sender import Sender
from calfeed.reminders.filters import Subject
from calfeed.store import tables
from calfeed.store.database import Database
from calfeed.store.endpoints.records import add_endpoint, list_endpoints, save_endpoint
from calfeed.store.outbox.claims import LEASE
from tests.acceptance.sink import WELL, Sink
from tests.delivery.office import wait_until, working
from tests.delivery.receiver import PatientSender, Receiver
from tests.publish.desk import BASE
from tests.store.keeping import make_endpoint

pytestmark = pytest.mark.slow

_PATHS = ("hang", "slow", "reset", "closed", "half", "garbage", "huge", "headers")
_STATUSES = (302, 410, 429, 500, 503)
_EACH = 100  # how many wait for each bad receiver, all of them due before the good ones'
_GOOD = 1000


def _now() -> datetime:
    return datetime.now(UTC)


@contextmanager
def _working(database: Database, sender: Sender) -> Iterator[None]:
    """A worker in real time, with its clock."""
    worker = Worker(database, sender, BASE, _now, random.Random(1).random)
    scheduler = WorkerScheduler(worker, _now)
    with working(worker):
        scheduler.start()
        yield
        scheduler.stop()


def _keep(database: Database, bad: list[str], good: list[str]) -> None:
    """Put one endpoint for each URL into the database, with what it is to get."""
    due = _now() - timedelta(seconds=1)
    subject = Subject(type="reminder.due", calendar="desk", event="it").model_dump_json()
    message = {"subject": subject, "at": due, "text": "", "body": b"{}"}
    delivery = {"state": "pending", "claim": 0, "attempts": 0}
    rows = [
        {**delivery, "message_id": f"msg_{number}", "endpoint_id": f"bad_{index}", "next_at": due}
        for number in range(_EACH)
        for index in range(len(bad))
    ]
    later = due + timedelta(milliseconds=1)
    rows += [
        {**delivery, "message_id": "msg_0", "endpoint_id": f"good_{index}", "next_at": later}
        for index in range(len(good))
    ]
    with database.write() as connection:
        for kind, urls in {"bad": bad, "good": good}.items():
            for index, url in enumerate(urls):
                add_endpoint(connection, make_endpoint(f"{kind}_{index}", url))
        messages = [{**message, "id": f"msg_{number}"} for number in range(_EACH)]
        connection.execute(insert(tables.messages), messages)
        connection.execute(insert(tables.deliveries), rows)


def _errors(database: Database) -> set[str]:
    with database.read() as connection:
        return {error or "" for error in connection.scalars(select(tables.attempts.c.error))}


def test_good_receivers_are_served_before_the_first_attempt_at_a_bad_one_is_given_up(
    database: Database,
) -> None:
    """What is for the bad ones is due first, and is more than a worker has hands for."""
    with (
        Sink() as sink,
        Receiver() as receiver,
        PatientSender(allow_private=True) as sender,
    ):
        paths = [f"/{path}" for path in _PATHS] + [f"/status/{status}" for status in _STATUSES]
        bad = [receiver.url(f"{path}?{number}") for path in paths for number in range(2)]
        bad += [receiver.url("/").replace("http:", "https:"), "http://nowhere.invalid/"]
        _keep(database, bad, [f"{sink.url}/{WELL}/{number}" for number in range(_GOOD)])
        with _working(database, sender):
            wait_until(lambda: sink.count >= _GOOD)
            given_up = {error for error in _errors(database) if " after " in error}
            receiver.released.set()
            sender.close()
        assert given_up == set()
        assert sink.count == _GOOD


def test_an_endpoint_that_gives_no_answer_rests_and_its_backlog_is_not_attempted(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    rest = 2 * LEASE  # for as long as a busy machine needs to look at it, and to stop
    monkeypatch.setattr(concurrency, "_FIRST_BACKOFF_SECONDS", rest.total_seconds())
    with Receiver() as receiver, Sender(allow_private=True, timeout=1.1) as sender:
        _keep(database, [receiver.url("/hang")], [])
        with _working(database, sender):
            wait_until(lambda: _errors(database) != set())
            wait_until(lambda: _count_ripe(database) == 0)
            wait_until(lambda: len(receiver.posts) >= 4)
            receiver.released.set()
        assert len(receiver.posts) == 4
    with database.read() as connection:
        rows = connection.execute(select(tables.deliveries)).all()
    assert sum(row.attempts for row in rows) == 4
    assert {row.state for row in rows} == {"pending"}
    assert max(row.next_at for row in rows) <= _now() + rest


def _count_ripe(database: Database) -> int:
    """How many deliveries that were not attempted are with the worker, or could be."""
    query = select(tables.deliveries.c.next_at).where(tables.deliveries.c.attempts == 0)
    with database.read() as connection:
        moments = connection.scalars(query).all()
    return sum(moment <= _now() + LEASE for moment in moments)


def test_an_endpoint_that_answers_again_gets_what_had_to_wait(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Posts hang until its URL is changed; from then on it takes everything, once."""
    monkeypatch.setattr(concurrency, "_FIRST_BACKOFF_SECONDS", 0.5)
    with Receiver() as receiver, Sender(allow_private=True, timeout=5) as sender:
        _keep(database, [receiver.url("/hang")], [])
        with _working(database, sender):
            wait_until(lambda: _errors(database) != set())
            with database.write() as connection:
                for one in list_endpoints(connection):
                    save_endpoint(connection, replace(one, url=receiver.url("/status/204")))
            wait_until(lambda: _states(database) == {"delivered"})
    assert [post.path for post in receiver.posts].count("/status/204") == _EACH


def _states(database: Database) -> set[str]:
    with database.read() as connection:
        return set(connection.scalars(select(tables.deliveries.c.state)))
