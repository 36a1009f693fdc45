"""Signing in: the admin token, links that work once, sessions, and protection of forms.

A browser carries a random id in a cookie, and the database says whether that is of a session. So a
session can be ended, and a cookie does not help to guess the token.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask import Flask, Response, g, request
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from calfeed.services.sessions import Sessions, end_session
from calfeed.settings import Settings
from calfeed.store.access.sessions import MAX_AGE, Session, load_session_key
from calfeed.store.access.tokens import is_same_token
from calfeed.store.database import Database
from calfeed.web.networks import name_network

GUESSES = RateLimitItemPerMinute(5)
"""How many wrong tokens from one address are answered as such."""

_REPORTS = RateLimitItemPerMinute(1)
"""How often the log says that there were more."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Visit:
    """A browser that is signed in: the secret id that it carries, and its session."""

    secret: str
    session: Session

    @property
    def form_token(self) -> str:
        """What every form of this session carries, so that no other site can send one."""
        return hmac.digest(self.secret.encode(), b"form", "sha256").hex()


class Door:
    """Signs in whoever has the admin token or a link, and finds their session afterwards.

    Without a token in the settings nobody can sign in by one.
    """

    def __init__(
        self, database: Database, settings: Settings, clock: Callable[[], datetime]
    ) -> None:
        self._sessions = Sessions(database, settings.admin_token)
        self._clock = clock
        self._token = settings.admin_token
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def install(self, app: Flask, prefix: str, *, secure: bool) -> None:
        """Let an application at a prefix know who is signed in; `secure` cookies need https.

        Raises StoreError where the database cannot be read.
        """
        with self._sessions.database.read() as connection:
            app.secret_key = load_session_key(connection)  # it signs notices, no more
        # A browser takes a name with this prefix from this very host, over https, and nobody else.
        host = "__Host-" if secure else ""
        self._cookie, self._path = f"{host}calfeed_console", "/" if secure else prefix
        self._secure = secure
        app.config.update(
            SESSION_COOKIE_NAME=f"{host}calfeed_notices",
            SESSION_COOKIE_PATH=self._path,
            SESSION_COOKIE_HTTPONLY=True,
            SESSION_COOKIE_SAMESITE="Strict",
            SESSION_COOKIE_SECURE=secure,
        )
        app.before_request(self._recognise)
        app.after_request(self._give_cookie)

    @property
    def is_shut(self) -> bool:
        """Whether there is no token, so that nobody can sign in by one."""
        return self._token is None

    def is_token(self, given: str) -> bool:
        """Whether this is the admin token, compared in constant time."""
        return self._token is not None and is_same_token(given, self._token.get_secret_value())

    def count_wrong_token(self) -> bool:
        """Count a wrong token, and return whether there were too many from this address.

        The right token is never counted and never refused. The log says it once a minute, so that
        nobody can fill it.
        """
        if self._limiter.hit(GUESSES, name_network()):
            return False
        if self._limiter.hit(_REPORTS):
            _log.warning(
                "more than %d wrong admin tokens within a minute from one address", GUESSES.amount
            )
        return True

    def sign_in(self, method: str) -> None:
        """Begin a session; the one that this browser had is over."""
        former = current_visit()
        secret, session = self._sessions.begin(
            method, self._clock(), former.session if former else None
        )
        g.visit, g.cookie = Visit(secret, session), secret

    def sign_out(self) -> None:
        """End the session of this browser."""
        visit = current_visit()
        if visit is not None:
            end_session(self._sessions.database, visit.session.id)
        g.visit, g.cookie = None, ""

    def list_sessions(self) -> list[Session]:
        """Everybody who is signed in, the last used first."""
        return self._sessions.list(self._clock())

    def _recognise(self) -> None:
        """Find the session of a request. Who has no cookie costs the database nothing."""
        g.visit, g.cookie = None, None
        secret = request.cookies.get(self._cookie)
        if not secret:
            return
        found = self._sessions.find(secret, self._clock())
        g.visit = None if found is None else Visit(secret, found)

    def _give_cookie(self, response: Response) -> Response:
        """Send the cookie of a session that was begun, take back that of one that was ended."""
        value = g.get("cookie")
        if value is not None:
            response.set_cookie(
                self._cookie,
                value,
                max_age=MAX_AGE if value else 0,
                path=self._path,
                secure=self._secure,
                httponly=True,
                samesite="Strict",
            )
        return response


def current_visit() -> Visit | None:
    """The session of the current request; None where nobody is signed in."""
    visit: Visit | None = g.get("visit")
    return visit


def form_token() -> str:
    """The token in the forms of the current page; empty where nobody is signed in."""
    visit = current_visit()
    return visit.form_token if visit else ""


def is_own_form() -> bool:
    """Whether a form that was sent is one of this session's own.

    A stranger has no session that another site could use, so there it is enough that the browser
    does not say that the form is another site's. Whoever sends one has to know the token or link.
    """
    visit = current_visit()
    if visit is None:
        return request.headers.get("Sec-Fetch-Site", "none") in ("same-origin", "none")
    given = request.form.get("form_token", "")
    return hmac.compare_digest(given.encode(), visit.form_token.encode())
