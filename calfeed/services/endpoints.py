"""Endpoints: add, change, test, pause, resume, rotate, remove."""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple, TypeVar

from calfeed.delivery.channels.sending import SCHEME
from calfeed.delivery.engine.attempts import post_now
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

Read = TypeVar("Read")

OWNER_SCOPE = "endpoint:{endpoint}"
"""The scope of the token of whoever registered an endpoint."""


@dataclass(frozen=True)
class EndpointValues:
    """What is given of an endpoint, as people write it. What is None, or is not there, stays.

    `filters` has lists by their names in `Filters`, `options` texts and numbers by their names in
    `Options` (None takes one back), `headers` lines of the form "Name: value". Taking away a
    header that is not there is an error unless `missing_ok`. Nothing secret is in the repr.
    """

    url: str | None = field(default=None, repr=False)
    description: str | None = None
    filters: Mapping[str, Sequence[str]] = field(default_factory=dict)
    options: Mapping[str, str | int | None] = field(default_factory=dict)
    headers: Sequence[str] = field(default=(), repr=False)
    removed_headers: Sequence[str] = ()
    missing_ok: bool = False


class EndpointDetails(NamedTuple):
    """An endpoint, and how many deliveries it has in each state.

    `new_secret` is there where a change gave it one.
    """

    endpoint: Endpoint
    deliveries: Mapping[DeliveryState, int]
    new_secret: str | None = None


def show_endpoint(database: Transactions, endpoint_id: str) -> EndpointDetails:
    """Return an endpoint. Raises NotFoundError for no such one, as all that follow do."""
    with database.read() as connection:
        return _show(connection, endpoint_id)


def make_endpoint(
    connection: Connection,
    rules: UrlRules,
    values: EndpointValues,
    now: datetime,
    *,
    secret: str | None = None,
    registered: bool = False,
) -> Endpoint:
    """Check the values of a new endpoint, and keep it; as `add_endpoint`, within a transaction.

    One that was `registered` is unverified, and gets only what is public.
    """
    faults: list[Fault] = []
    bare = Endpoint(
        id="ep_" + secrets.token_hex(8),
        url="",
        filters=Filters(public_only=registered),
        secret=_take(faults, "secret", lambda: _make_secret(secret), ""),
        created=now,
        state=EndpointState.UNVERIFIED if registered else EndpointState.ACTIVE,
    )
    made = _change(connection, bare, rules, values, faults)
    records.add_endpoint(connection, made)
    return made


def add_endpoint(
    database: Transactions,
    rules: UrlRules,
    values: EndpointValues,
    now: datetime,
    secret: str | None = None,
) -> Endpoint:
    """Add an endpoint with a new secret, or one of the user's own.

    Raises InvalidFieldsError with everything that is wrong in the values.
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
    """Change what is given of an endpoint. One whose key is lost gets a new secret with its URL.

    Raises InvalidFieldsError with everything that is wrong, ConflictError for a channel, SealError
    for an endpoint whose key is lost, and which is given no URL.
    """
    with database.write() as connection:
        found = _take_own(connection, endpoint_id)
        secret = None
        if found.lost is not None and values.url is not None:
            secret = _make_secret(None)
            found = found.replace_secrets("", secret)
        changed = _change(connection, found.require_readable(), rules, values, [])
        lifecycle.change_endpoint(connection, changed, now)
        return _show(connection, endpoint_id)._replace(new_secret=secret)


def request_test(database: Transactions, endpoint_id: str, now: datetime) -> DeliveryRow:
    """Make a test message for an endpoint, which a worker sends at once, paused or not.

    It is a delivery like others: one that fails is tried again. Raises ConflictError for an
    endpoint that is not verified, SealError for one whose secrets cannot be read.
    """
    with database.write() as connection:
        number = _add_test(connection, endpoint_id, now)
        notify_listeners(connection)
        return deliveries.find_delivery(connection, number)


class Tested(NamedTuple):
    """A test: its message, the result of the attempt, and the state of the endpoint before."""

    message_id: str
    attempt: Attempt
    state: EndpointState


def test_endpoint(
    database: Database, settings: Settings, endpoint_id: str, clock: Callable[[], datetime]
) -> Tested:
    """Send a test message to an endpoint from this process, as `request_test` has it.

    Raises InvalidInputError, too, for a channel that this process cannot send to.
    """
    with database.read() as connection:
        found = records.find_endpoint(connection, endpoint_id).require_readable()

    def add(connection: Connection) -> int:
        return _add_test(connection, endpoint_id, clock())

    with open_sender_to(settings, found.url) as sender:
        attempt = post_now(database, sender, add, clock, random.random)
    with database.read() as connection:
        made = deliveries.find_delivery(connection, attempt.delivery_id)
    return Tested(made.message_id, attempt, found.state)


def _add_test(connection: Connection, endpoint_id: str, now: datetime) -> int:
    found = records.find_endpoint(connection, endpoint_id).require_readable()
    if found.state is EndpointState.UNVERIFIED:
        raise ConflictError(f"endpoint {endpoint_id} is unverified; nothing is sent to it yet")
    message = probe_message(endpoint_id, now, secrets.token_hex(8))
    return add_delivery(connection, message, endpoint_id)


def pause_endpoint(database: Transactions, endpoint_id: str, now: datetime) -> EndpointDetails:
    """Send nothing to an endpoint until it is resumed; what is for it is held.

    Raises ConflictError unless it is active.
    """
    with database.write() as connection:
        found = records.find_endpoint(connection, endpoint_id)
        if not lifecycle.suspend_endpoint(connection, endpoint_id, EndpointState.PAUSED, now):
            raise ConflictError(
                f"endpoint {endpoint_id} is {found.state}; only an active one can be paused"
            )
        return _show(connection, endpoint_id)


def resume_endpoint(
    database: Transactions, endpoint_id: str, now: datetime
) -> tuple[EndpointDetails, Released]:
    """Send to a paused or disabled endpoint again, beginning with what it missed.

    Raises ConflictError for any other.
    """
    with database.write() as connection:
        found = records.find_endpoint(connection, endpoint_id)
        released = lifecycle.resume_endpoint(connection, endpoint_id, now)
        if released is None:
            raise ConflictError(
                f"endpoint {endpoint_id} is {found.state}; there is nothing to resume"
            )
        return _show(connection, endpoint_id), released


class Rotated(NamedTuple):
    """An endpoint with its new secret, and the endpoint as it was before."""

    endpoint: Endpoint
    before: Endpoint


def rotate_secret(
    database: Transactions, endpoint_id: str, now: datetime, secret: str | None = None
) -> Rotated:
    """Give an endpoint another secret; for 24 hours the former one signs too.

    Raises InvalidInputError for what is no secret or the present one, ConflictError for a channel,
    SealError for an endpoint whose key is lost.
    """
    faults: list[Fault] = []
    made = _take(faults, "secret", lambda: _make_secret(secret), "")
    if faults:
        raise InvalidFieldsError(faults)
    with database.write() as connection:
        found = _take_own(connection, endpoint_id)
        rotated = found.rotate(made, now)
        records.save_endpoint(connection, rotated)
    return Rotated(rotated, found)


def remove_endpoint(database: Transactions, endpoint_id: str, now: datetime) -> None:
    """Remove an endpoint and revoke its owner's token; what is pending for it is dropped."""
    with database.write() as connection:
        records.find_endpoint(connection, endpoint_id)
        drop_endpoints(connection, [endpoint_id], now)


def drop_endpoints(connection: Connection, ids: Collection[str], now: datetime) -> None:
    """Remove endpoints as `remove_endpoint` does, within a transaction."""
    scopes = {(OWNER_SCOPE.format(endpoint=key),) for key in ids}
    for one in tokens.load_tokens(connection) if ids else ():
        if one.scopes in scopes:
            tokens.revoke_token(connection, one.id, now)
    for key in ids:
        lifecycle.remove_endpoint(connection, key, now)


def check_changeable(one: Endpoint) -> Endpoint:
    """Return an endpoint that can be changed. Raises ConflictError for a channel."""
    if one.url.startswith(SCHEME):
        raise ConflictError(
            f"endpoint {one.id} is a channel: its address, what it gets and how stand in the file "
            "that CALFEED_CHANNELS names; change them there, and start the workers again"
        )
    return one


def _take_own(connection: Connection, endpoint_id: str) -> Endpoint:
    return check_changeable(records.lock_endpoint(connection, endpoint_id))


def _show(connection: Connection, endpoint_id: str) -> EndpointDetails:
    found = records.find_endpoint(connection, endpoint_id)
    return EndpointDetails(found, lifecycle.count_deliveries(connection, endpoint_id))


def _change(
    connection: Connection,
    one: Endpoint,
    rules: UrlRules,
    values: EndpointValues,
    faults: list[Fault],
) -> Endpoint:
    """The endpoint with what is given. Raises InvalidFieldsError with these and further faults."""
    chosen = {name: tuple(entries) for name, entries in values.filters.items()}
    filters = one.filters.model_copy(update=chosen)
    if filters != one.filters:
        faults += [*list_faults(filters), *find_unknown_names(connection, filters)]
    url, text = values.url, values.description
    if url is not None or not one.url:
        url = _take(faults, "url", lambda: check_url(values.url or "", *rules), "")
    if text is not None:
        text = _take(faults, "description", lambda: check_line(values.description or ""), "")
    changed = replace(
        one,
        url=one.url if url is None else url,
        description=one.description if text is None else text,
        filters=filters,
        options=read_options(one.options, values.options, faults),
        headers=_take(faults, "headers", lambda: _change_headers(one.headers, values), {}),
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


def _make_secret(own: str | None) -> str:
    return make_secret(secrets.token_bytes(32)) if own is None else check_secret(own)


def _take(faults: list[Fault], place: str, read: Callable[[], Read], otherwise: Read) -> Read:
    """What `read` returns; else what is wrong is noted, and `otherwise` stands for it."""
    try:
        return read()
    except InvalidInputError as error:
        faults.append(Fault(place, str(error)))
        return otherwise
