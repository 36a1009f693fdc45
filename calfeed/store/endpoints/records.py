"""Endpoint records: read and write endpoints, with their secrets encrypted."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select, update

from calfeed.errors import InvalidInputError, NotFoundError, SealError
from calfeed.model.states import EndpointKind, EndpointState
from calfeed.reminders.endpoint_values import POLLED
from calfeed.reminders.filters import Filters
from calfeed.reminders.options import Options
from calfeed.reminders.signing import Scheme, receiver_key, scheme_of
from calfeed.store.secrets.sealing import Keyring, Places, keyring_of
from calfeed.store.tables import endpoints
from calfeed.store.transitions import Transition

_urls, _headers = Places(endpoints.c.url), Places(endpoints.c.headers)
_secrets, _former_secrets = Places(endpoints.c.secret), Places(endpoints.c.former_secret)

ROTATION_PERIOD = timedelta(hours=24)
"""How long after a rotation messages are also signed with the former secret."""

MAX_LANGUAGES = 20
"""The most languages that a message is translated into."""

_add = Transition([None], EndpointState.ACTIVE, EndpointState.UNVERIFIED)
_is_not_removed = endpoints.c.state != EndpointState.REMOVED
_is_webhook = endpoints.c.kind == EndpointKind.WEBHOOK


@dataclass(frozen=True)
class Endpoint:
    """A receiver of messages.

    It has been in its `state` since `since` (UTC), or since it was added; `reason` is why it is
    disabled. `headers` are sent with every message. Until `former_until` (UTC), messages are also
    signed with `former_secret`. `failing_since` (UTC) is set if the latest attempts have all
    failed: it is the time of the first of them. The URL, headers and secrets are not part of the
    repr, to keep them out of logs. If they cannot be decrypted they are empty, and `lost` is the
    reason.
    """

    id: str
    url: str = field(repr=False)
    filters: Filters
    secret: str = field(repr=False)
    created: datetime
    description: str = ""
    state: EndpointState = EndpointState.ACTIVE
    options: Options = field(default_factory=Options)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    kind: EndpointKind = EndpointKind.WEBHOOK
    former_secret: str | None = field(default=None, repr=False)
    former_until: datetime | None = None
    failing_since: datetime | None = None
    reason: str | None = None
    since: datetime | None = None
    lost: str | None = None

    @property
    def accepts_messages(self) -> bool:
        """Whether messages are sent to it. An unverified endpoint gets only its challenge."""
        return self.state in (EndpointState.ACTIVE, EndpointState.UNVERIFIED)

    @property
    def receiver_key(self) -> str:
        """What its receiver verifies messages with: the secret, or the public key."""
        return receiver_key(self.secret)

    @property
    def public_key(self) -> str | None:
        """The public key, if its messages are signed by Ed25519."""
        return self.receiver_key if scheme_of(self.secret) is Scheme.ED25519 else None

    @property
    def is_polled(self) -> bool:
        """Whether it has no URL, because its receiver fetches the messages."""
        return self.url == POLLED

    def secrets_at(self, moment: datetime) -> list[str]:
        """Return the secrets to sign a message with, the current one first."""
        former = self.former_secret
        if former is None or self.former_until is None or self.former_until <= moment:
            return [self.secret]
        return [self.secret, former]

    def require_readable(self) -> Endpoint:
        """Return the endpoint. Raises SealError if its secrets cannot be decrypted."""
        if self.lost is not None:
            raise SealError(
                f"the URL, the headers and the secret of endpoint {self.id} cannot be read: "
                f"{self.lost}. Put the key back",
                endpoint=self.id,
            )
        return self

    def replace_secrets(self, url: str, secret: str) -> Endpoint:
        """Return the endpoint with a new URL and secret in place of unreadable ones."""
        renewed = replace(self, url=url, secret=secret, headers={}, lost=None)
        return replace(renewed, former_secret=None, former_until=None)

    def rotate(self, secret: str, now: datetime) -> Endpoint:
        """Return the endpoint with a new secret; the present one also signs for `ROTATION_PERIOD`.

        Raises InvalidInputError if it has this secret already, SealError if it cannot be decrypted.
        """
        if secret == self.require_readable().secret:
            raise InvalidInputError(f"endpoint {self.id} has this secret already; choose another")
        return replace(
            self, secret=secret, former_secret=self.secret, former_until=now + ROTATION_PERIOD
        )


def add_endpoint(connection: Connection, endpoint: Endpoint) -> None:
    """Store a new endpoint."""
    sealed = _to_values(endpoint, keyring_of(connection))
    values = {"id": endpoint.id, "kind": endpoint.kind, "created": endpoint.created, **sealed}
    values["state"] = _add.to(endpoint.state)
    connection.execute(endpoints.insert().values(values))


def save_endpoint(connection: Connection, endpoint: Endpoint) -> None:
    """Update an endpoint, except its state.

    Raises SealError if its stored secrets cannot be decrypted.
    """
    values = _to_values(endpoint, keyring_of(connection))
    statement = update(endpoints).where(endpoints.c.id == endpoint.id)
    connection.execute(statement.values(values))


def list_endpoints(connection: Connection) -> list[Endpoint]:
    """List the webhooks and channels, oldest first, without removed ones."""
    query = select(endpoints).where(_is_not_removed, _is_webhook)
    rows = connection.execute(query.order_by(endpoints.c.created, endpoints.c.id))
    keys = keyring_of(connection)
    return [_to_endpoint(row, keys) for row in rows]


def find_endpoint(connection: Connection, endpoint_id: str) -> Endpoint:
    """Load a webhook or channel. Raises NotFoundError if it does not exist or was removed."""
    query = select(endpoints).where(endpoints.c.id == endpoint_id, _is_not_removed, _is_webhook)
    return _load_one(connection, query, endpoint_id)


def lock_endpoint(connection: Connection, endpoint_id: str) -> Endpoint:
    """Load a webhook or channel and lock it, to change it in this transaction.

    Raises NotFoundError if it does not exist or was removed.
    """
    query = select(endpoints).where(endpoints.c.id == endpoint_id, _is_not_removed, _is_webhook)
    return _load_one(connection, query.with_for_update(key_share=True), endpoint_id)


def _load_one(connection: Connection, query: Any, endpoint_id: str) -> Endpoint:
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFoundError("endpoint", endpoint_id)
    return _to_endpoint(row, keyring_of(connection))


def load_endpoints(connection: Connection, ids: Sequence[str]) -> dict[str, Endpoint]:
    """Load endpoints by id, without removed ones."""
    query = select(endpoints).where(endpoints.c.id.in_(ids), _is_not_removed)
    keys = keyring_of(connection)
    return {row.id: _to_endpoint(row, keys) for row in connection.execute(query)}


def load_endpoint_page(connection: Connection, after: str, limit: int) -> list[Endpoint]:
    """Load a page of endpoints after an id, ordered by id, without removed and unverified ones.

    Secrets are not decrypted, as filters do not need them. Endpoints that are returned as inactive
    are locked in that state until this transaction ends.
    """
    is_known = endpoints.c.state.not_in([EndpointState.REMOVED, EndpointState.UNVERIFIED])
    query = select(endpoints).where(endpoints.c.id > after, is_known)
    rows = connection.execute(query.order_by(endpoints.c.id).limit(limit))
    page = [_to_endpoint(row, None) for row in rows]
    inactive = [endpoint.id for endpoint in page if endpoint.state is not EndpointState.ACTIVE]
    resumed = set(inactive) - lock_inactive(connection, inactive)
    return [
        replace(endpoint, state=EndpointState.ACTIVE) if endpoint.id in resumed else endpoint
        for endpoint in page
    ]


def lock_inactive(connection: Connection, ids: Sequence[str]) -> set[str]:
    """Lock those of these endpoints that are inactive, and return their ids.

    The lock ensures that a later resume sees the deliveries held in this transaction. Endpoints
    that are being resumed by another transaction are skipped.
    """
    query = select(endpoints.c.id).where(
        endpoints.c.id.in_(ids), endpoints.c.state != EndpointState.ACTIVE
    )
    query = query.with_for_update(read=True, skip_locked=True)
    return set(connection.scalars(query)) if ids else set()


def list_languages(connection: Connection) -> list[str]:
    """List the languages that webhooks and channels want their messages in (BCP 47 tags).

    Anybody can register an endpoint, so at most `MAX_LANGUAGES` are returned: those that the oldest
    endpoints want.
    """
    query = (
        select(endpoints.c.options)
        .where(endpoints.c.state.not_in([EndpointState.REMOVED, EndpointState.UNVERIFIED]))
        .where(_is_webhook, endpoints.c.options.contains('"language"'))
        .group_by(endpoints.c.options)
        .order_by(func.min(endpoints.c.created), endpoints.c.options)
    )
    wanted = map(Options.model_validate_json, connection.scalars(query))
    tags = dict.fromkeys(options.language for options in wanted if options.language)
    return list(tags)[:MAX_LANGUAGES]


def count_endpoints(connection: Connection) -> int:
    """Count the receivers of every kind, without removed ones."""
    query = select(func.count()).select_from(endpoints).where(_is_not_removed)
    return int(connection.scalar(query) or 0)


def _to_values(endpoint: Endpoint, keys: Keyring) -> dict[str, Any]:
    endpoint.require_readable()
    former = endpoint.former_secret
    return {
        "url": keys.seal(_urls.of(endpoint.id), endpoint.url),
        "description": endpoint.description,
        "filters": endpoint.filters.model_dump_json(exclude_defaults=True),
        "public_only": endpoint.filters.public_only,
        "options": endpoint.options.model_dump_json(exclude_defaults=True),
        "headers": keys.seal(_headers.of(endpoint.id), _write_headers(endpoint.headers)),
        "secret": keys.seal(_secrets.of(endpoint.id), endpoint.secret),
        "former_secret": former and keys.seal(_former_secrets.of(endpoint.id), former),
        "former_until": endpoint.former_until,
    }


def _write_headers(headers: Mapping[str, str]) -> str:
    return json.dumps(dict(headers)) if headers else ""


def _to_endpoint(row: Any, keys: Keyring | None) -> Endpoint:
    """Convert a row to an endpoint, without the encrypted values if there are no `keys`."""
    lost, url, headers, secret, former = None, "", "", "", None
    if keys is not None:
        try:
            url = keys.open(_urls.of(row.id), row.url)
            headers = keys.open(_headers.of(row.id), row.headers)
            secret = keys.open(_secrets.of(row.id), row.secret)
            if row.former_secret is not None:
                former = keys.open(_former_secrets.of(row.id), row.former_secret)
        except SealError as error:
            lost, url, headers, secret, former = str(error), "", "", "", None
    return Endpoint(
        id=row.id,
        url=url,
        filters=Filters.model_validate_json(row.filters),
        secret=secret,
        created=row.created,
        kind=row.kind,
        description=row.description,
        state=row.state,
        options=Options.model_validate_json(row.options),
        headers=json.loads(headers) if headers else {},
        former_secret=former,
        former_until=row.former_until,
        failing_since=row.failing_since,
        reason=row.reason,
        since=row.settled_at,
        lost=lost,
    )
