"""Endpoints: add, change, test, pause, resume, rotate, remove."""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple, TypeVar

from calfeed.delivery.channels.sending import SCHEME
from calfeed.delivery.engine.attempts import deliver_now
from calfeed.delivery.senders import open_sender_to
from calfeed.delivery.transport.guard import UrlRules, check_url
from calfeed.delivery.transport.headers import change_headers, find_header, parse_headers
from calfeed.errors import ConflictError, Fault, InvalidFieldsError, InvalidInputError
from calfeed.model.states import DeliveryState, EndpointState
from calfeed.reminders.endpoint_values import check_line, list_faults, read_options
from calfeed.reminders.filters import Filters
from calfeed.reminders.messages import probe_message
from calfeed.reminders.signing import check_secret, make_secret
from calfeed.settings import Settings
from calfeed.store.access import tokens
from calfeed.store.database import Connection, Database, Transactions
from calfeed.store.endpoints import lifecycle, records
from calfeed.store.endpoints.filter_names import find_unknown_names
from calfeed.store.endpoints.lifecycle import Released
from calfeed.store.endpoints.records import Endpoint
from calfeed.store.notices import notify_listeners
from calfeed.store.outbox import deliveries
from calfeed.store.outbox.claims import Attempt
from calfeed.store.outbox.deliveries import DeliveryRow
from calfeed.store.outbox.messages import add_delivery

Value = TypeVar("Value")

OWNER_SCOPE = "endpoint:{endpoint}"
"""The scope of the owner's token of a registered endpoint."""


@dataclass(frozen=True)
class EndpointValues:
    """New values of an endpoint, as people write them; None or a missing name means no change.

    `filters` maps field names of `Filters` to lists. `options` maps field names of `Options` to
    strings or numbers; None removes the option. `headers` contains lines of the form "Name: value".
    Removing a header that does not exist is an error unless `missing_ok`. The repr has no secrets.
    """

    url: str | None = field(default=None, repr=False)
    description: str | None = None
    filters: Mapping[str, Sequence[str]] = field(default_factory=dict)
    options: Mapping[str, str | int | None] = field(default_factory=dict)
    headers: Sequence[str] = field(default=(), repr=False)
    removed_headers: Sequence[str] = ()
    missing_ok: bool = False


class EndpointDetails(NamedTuple):
    """An endpoint, the number of its deliveries in each state, and its new secret if the change
    created one."""

    endpoint: Endpoint
    deliveries: Mapping[DeliveryState, int]
    new_secret: str | None = None


def show_endpoint(database: Transactions, endpoint_id: str) -> EndpointDetails:
    """Return an endpoint. Like all functions here, raises NotFoundError for an unknown one."""
    with database.read() as connection:
        return _load_details(connection, endpoint_id)


def make_endpoint(
    connection: Connection,
    rules: UrlRules,
    values: EndpointValues,
    now: datetime,
    *,
    secret: str | None = None,
    registered: bool = False,
) -> Endpoint:
    """Add an endpoint as `add_endpoint` does, within a transaction.

    A `registered` endpoint is unverified, and gets only messages about public calendars.
    """
    faults: list[Fault] = []
    blank = Endpoint(
        id="ep_" + secrets.token_hex(8),
        url="",
        filters=Filters(public_only=registered),
        secret=_parse(faults, "secret", lambda: _make_secret(secret), ""),
        created=now,
        state=EndpointState.UNVERIFIED if registered else EndpointState.ACTIVE,
    )
    endpoint = _apply_values(connection, blank, rules, values, faults)
    records.add_endpoint(connection, endpoint)
    return endpoint


def add_endpoint(
    database: Transactions,
    rules: UrlRules,
    values: EndpointValues,
    now: datetime,
    secret: str | None = None,
) -> Endpoint:
    """Add an endpoint with a given or a new secret.

    Raises InvalidFieldsError with every fault of the values.
    """
    with database.write() as connection:
        return make_endpoint(connection, rules, values, now, secret=secret)


def change_endpoint(
    database: Transactions,
    rules: UrlRules,
    endpoint_id: str,
    values: EndpointValues,
    now: datetime,
) -> EndpointDetails:
    """Change an endpoint. If its encryption key is lost, setting a new URL also generates a new
    secret.

    Raises InvalidFieldsError with every fault of the values, ConflictError for a channel, SealError
    for an endpoint whose key is lost if no URL is given.
    """
    with database.write() as connection:
        endpoint = _take_changeable(connection, endpoint_id)
        secret = None
        if endpoint.lost is not None and values.url is not None:
            secret = _make_secret(None)
            endpoint = endpoint.replace_secrets("", secret)
        changed = _apply_values(connection, endpoint.require_readable(), rules, values, [])
        lifecycle.change_endpoint(connection, changed, now)
        return _load_details(connection, endpoint_id)._replace(new_secret=secret)


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
    """A test: its message, its attempt, and the state of the endpoint before."""

    message_id: str
    attempt: Attempt
    state: EndpointState


def test_endpoint(
    database: Database, settings: Settings, endpoint_id: str, clock: Callable[[], datetime]
) -> EndpointTest:
    """Send a test message to an endpoint from this process.

    Raises the same errors as `request_test`, and InvalidInputError for a channel that this process
    cannot send to.
    """
    with database.read() as connection:
        endpoint = records.find_endpoint(connection, endpoint_id).require_readable()

    def add(connection: Connection) -> int:
        return _add_test(connection, endpoint_id, clock())

    with open_sender_to(settings, endpoint.url) as sender:
        attempt = deliver_now(database, sender, add, clock, random.random)
    with database.read() as connection:
        delivery = deliveries.find_delivery(connection, attempt.delivery_id)
    return EndpointTest(delivery.message_id, attempt, endpoint.state)


def _add_test(connection: Connection, endpoint_id: str, now: datetime) -> int:
    endpoint = records.find_endpoint(connection, endpoint_id).require_readable()
    if endpoint.state is EndpointState.UNVERIFIED:
        raise ConflictError(f"endpoint {endpoint_id} is not verified yet, so nothing is sent to it")
    message = probe_message(endpoint_id, now, secrets.token_hex(8))
    return add_delivery(connection, message, endpoint_id)


def pause_endpoint(database: Transactions, endpoint_id: str, now: datetime) -> EndpointDetails:
    """Hold the deliveries of an endpoint until it is resumed.

    Raises ConflictError unless it is active.
    """
    with database.write() as connection:
        endpoint = records.find_endpoint(connection, endpoint_id)
        if not lifecycle.suspend_endpoint(connection, endpoint_id, EndpointState.PAUSED, now):
            raise ConflictError(
                f"endpoint {endpoint_id} is {endpoint.state}; only an active one can be paused"
            )
        return _load_details(connection, endpoint_id)


def resume_endpoint(
    database: Transactions, endpoint_id: str, now: datetime
) -> tuple[EndpointDetails, Released]:
    """Resume a paused or disabled endpoint, and send its held deliveries.

    Raises ConflictError for an endpoint in another state.
    """
    with database.write() as connection:
        endpoint = records.find_endpoint(connection, endpoint_id)
        released = lifecycle.resume_endpoint(connection, endpoint_id, now)
        if released is None:
            raise ConflictError(
                f"endpoint {endpoint_id} is {endpoint.state}, so it cannot be resumed"
            )
        return _load_details(connection, endpoint_id), released


class Rotated(NamedTuple):
    """An endpoint after and before its secret was rotated."""

    endpoint: Endpoint
    before: Endpoint


def rotate_secret(
    database: Transactions, endpoint_id: str, now: datetime, secret: str | None = None
) -> Rotated:
    """Give an endpoint a new secret; for 24 hours the former one signs too.

    Raises InvalidInputError for an invalid secret or the current one, ConflictError for a channel,
    SealError for an endpoint whose key is lost.
    """
    faults: list[Fault] = []
    new_secret = _parse(faults, "secret", lambda: _make_secret(secret), "")
    if faults:
        raise InvalidFieldsError(faults)
    with database.write() as connection:
        before = _take_changeable(connection, endpoint_id)
        rotated = before.rotate(new_secret, now)
        records.save_endpoint(connection, rotated)
    return Rotated(rotated, before)


def remove_endpoint(database: Transactions, endpoint_id: str, now: datetime) -> None:
    """Remove an endpoint, drop its pending deliveries, and revoke its owner's token."""
    with database.write() as connection:
        records.find_endpoint(connection, endpoint_id)
        drop_endpoints(connection, [endpoint_id], now)


def drop_endpoints(connection: Connection, ids: Collection[str], now: datetime) -> None:
    """Remove endpoints as `remove_endpoint` does, within a transaction."""
    scopes = {(OWNER_SCOPE.format(endpoint=endpoint_id),) for endpoint_id in ids}
    for token in tokens.load_tokens(connection) if ids else ():
        if token.scopes in scopes:
            tokens.revoke_token(connection, token.id, now)
    for endpoint_id in ids:
        lifecycle.remove_endpoint(connection, endpoint_id, now)


def check_changeable(endpoint: Endpoint) -> Endpoint:
    """Return the endpoint. Raises ConflictError for a channel, which cannot be changed."""
    if endpoint.url.startswith(SCHEME):
        raise ConflictError(
            f"endpoint {endpoint.id} is a channel; change it in the file that CALFEED_CHANNELS "
            "names, and restart the workers"
        )
    return endpoint


def _take_changeable(connection: Connection, endpoint_id: str) -> Endpoint:
    return check_changeable(records.lock_endpoint(connection, endpoint_id))


def _load_details(connection: Connection, endpoint_id: str) -> EndpointDetails:
    endpoint = records.find_endpoint(connection, endpoint_id)
    return EndpointDetails(endpoint, lifecycle.count_deliveries(connection, endpoint_id))


def _apply_values(
    connection: Connection,
    endpoint: Endpoint,
    rules: UrlRules,
    values: EndpointValues,
    faults: list[Fault],
) -> Endpoint:
    """Return the endpoint with new values. Raises InvalidFieldsError if there are faults, including
    those already in `faults`."""
    chosen = {name: tuple(entries) for name, entries in values.filters.items()}
    filters = endpoint.filters.model_copy(update=chosen)
    if filters != endpoint.filters:
        faults += [*list_faults(filters), *find_unknown_names(connection, filters)]
    url, text = values.url, values.description
    if url is not None or not endpoint.url:
        url = _parse(faults, "url", lambda: check_url(values.url or "", *rules), "")
    if text is not None:
        text = _parse(faults, "description", lambda: check_line(values.description or ""), "")
    changed = replace(
        endpoint,
        url=endpoint.url if url is None else url,
        description=endpoint.description if text is None else text,
        filters=filters,
        options=read_options(endpoint.options, values.options, faults),
        headers=_parse(faults, "headers", lambda: _change_headers(endpoint.headers, values), {}),
    )
    if faults:
        raise InvalidFieldsError(faults)
    return changed


def _change_headers(headers: Mapping[str, str], values: EndpointValues) -> dict[str, str]:
    removed = [
        name
        for name in values.removed_headers
        if not values.missing_ok or find_header(headers, name) is not None
    ]
    return change_headers(headers, parse_headers(values.headers), removed)


def _make_secret(given: str | None) -> str:
    return make_secret(secrets.token_bytes(32)) if given is None else check_secret(given)


def _parse(faults: list[Fault], place: str, parse: Callable[[], Value], default: Value) -> Value:
    """Return the result of `parse`; on InvalidInputError add a fault, and return the default."""
    try:
        return parse()
    except InvalidInputError as error:
        faults.append(Fault(place, str(error)))
        return default
