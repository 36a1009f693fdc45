"""Authentication by bearer tokens (RFC 6750), authorization by scopes, and rate limits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from flask import Flask, g, request
from pydantic import SecretStr

from calfeed.store.access.tokens import allows, find_token, is_same_token, may_read
from calfeed.store.database import Database
from calfeed.web.api.problems import ProblemError
from calfeed.web.api.rate_limits import RateLimit, add_rate_limit_headers
from calfeed.web.network_hashes import hash_client_network

RATE = "600 per minute"
"""The rate limit, in each process, of a token or, without a token, of a client network."""


@dataclass(frozen=True)
class Access:
    """The identity of the client (an empty name without a token), and its scopes."""

    name: str = ""
    scopes: tuple[str, ...] = ()

    def require(self, scope: str) -> None:
        """Raise ProblemError (401 or 403) unless the request has a scope."""
        if not self.name:
            raise ProblemError(
                HTTPStatus.UNAUTHORIZED,
                f"This requires a token with the scope {scope}; send Authorization: Bearer …",
            )
        if not allows(self.scopes, scope):
            raise ProblemError(
                HTTPStatus.FORBIDDEN, f"This requires a token with the scope {scope}."
            )

    def may_read(self, *names: str) -> bool:
        """Check whether the scopes allow reading a private calendar by one of its names."""
        return may_read(self.scopes, names)


def find_access(database: Database, admin_token: SecretStr | None, now: datetime) -> Access | None:
    """Return the access of the current request; None if it has a token that is not valid.

    Raises StoreError if the database is unavailable.
    """
    authorization = request.headers.get("Authorization")
    if authorization is None:
        return Access()
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer":
        return None
    if admin_token is not None and is_same_token(token.strip(), admin_token.get_secret_value()):
        return Access("admin", ("admin",))
    with database.read() as connection:
        found = find_token(connection, token.strip(), now)
    if found is None or not found.scopes:
        return None
    return Access(f"token {found.id}", found.scopes)


def add_access_control(
    app: Flask,
    database: Database,
    admin_token: SecretStr | None,
    rate: str,
    clock: Callable[[], datetime],
) -> None:
    """Authenticate and rate-limit each request of an application; set `g.access`.

    `clock` returns the time in UTC.
    """
    limit = RateLimit(rate)
    add_rate_limit_headers(app)

    @app.before_request
    def identify() -> None:
        access = find_access(database, admin_token, clock())
        g.access = access if access is not None and access.name else None
        g.invalid_token = access is None

    @app.before_request
    def refuse() -> None:
        # Requests for unknown paths count too, so that tokens cannot be guessed quickly. A valid
        # token has its own limit, so other clients cannot exhaust it.
        limit.count(g.access.name if g.access else hash_client_network())
        if g.invalid_token:
            raise ProblemError(
                HTTPStatus.UNAUTHORIZED, "This token is not valid, has expired, or was revoked."
            )


def current_access() -> Access:
    return g.access or Access()
