"""Test messages: sent to an endpoint by this process, or by a worker."""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from calfeed.delivery.engine.attempts import deliver_now
from calfeed.delivery.senders import open_sender_to
from calfeed.errors import ConflictError
from calfeed.model.states import EndpointState
from calfeed.reminders.messages import probe_message
from calfeed.settings import Settings
from calfeed.store.catalog.calendars import load_shared_language
from calfeed.store.catalog.site import load_name
from calfeed.store.database import Connection, Database, Transactions
from calfeed.store.endpoints import records
from calfeed.store.notices import notify_listeners
from calfeed.store.outbox import deliveries
from calfeed.store.outbox.claims import Attempt
from calfeed.store.outbox.deliveries import DeliveryRow
from calfeed.store.outbox.messages import add_delivery


def request_test(database: Transactions, endpoint_id: str, now: datetime) -> DeliveryRow:
    """Queue a test message for an endpoint. A worker sends it at once, even if the endpoint is
    paused.

    A failed test is retried like any delivery. Raises ConflictError for an unverified endpoint,
    SealError for one whose secrets cannot be decrypted.
    """
    with database.write() as connection:
        delivery_id = _add_test(connection, endpoint_id, now)
        notify_listeners(connection)
        return deliveries.find_delivery(connection, delivery_id)


class EndpointTest(NamedTuple):
    """A test: its delivery, its attempt (None if the endpoint is polled), and the state that the
    endpoint had before the test."""

    delivery: DeliveryRow
    attempt: Attempt | None
    state: EndpointState


def test_endpoint(
    database: Database, settings: Settings, endpoint_id: str, clock: Callable[[], datetime]
) -> EndpointTest:
    """Send a test message to an endpoint from this process.

    If the endpoint is polled, the message is only stored until the receiver polls.

    Raises the same errors as `request_test`, and InvalidInputError for a channel that this process
    cannot send to.
    """
    with database.read() as connection:
        endpoint = records.find_endpoint(connection, endpoint_id).require_readable()

    if endpoint.is_polled:
        queued = request_test(database, endpoint_id, clock())
        return EndpointTest(queued, None, endpoint.state)

    def add(connection: Connection) -> int:
        return _add_test(connection, endpoint_id, clock())

    with open_sender_to(settings, endpoint.url) as sender:
        attempt = deliver_now(database, sender, add, clock, random.random)
    with database.read() as connection:
        delivery = deliveries.find_delivery(connection, attempt.delivery_id)
    return EndpointTest(delivery, attempt, endpoint.state)


def _add_test(connection: Connection, endpoint_id: str, now: datetime) -> int:
    endpoint = records.find_endpoint(connection, endpoint_id).require_readable()
    if endpoint.state is EndpointState.UNVERIFIED:
        raise ConflictError(f"endpoint {endpoint_id} is not verified yet, so nothing is sent to it")
    language = endpoint.options.language or load_shared_language(connection)
    message = probe_message(
        endpoint_id, now, secrets.token_hex(8), language, load_name(connection, language)
    )
    return add_delivery(connection, message, endpoint_id)
