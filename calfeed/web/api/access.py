"""Who asks: a bearer token (RFC 6750), what it may do, and how often."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from flask import Flask, g, request
from pydantic import SecretStr

from calfeed.store.access.tokens import allows, find_token, is_same_token, may_read
from calfeed.store.database import Database
from calfeed.web.api.problems import RefusalError
from calfeed.web.api.rate_limits import RateLimit, add_rate_limit_headers
from calfeed.web.networks import name_network

RATE = "600 per minute"
"""How many requests a token, or an address without one, may make in each process."""


@dataclass(frozen=True)
class Access:
    """Who makes a request (an empty name without a token), and with which scopes."""

    name: str = ""
    scopes: tuple[str, ...] = ()

    def require(self, scope: str) -> None:
        """Refuse the request unless it may do what a scope is for: 401 or 403."""
        if not self.name:
            raise RefusalError(
                HTTPStatus.UNAUTHORIZED,
                f"This needs a token with the scope {scope}: Authorization: Bearer …",
            )
        if not allows(self.scopes, scope):
            raise RefusalError(HTTPStatus.FORBIDDEN, f"This needs a token with the scope {scope}.")

    def may_read(self, *names: str) -> bool:
        """Whether the scopes allow reading a private calendar with one of these names."""
        return may_read(self.scopes, names)


def find_access(database: Database, admin_token: SecretStr | None, now: datetime) -> Access | None:
    """Who makes the current request; None for a token that is not valid.

    Raises StoreError where the database does not answer.
    """
    given = request.headers.get("Authorization")
    if given is None:
        return Access()
    kind, _, token = given.partition(" ")
    if kind.lower() != "bearer":
        return None
    if admin_token is not None and is_same_token(token.strip(), admin_token.get_secret_value()):
        return Access("admin", ("admin",))
    with database.read() as connection:
        found = find_token(connection, token.strip(), now)
    if found is None or not found.scopes:
        return None
    return Access(f"token {found.id}", found.scopes)


def guard(
    app: Flask,
    database: Database,
    admin_token: SecretStr | None,
    rate: str,
    clock: Callable[[], datetime],
) -> None:
    """Let an application know who asks (`g.access`), and limit how often they may.

    `clock` gives the time, in UTC.
    """
    limit = RateLimit(rate)
    add_rate_limit_headers(app)

    @app.before_request
    def identify() -> None:
        access = find_access(database, admin_token, clock())
        g.access = access if access is not None and access.name else None
        g.refused = access is None

    @app.before_request
    def refuse() -> None:
        # Every request counts, whatever its address: else tokens could be tried out at any speed.
        # A valid token has its own limit: what strangers do keeps nobody out who has one.
        limit.count(g.access.name if g.access else name_network())
        if g.refused:
            raise RefusalError(
                HTTPStatus.UNAUTHORIZED, "This token is not valid, has expired, or was revoked."
            )


def current_access() -> Access:
    """Who makes the current request."""
    return g.access or Access()
