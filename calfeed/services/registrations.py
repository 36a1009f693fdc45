"""Registrations: endpoints that anybody may add, and that show first that they want messages.

What is registered is unverified. It is sent one message, with a challenge, and nothing else
until whoever registered it gives the challenge back, and so has seen what its URL receives.
"""

from __future__ import annotations

import hmac
import json
import secrets
from datetime import datetime, timedelta
from typing import NamedTuple

from calfeed.delivery.transport.guard import UrlRules
from calfeed.errors import ConflictError, Fault, InvalidFieldsError
from calfeed.model.states import EndpointState
from calfeed.reminders.messages import verify_id, verify_message
from calfeed.services.endpoints import (
    OWNER_SCOPE,
    EndpointDetails,
    EndpointValues,
    drop_endpoints,
    make_endpoint,
    show_endpoint,
)
from calfeed.store.access import tokens
from calfeed.store.database import Connection, JoinedTransaction, Transactions
from calfeed.store.endpoints import lifecycle, records
from calfeed.store.endpoints.records import Endpoint
from calfeed.store.endpoints.registrations import (
    Registration,
    add_registration,
    choose_evictions,
    list_registrations,
)
from calfeed.store.notices import notify_listeners
from calfeed.store.outbox.messages import add_delivery, load_messages

PATIENCE = timedelta(hours=1)
"""How long a registration waits to be confirmed before it is dropped."""

MAX_WAITING = 1_000
"""How many registrations may wait at a time."""


class Registered(NamedTuple):
    """An endpoint that waits to be confirmed, and its owner's token."""

    endpoint: Endpoint
    token: str


def register_endpoint(
    database: Transactions, rules: UrlRules, values: EndpointValues, origin: str, now: datetime
) -> Registered:
    """Register an endpoint for public calendars from `origin`, which stands for a network.

    It is sent a challenge. Where very many wait, the oldest of the network that has most of them
    is dropped. Raises InvalidFieldsError with everything that is wrong in the values.
    """
    with database.write() as connection:
        _make_room(connection, origin, now)
        made = make_endpoint(connection, rules, values, now, registered=True)
        add_registration(connection, Registration(made.id, origin, now))
        token, challenge = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        scopes = [OWNER_SCOPE.format(endpoint=made.id)]
        tokens.add_token(connection, token, None, "self-service", now, scopes)
        message = verify_message(made.id, now, challenge, now + PATIENCE)
        add_delivery(connection, message, made.id)
        notify_listeners(connection)
    return Registered(made, token)


def confirm_registration(
    database: Transactions, endpoint_id: str, challenge: str, now: datetime
) -> EndpointDetails:
    """Confirm a registration with the challenge that its URL received.

    Raises ConflictError for one that does not wait, or waited too long, InvalidFieldsError for
    another challenge.
    """
    with database.write() as connection:
        found = records.lock_endpoint(connection, endpoint_id)
        if found.state is not EndpointState.UNVERIFIED:
            raise ConflictError("The endpoint is not waiting to be confirmed.")
        message_id = verify_id(found.id)
        message = load_messages(connection, [message_id])[message_id]
        if message.until is None or message.until <= now:
            raise ConflictError("The registration was not confirmed within an hour; make another.")
        sent = str(json.loads(message.body)["data"]["challenge"])
        if not hmac.compare_digest(sent.encode(), challenge.encode("utf-8", "replace")):
            words = "this is not the challenge that was sent to the endpoint"
            raise InvalidFieldsError([Fault("challenge", words)])
        lifecycle.verify_endpoint(connection, found.id, now)
        return show_endpoint(JoinedTransaction(connection), endpoint_id)


def _make_room(connection: Connection, origin: str, now: datetime) -> None:
    """Drop what was not confirmed in time, and what has to make room for one from `origin`."""
    waiting = list_registrations(connection)
    late = [one for one in waiting if one.at + PATIENCE <= now]
    others = choose_evictions(waiting[len(late) :], origin, MAX_WAITING)
    drop_endpoints(connection, [one.endpoint_id for one in (*late, *others)], now)
