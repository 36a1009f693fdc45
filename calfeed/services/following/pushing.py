"""Push: follow dates in a browser, and subscribe CalDAV clients to changes of a calendar."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec

from calfeed.delivery.transport.guard import UrlRules, check_url
from calfeed.errors import (
    ConflictError,
    Fault,
    InvalidFieldsError,
    InvalidInputError,
    NotFoundError,
)
from calfeed.model.states import EndpointKind
from calfeed.reminders.filters import UPDATE_TYPE, Filters
from calfeed.reminders.pushing import read_base64url, welcome_message
from calfeed.store.database import Connection, Transactions
from calfeed.store.endpoints.records import Endpoint
from calfeed.store.notices import notify_listeners
from calfeed.store.outbox.messages import add_delivery
from calfeed.store.push.keys import load_push_key, show_public_key
from calfeed.store.push.subscriptions import (
    Receiver,
    count_subscriptions,
    find_subscription,
    is_subscribed,
    remove_subscription,
    save_subscription,
)

BROWSER_LIFETIME = timedelta(days=400)
"""How long a browser gets pushes after its last visit to a page that shows what it follows."""

MIN_COLLECTION_LIFETIME = timedelta(days=3)
MAX_COLLECTION_LIFETIME = timedelta(days=30)
"""How long a CalDAV client gets pushes before it has to register again."""

MAX_SUBSCRIPTIONS = 100_000
MAX_FOLLOWED = 200
"""The maximum number of dates and calendars that one browser may follow."""

BROWSER_TYPES = ("event.moved", "event.corrected", "event.cancelled")
"""The types of messages for a browser that follows a date or a calendar."""

_KEY_BYTES, _AUTH_BYTES = 65, 16


class Registered(NamedTuple):
    """A CalDAV client's subscription: its id, when it ends (UTC), and whether it is new."""

    id: str
    expires: datetime
    new: bool


def load_public_key(database: Transactions) -> str:
    """Return the public key that clients subscribe with (VAPID)."""
    with database.write() as connection:
        return show_public_key(load_push_key(connection))


def find_followed(database: Transactions, rules: UrlRules, resource: str) -> list[str]:
    """Return what the browser with a push resource follows, as in `Filters.follows`."""
    try:
        resource = check_url(resource, rules.allow_private)
    except InvalidInputError:
        return []
    with database.read() as connection:
        known = find_subscription(connection, Receiver(resource, "", "").hash)
    return [] if known is None else list(known.filters.follows)


def follow_in_browser(
    database: Transactions,
    rules: UrlRules,
    receiver: Receiver,
    follow: Collection[str],
    unfollow: Collection[str],
    language: str,
    greeting: tuple[str, str],
    now: datetime,
) -> list[str]:
    """Change what a browser follows, and return all that it follows after the change.

    A new subscription gets the `greeting` (a title and a text) as a push at once, as a test; if the
    push service refuses this push, the subscription is removed. A subscription that follows nothing
    any more is deleted. Raises InvalidFieldsError for a receiver that cannot get pushes,
    ConflictError if there are too many subscriptions, or too many dates for this one.
    """
    receiver = _check(receiver, rules)
    with database.write() as connection:
        known = find_subscription(connection, receiver.hash)
        before = () if known is None else known.filters.follows
        after = tuple(sorted({*before, *follow} - {*unfollow}))
        if len(after) > MAX_FOLLOWED:
            raise ConflictError(f"A browser can follow up to {MAX_FOLLOWED} dates and calendars.")
        if not after:
            if known is not None:
                remove_subscription(connection, known.id, now)
            return []
        filters = Filters(follows=after, types=BROWSER_TYPES, public_only=True)
        endpoint = _endpoint(connection, known, receiver, filters, now)
        expires = now + BROWSER_LIFETIME
        save_subscription(connection, endpoint, receiver, language, expires, now)
        if known is None:
            message = welcome_message(endpoint.id, now, secrets.token_hex(8), *greeting)
            add_delivery(connection, message, endpoint.id)
            notify_listeners(connection)
    return list(after)


def register_collection(
    database: Transactions,
    rules: UrlRules,
    receiver: Receiver,
    calendar: str,
    expires: datetime | None,
    now: datetime,
    *,
    public: bool = True,
) -> Registered:
    """Subscribe a CalDAV client to changes of a calendar.

    If there is a subscription of the same receiver and calendar, it is renewed. `public`
    says whether the calendar is public now; if so, nothing is pushed should it become private.
    Raises InvalidFieldsError for a receiver that cannot get pushes, ConflictError if there are too
    many subscriptions.
    """
    receiver = _check(receiver, rules)
    wanted = now + MAX_COLLECTION_LIFETIME if expires is None else expires
    end = min(max(wanted, now + MIN_COLLECTION_LIFETIME), now + MAX_COLLECTION_LIFETIME)
    with database.write() as connection:
        known = find_subscription(connection, receiver.hash, calendar)
        filters = Filters(calendars=(calendar,), types=(UPDATE_TYPE,), public_only=public)
        endpoint = _endpoint(connection, known, receiver, filters, now)
        save_subscription(connection, endpoint, receiver, "", end, now, calendar)
    return Registered(endpoint.id, end, new=known is None)


def unregister_collection(database: Transactions, subscription_id: str, now: datetime) -> None:
    """End a CalDAV client's subscription; its id is random, so that only the client knows it.

    Raises NotFoundError if there is none.
    """
    with database.write() as connection:
        if not is_subscribed(connection, subscription_id):
            raise NotFoundError("subscription", subscription_id)
        remove_subscription(connection, subscription_id, now)


def _endpoint(
    connection: Connection,
    known: Endpoint | None,
    receiver: Receiver,
    filters: Filters,
    now: datetime,
) -> Endpoint:
    if known is not None:
        return replace(known, filters=filters)
    if count_subscriptions(connection) >= MAX_SUBSCRIPTIONS:
        raise ConflictError("There are too many subscriptions; try again another day.")
    return Endpoint(
        id="psh_" + secrets.token_hex(16),
        url=receiver.resource,
        filters=filters,
        secret="",
        created=now,
        kind=EndpointKind.PUSH,
    )


def _check(receiver: Receiver, rules: UrlRules) -> Receiver:
    """Return a receiver with its URL in normal form. Raises InvalidFieldsError."""
    faults: list[Fault] = []
    resource = receiver.resource
    try:
        # With http, others could read or suppress the pushes.
        resource = check_url(resource, rules.allow_private, https_only=not rules.allow_private)
    except InvalidInputError as error:
        faults.append(Fault("resource", str(error)))
    if not _is_public_key(receiver.client_key):
        faults.append(Fault("client_key", "it has to be a point of the curve P-256 in base64url"))
    if len(_bytes_of(receiver.auth)) != _AUTH_BYTES:
        faults.append(Fault("auth", f"it has to be {_AUTH_BYTES} bytes in base64url"))
    if faults:
        raise InvalidFieldsError(faults)
    return replace(receiver, resource=resource)


def _is_public_key(text: str) -> bool:
    point = _bytes_of(text)
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError:
        return False
    return len(point) == _KEY_BYTES


def _bytes_of(text: str) -> bytes:
    try:
        return read_base64url(text)
    except ValueError:
        return b""
