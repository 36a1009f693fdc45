"""Push subscriptions: store, find, renew and remove them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Connection, delete, func, select

from calfeed.errors import SealError
from calfeed.store.endpoints.lifecycle import change_endpoint, remove_endpoint
from calfeed.store.endpoints.records import Endpoint, add_endpoint, load_endpoints
from calfeed.store.push.tables import push_subscriptions
from calfeed.store.secrets.sealing import Places, keyring_of
from calfeed.store.upsert import upsert_by

_auths = Places(push_subscriptions.c.auth)


@dataclass(frozen=True)
class Receiver:
    """The address and keys of a push client (RFC 8030, 8291), without its filters.

    `resource` is the URL that messages are posted to. `client_key` is its public key (P-256) and
    `auth` the secret that it shares with this site, both base64url. The repr leaves them out,
    because anybody who knows them can push.
    """

    resource: str = field(repr=False)
    client_key: str = field(repr=False)
    auth: str = field(repr=False)

    @property
    def hash(self) -> str:
        """The hash by which its subscription is looked up."""
        return hashlib.sha256(self.resource.encode()).hexdigest()


@dataclass(frozen=True)
class PushDetails:
    """The data of a subscription that its endpoint does not have: keys, language and end (UTC)."""

    client_key: str
    auth: str = field(repr=False)
    language: str
    expires: datetime


def find_subscription(
    connection: Connection, resource_hash: str, collection: str = ""
) -> Endpoint | None:
    """Find the endpoint of a subscription; `collection` is the calendar of a CalDAV client."""
    query = select(push_subscriptions.c.endpoint_id).where(
        push_subscriptions.c.resource_hash == resource_hash,
        push_subscriptions.c.collection == collection,
    )
    endpoint_id = connection.scalar(query)
    return load_endpoints(connection, [endpoint_id]).get(endpoint_id) if endpoint_id else None


def is_subscribed(connection: Connection, endpoint_id: str) -> bool:
    """Whether a subscription has this id."""
    query = select(push_subscriptions.c.endpoint_id)
    return (
        connection.scalar(query.where(push_subscriptions.c.endpoint_id == endpoint_id)) is not None
    )


def save_subscription(
    connection: Connection,
    endpoint: Endpoint,
    receiver: Receiver,
    language: str,
    expires: datetime,
    now: datetime,
    collection: str = "",
) -> None:
    """Store a subscription, or renew the existing one of the same endpoint with new filters."""
    known = load_endpoints(connection, [endpoint.id]).get(endpoint.id)
    if known is None:
        add_endpoint(connection, endpoint)
    else:
        change_endpoint(connection, replace(known, filters=endpoint.filters), now)
    values = {
        "endpoint_id": endpoint.id,
        "resource_hash": receiver.hash,
        "collection": collection,
        "client_key": receiver.client_key,
        "auth": keyring_of(connection).seal(_auths.of(endpoint.id), receiver.auth),
        "language": language,
        "expires": expires,
    }
    names = ("client_key", "auth", "language", "expires")
    statement = upsert_by(connection, push_subscriptions, ("endpoint_id",), names, None)
    connection.execute(statement.values(values))


def load_push_details(
    connection: Connection, endpoint_ids: Sequence[str]
) -> dict[str, PushDetails]:
    """Load the details of subscriptions, without those that cannot be decrypted."""
    query = select(push_subscriptions).where(push_subscriptions.c.endpoint_id.in_(endpoint_ids))
    keys = keyring_of(connection)
    found = {}
    for row in connection.execute(query):
        with suppress(SealError):
            auth = keys.open(_auths.of(row.endpoint_id), row.auth)
            details = PushDetails(row.client_key, auth, row.language, row.expires)
            found[row.endpoint_id] = details
    return found


def remove_subscription(connection: Connection, endpoint_id: str, now: datetime) -> None:
    """Remove a subscription, its keys, and its endpoint's URL; unsettled deliveries are dropped."""
    remove_endpoint(connection, endpoint_id, now)
    connection.execute(
        delete(push_subscriptions).where(push_subscriptions.c.endpoint_id == endpoint_id)
    )


def remove_expired(connection: Connection, now: datetime, limit: int) -> int:
    """Remove up to `limit` subscriptions that have expired, and return how many there were."""
    query = (
        select(push_subscriptions.c.endpoint_id)
        .where(push_subscriptions.c.expires <= now)
        .order_by(push_subscriptions.c.expires)
        .limit(limit)
    )
    expired = connection.scalars(query).all()
    for endpoint_id in expired:
        remove_subscription(connection, endpoint_id, now)
    return len(expired)


def count_subscriptions(connection: Connection) -> int:
    """Count the subscriptions of browsers and CalDAV clients."""
    return int(connection.scalar(select(func.count()).select_from(push_subscriptions)) or 0)


def pushed_collections(connection: Connection) -> set[str]:
    """The calendars that CalDAV clients have subscribed to."""
    return set(connection.scalars(select(push_subscriptions.c.collection).distinct())) - {""}
