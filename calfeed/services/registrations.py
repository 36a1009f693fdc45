"""Registrations: endpoints that anybody may add and has to confirm.

A registered endpoint is unverified. It gets a single message, with a challenge. Returning the
challenge proves control of the URL, and makes the endpoint active.
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
from calfeed.store.catalog.calendars import load_shared_language
from calfeed.store.catalog.site import load_name
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

CONFIRM_WITHIN = timedelta(hours=1)
"""How long a registration can be confirmed before it is dropped."""

MAX_UNCONFIRMED = 1_000
"""The maximum number of unconfirmed registrations."""


class Registered(NamedTuple):
    """An endpoint that has to be confirmed, and its owner's token."""

    endpoint: Endpoint
    token: str


def register_endpoint(
    database: Transactions, rules: UrlRules, values: EndpointValues, origin: str, now: datetime
) -> Registered:
    """Register an endpoint for public calendars, and send it a challenge.

    `origin` identifies the network of the client. If there are too many unconfirmed
    registrations, the oldest one of the network with the most is dropped. Raises InvalidFieldsError
    with every fault of the values.
    """
    with database.write() as connection:
        _make_room(connection, origin, now)
        endpoint = make_endpoint(connection, rules, values, now, registered=True)
        add_registration(connection, Registration(endpoint.id, origin, now))
        token, challenge = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        scopes = [OWNER_SCOPE.format(endpoint=endpoint.id)]
        tokens.add_token(connection, token, None, "self-service", now, scopes)
        language = endpoint.options.language or load_shared_language(connection)
        until = now + CONFIRM_WITHIN
        message = verify_message(
            endpoint.id, now, challenge, until, language, load_name(connection, language)
        )
        add_delivery(connection, message, endpoint.id)
        notify_listeners(connection)
    return Registered(endpoint, token)


def confirm_registration(
    database: Transactions, endpoint_id: str, challenge: str, now: datetime
) -> EndpointDetails:
    """Confirm a registration with the challenge that its URL received.

    Raises ConflictError if it is confirmed already or too old, InvalidFieldsError for a wrong
    challenge.
    """
    with database.write() as connection:
        endpoint = records.lock_endpoint(connection, endpoint_id)
        if endpoint.state is not EndpointState.UNVERIFIED:
            raise ConflictError("The endpoint is not waiting to be confirmed.")
        message_id = verify_id(endpoint.id)
        message = load_messages(connection, [message_id])[message_id]
        if message.until is None or message.until <= now:
            raise ConflictError("The registration was not confirmed within an hour; make another.")
        sent = str(json.loads(message.body)["data"]["challenge"])
        if not hmac.compare_digest(sent.encode(), challenge.encode("utf-8", "replace")):
            message_text = "this is not the challenge that was sent to the endpoint"
            raise InvalidFieldsError([Fault("challenge", message_text)])
        lifecycle.verify_endpoint(connection, endpoint.id, now)
        return show_endpoint(JoinedTransaction(connection), endpoint_id)


def _make_room(connection: Connection, origin: str, now: datetime) -> None:
    """Drop expired registrations, and others as needed for a new one from `origin`."""
    unconfirmed = list_registrations(connection)
    expired = [row for row in unconfirmed if row.at + CONFIRM_WITHIN <= now]
    others = choose_evictions(unconfirmed[len(expired) :], origin, MAX_UNCONFIRMED)
    drop_endpoints(connection, [row.endpoint_id for row in (*expired, *others)], now)
