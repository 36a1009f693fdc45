"""Endpoints: add, change, test, pause, resume, rotate, remove."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple, TypeVar

from calfeed.delivery.channels.sending import SCHEME
from calfeed.delivery.transport.guard import UrlRules, check_url
from calfeed.delivery.transport.headers import change_headers, find_header, parse_headers
from calfeed.errors import ConflictError, Fault, InvalidFieldsError, InvalidInputError
from calfeed.model.states import DeliveryState, EndpointState
from calfeed.reminders.endpoint_values import POLLED, check_line, list_faults, read_options
from calfeed.reminders.filters import Filters
from calfeed.reminders.signing import (
    Scheme,
    check_secret,
    make_private_key,
    make_secret,
    scheme_of,
)
from calfeed.store.access import tokens
from calfeed.store.database import Connection, Transactions
from calfeed.store.endpoints import lifecycle, records
from calfeed.store.endpoints.filter_names import find_unknown_names
from calfeed.store.endpoints.lifecycle import Released
from calfeed.store.endpoints.records import Endpoint

Value = TypeVar("Value")

OWNER_SCOPE = "endpoint:{endpoint}"
"""The scope of the owner's token of a registered endpoint."""

POLL_SCOPE = tokens.POLL_PREFIX + "{endpoint}"
"""The scope of a token with which the receiver of a polled endpoint fetches its messages."""


@dataclass(frozen=True)
class EndpointValues:
    """New values of an endpoint, as people write them.

    A field that is None, and a name that a mapping does not have, means no change. `filters` maps
    field names of `Filters` to lists. `options` maps field names of `Options` to strings, to
    numbers, or to None, which removes the option. `headers` contains lines of the form "Name:
    value". Removing a header that does not exist is an error unless `missing_ok`. The repr has no
    secrets.
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
    """Return an endpoint. Like all functions here, raises NotFoundError for an unknown id."""
    with database.read() as connection:
        return _load_details(connection, endpoint_id)


def make_endpoint(
    connection: Connection,
    rules: UrlRules,
    values: EndpointValues,
    now: datetime,
    *,
    secret: str | None = None,
    scheme: Scheme | None = None,
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
        secret=_parse(faults, "secret", lambda: _make_secret(secret, scheme), ""),
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
    scheme: Scheme | None = None,
) -> Endpoint:
    """Add an endpoint. Without a `secret`, a new one is made for `scheme`, by default HMAC.

    Raises InvalidFieldsError with every fault of the values.
    """
    with database.write() as connection:
        return make_endpoint(connection, rules, values, now, secret=secret, scheme=scheme)


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
    if the key is lost and no URL is given.
    """
    with database.write() as connection:
        endpoint = _take_changeable(connection, endpoint_id)
        secret = None
        if endpoint.lost is not None and values.url is not None:
            secret = _make_secret(None, None)
            endpoint = endpoint.replace_secrets("", secret)
        changed = _apply_values(connection, endpoint.require_readable(), rules, values, [])
        lifecycle.change_endpoint(connection, changed, now)
        return _load_details(connection, endpoint_id)._replace(new_secret=secret)


def pause_endpoint(database: Transactions, endpoint_id: str, now: datetime) -> EndpointDetails:
    """Hold the deliveries of an endpoint until it is resumed.

    Raises ConflictError unless it is active.
    """
    with database.write() as connection:
        endpoint = records.find_endpoint(connection, endpoint_id)
        if not lifecycle.pause_or_disable_endpoint(
            connection, endpoint_id, EndpointState.PAUSED, now
        ):
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
    database: Transactions,
    endpoint_id: str,
    now: datetime,
    secret: str | None = None,
    scheme: Scheme | None = None,
) -> Rotated:
    """Give an endpoint a new secret; for 24 hours the former one also signs.

    Without a `secret`, a new one is made for `scheme`, by default the present scheme. Raises
    InvalidInputError for an invalid secret or the current one, ConflictError for a channel,
    SealError for an endpoint whose key is lost.
    """
    faults: list[Fault] = []
    with database.write() as connection:
        before = _take_changeable(connection, endpoint_id)
        wanted = scheme or (scheme_of(before.secret) if secret is None else None)
        new_secret = _parse(faults, "secret", lambda: _make_secret(secret, wanted), "")
        if faults:
            raise InvalidFieldsError(faults)
        rotated = before.rotate(new_secret, now)
        records.save_endpoint(connection, rotated)
    return Rotated(rotated, before)


def remove_endpoint(database: Transactions, endpoint_id: str, now: datetime) -> None:
    """Remove an endpoint, and drop its pending deliveries.

    Tokens that are only for this endpoint are revoked: its owner's, and those that fetch its
    messages.
    """
    with database.write() as connection:
        records.find_endpoint(connection, endpoint_id)
        drop_endpoints(connection, [endpoint_id], now)


def drop_endpoints(connection: Connection, ids: Collection[str], now: datetime) -> None:
    """Remove endpoints as `remove_endpoint` does, within a transaction."""
    own = (OWNER_SCOPE, POLL_SCOPE)
    scopes = {(scope.format(endpoint=endpoint_id),) for endpoint_id in ids for scope in own}
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
        url = _parse(faults, "url", lambda: _check_url(endpoint, values.url or "", rules), "")
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
    if changed.is_polled and changed.headers:
        faults.append(Fault("headers", "a polled endpoint has none, as nothing is sent to it"))
    if faults:
        raise InvalidFieldsError(faults)
    return changed


def _check_url(endpoint: Endpoint, given: str, rules: UrlRules) -> str:
    """Return a URL in normal form. Raises InvalidInputError.

    A polled endpoint cannot be given a URL, and no other endpoint can become polled: otherwise the
    pending deliveries could go to somebody else.
    """
    url = given if given == POLLED else check_url(given, *rules)
    if url == POLLED and endpoint.filters.public_only and not endpoint.url:
        raise InvalidInputError("a registered endpoint needs a URL, to confirm it")
    if endpoint.url and endpoint.is_polled is not (url == POLLED):
        raise InvalidInputError("an endpoint cannot change between poll: and a URL; add another")
    return url


def _change_headers(headers: Mapping[str, str], values: EndpointValues) -> dict[str, str]:
    removed = [
        name
        for name in values.removed_headers
        if not values.missing_ok or find_header(headers, name) is not None
    ]
    return change_headers(headers, parse_headers(values.headers), removed)


def _make_secret(given: str | None, scheme: Scheme | None) -> str:
    """Return the given secret, which must be for HMAC, or make a new one for a scheme."""
    random = secrets.token_bytes(32)
    if given is None:
        return make_private_key(random) if scheme is Scheme.ED25519 else make_secret(random)
    if scheme is Scheme.ED25519:
        raise InvalidInputError("an Ed25519 key is always generated; leave the secret out")
    return check_secret(given)


def _parse(faults: list[Fault], place: str, parse: Callable[[], Value], default: Value) -> Value:
    """Return the result of `parse`; on InvalidInputError add a fault, and return the default."""
    try:
        return parse()
    except InvalidInputError as error:
        faults.append(Fault(place, str(error)))
        return default
