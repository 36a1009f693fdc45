"""Endpoints: where messages are sent, and which each of them wants."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select, update

from calfeed.errors import InvalidInputError, NotFoundError, SealError
from calfeed.model.states import EndpointState
from calfeed.reminders.filters import Filters
from calfeed.reminders.options import Options
from calfeed.store.secrets.sealing import Keyring, Places, keyring_of
from calfeed.store.tables import endpoints
from calfeed.store.transitions import Transition

_urls, _headers = Places(endpoints.c.url), Places(endpoints.c.headers)
_secrets, _former_secrets = Places(endpoints.c.secret), Places(endpoints.c.former_secret)

ROTATION = timedelta(hours=24)
"""How long a secret that was replaced signs beside the new one."""

_add = Transition([None], EndpointState.ACTIVE, EndpointState.UNVERIFIED)
_is_there = endpoints.c.state != EndpointState.REMOVED


@dataclass(frozen=True)
class Endpoint:
    """A receiver of webhooks.

    It is in its `state` since `since` (UTC), or since it was added; `reason` says why it is
    disabled. `headers` go along with every message.
    `former_secret` signs beside `secret` until `former_until` (UTC). `failing_since` (UTC) is when
    the first failed of the attempts that have all failed since. Secrets, headers and the URL are
    not part of its repr, so that no log shows them. Where they cannot be read, `lost` says why,
    and they are empty.
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
    former_secret: str | None = field(default=None, repr=False)
    former_until: datetime | None = None
    failing_since: datetime | None = None
    reason: str | None = None
    since: datetime | None = None
    lost: str | None = None

    @property
    def takes_posts(self) -> bool:
        """Whether what is made for it is posted; for an unverified one that is its challenge."""
        return self.state in (EndpointState.ACTIVE, EndpointState.UNVERIFIED)

    def secrets_at(self, moment: datetime) -> list[str]:
        """The secrets that a message is signed with, the one in force first."""
        former = self.former_secret
        if former is None or self.former_until is None or self.former_until <= moment:
            return [self.secret]
        return [self.secret, former]

    def check(self) -> Endpoint:
        """The endpoint itself. Raises SealError where its secrets cannot be read."""
        if self.lost is not None:
            raise SealError(
                f"the URL, the headers and the secret of endpoint {self.id} cannot be read: "
                f"{self.lost}. Put the key back",
                endpoint=self.id,
            )
        return self

    def renew(self, url: str, secret: str) -> Endpoint:
        """The endpoint with another URL and secret in place of those that are lost."""
        renewed = replace(self, url=url, secret=secret, headers={}, lost=None)
        return replace(renewed, former_secret=None, former_until=None)

    def rotate(self, secret: str, now: datetime) -> Endpoint:
        """The endpoint with another secret, beside which the present one signs for `ROTATION`.

        Raises InvalidInputError for the secret that it has, SealError where that cannot be read.
        """
        if secret == self.check().secret:
            raise InvalidInputError(f"this is the secret that endpoint {self.id} has already")
        return replace(self, secret=secret, former_secret=self.secret, former_until=now + ROTATION)


def add_endpoint(connection: Connection, endpoint: Endpoint) -> None:
    """Keep a new endpoint."""
    sealed = _to_values(endpoint, keyring_of(connection))
    values = {"id": endpoint.id, "created": endpoint.created, **sealed}
    values["state"] = _add.to(endpoint.state)
    connection.execute(endpoints.insert().values(values))


def save_endpoint(connection: Connection, endpoint: Endpoint) -> None:
    """Keep what is different about an endpoint; its state is left alone.

    Raises SealError where what it has cannot be read.
    """
    values = _to_values(endpoint, keyring_of(connection))
    statement = update(endpoints).where(endpoints.c.id == endpoint.id)
    connection.execute(statement.values(values))


def list_endpoints(connection: Connection) -> list[Endpoint]:
    """Every endpoint that was not removed, oldest first."""
    query = select(endpoints).where(_is_there)
    rows = connection.execute(query.order_by(endpoints.c.created, endpoints.c.id))
    keys = keyring_of(connection)
    return [_to_endpoint(row, keys) for row in rows]


def find_endpoint(connection: Connection, endpoint_id: str) -> Endpoint:
    """One endpoint by its id. Raises NotFoundError where there is none, or no longer."""
    query = select(endpoints).where(endpoints.c.id == endpoint_id, _is_there)
    return _one(connection, query, endpoint_id)


def take_endpoint(connection: Connection, endpoint_id: str) -> Endpoint:
    """One endpoint by its id, for this transaction to change.

    Raises NotFoundError where there is none, or no longer.
    """
    query = select(endpoints).where(endpoints.c.id == endpoint_id, _is_there)
    return _one(connection, query.with_for_update(key_share=True), endpoint_id)


def _one(connection: Connection, query: Any, endpoint_id: str) -> Endpoint:
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFoundError("endpoint", endpoint_id)
    return _to_endpoint(row, keyring_of(connection))


def load_endpoints(connection: Connection, ids: Sequence[str]) -> dict[str, Endpoint]:
    """Endpoints by id, those that were not removed."""
    query = select(endpoints).where(endpoints.c.id.in_(ids), _is_there)
    keys = keyring_of(connection)
    return {row.id: _to_endpoint(row, keys) for row in connection.execute(query)}


def page_of_endpoints(connection: Connection, after: str, limit: int) -> list[Endpoint]:
    """Endpoints in the order of their ids, those behind `after`; none removed or unverified.

    What is sealed of them is not read: it is nothing that a message is wanted or not wanted by.
    Where one is said not to be active, that holds until this transaction ends.
    """
    told = endpoints.c.state.not_in([EndpointState.REMOVED, EndpointState.UNVERIFIED])
    query = select(endpoints).where(endpoints.c.id > after, told)
    rows = connection.execute(query.order_by(endpoints.c.id).limit(limit))
    page = [_to_endpoint(row, None) for row in rows]
    idle = keep_idle(connection, [one.id for one in page if one.state is not EndpointState.ACTIVE])
    return [
        one
        if one.state is EndpointState.ACTIVE or one.id in idle
        else replace(one, state=EndpointState.ACTIVE)
        for one in page
    ]


def keep_idle(connection: Connection, ids: Sequence[str]) -> set[str]:
    """Which of these endpoints are not active, and stay so until this transaction ends.

    What is held for these is seen by whoever resumes them. One that somebody is just resuming
    is not among them, and is not waited for.
    """
    query = select(endpoints.c.id).where(
        endpoints.c.id.in_(ids), endpoints.c.state != EndpointState.ACTIVE
    )
    query = query.with_for_update(read=True, skip_locked=True)
    return set(connection.scalars(query)) if ids else set()


def count_endpoints(connection: Connection) -> int:
    """How many endpoints there are, those that were removed left out."""
    query = select(func.count()).select_from(endpoints).where(_is_there)
    return int(connection.scalar(query) or 0)


def _to_values(endpoint: Endpoint, keys: Keyring) -> dict[str, Any]:
    one = endpoint.check()
    former = one.former_secret
    return {
        "url": keys.seal(_urls.of(one.id), one.url),
        "description": endpoint.description,
        "filters": endpoint.filters.model_dump_json(exclude_defaults=True),
        "options": endpoint.options.model_dump_json(exclude_defaults=True),
        "headers": keys.seal(_headers.of(one.id), _write_headers(one.headers)),
        "secret": keys.seal(_secrets.of(one.id), one.secret),
        "former_secret": former and keys.seal(_former_secrets.of(one.id), former),
        "former_until": endpoint.former_until,
    }


def _write_headers(headers: Mapping[str, str]) -> str:
    return json.dumps(dict(headers)) if headers else ""


def _to_endpoint(row: Any, keys: Keyring | None) -> Endpoint:
    """A row as an endpoint, without what is sealed where no `keys` are given."""
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
