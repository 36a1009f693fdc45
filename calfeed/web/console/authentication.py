"""Signing in: the admin token, links that work once, sessions, and protection of forms.

A browser carries a random id in a cookie, and the database says whether that is of a session. So a
session can be ended, and a cookie does not help to guess the token.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from flask import Flask, Response, g, request
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from calfeed.errors import StoreError
from calfeed.settings import Settings
from calfeed.store.access import sessions
from calfeed.store.access.sessions import LONGEST, Session
from calfeed.store.access.sign_in_links import add_link, use_link
from calfeed.store.access.tokens import is_same_token
from calfeed.store.database import Connection, Database
from calfeed.web.networks import name_network

LINK_LASTING = timedelta(minutes=15)
"""How long a link that signs in can be used."""

GUESSES = RateLimitItemPerMinute(5)
"""How many wrong tokens from one address are answered as such."""

_REPORTS = RateLimitItemPerMinute(1)
"""How often the log says that there were more."""

_TOUCHED_EVERY = timedelta(minutes=1)
"""How exactly it is noted when a session was last used."""

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
        self._database = database
        self._clock = clock
        self._token = settings.admin_token
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def install(self, app: Flask, prefix: str, *, secure: bool) -> None:
        """Let an application at a prefix know who is signed in; `secure` cookies need https.

        Raises StoreError where the database cannot be read.
        """
        with self._database.read() as connection:
            app.secret_key = sessions.load_session_key(connection)  # it signs notices, no more
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
        secret, now = secrets.token_urlsafe(32), self._clock()
        former = current_visit()
        with self._database.write() as connection:
            if former is not None:
                sessions.end_session(connection, former.session.id)
            door = self._door(connection)
            number = sessions.begin_session(connection, secret, door, method, now)
        g.visit, g.cookie = Visit(secret, Session(number, method, now, now)), secret

    def sign_out(self) -> None:
        """End the session of this browser."""
        visit = current_visit()
        if visit is not None:
            with self._database.write() as connection:
                sessions.end_session(connection, visit.session.id)
        g.visit, g.cookie = None, ""

    def list_sessions(self) -> list[Session]:
        """Everybody who is signed in, the last used first."""
        with self._database.read() as connection:
            return sessions.list_sessions(connection, self._door(connection), self._clock())

    def _recognise(self) -> None:
        """Find the session of a request. Who has no cookie costs the database nothing."""
        g.visit, g.cookie = None, None
        secret = request.cookies.get(self._cookie)
        if not secret:
            return
        now = self._clock()
        with self._database.read() as connection:
            found = sessions.find_session(connection, secret, self._door(connection), now)
        if found is None:
            return
        g.visit = Visit(secret, found)
        if now - found.used >= _TOUCHED_EVERY:
            # A database that cannot be written to signs nobody out.
            with suppress(StoreError), self._database.write() as connection:
                sessions.touch_session(connection, found.id, now)

    def _give_cookie(self, response: Response) -> Response:
        """Send the cookie of a session that was begun, take back that of one that was ended."""
        value = g.get("cookie")
        if value is not None:
            response.set_cookie(
                self._cookie,
                value,
                max_age=LONGEST if value else 0,
                path=self._path,
                secure=self._secure,
                httponly=True,
                samesite="Strict",
            )
        return response

    def _door(self, connection: Connection) -> str:
        token = "" if self._token is None else self._token.get_secret_value()
        return _name_door(token, sessions.load_session_key(connection))


@lru_cache(maxsize=4)
def _name_door(token: str, key: bytes) -> str:
    """What stands for an admin token in the database. It is slow to compute, against guessing."""
    return hashlib.scrypt(token.encode(), salt=key, n=2**14, r=8, p=1, dklen=32).hex()


def make_link(database: Database, base_url: str, now: datetime) -> str:
    """Make a link that signs in whoever opens it first, within `LINK_LASTING`."""
    once = secrets.token_urlsafe(24)
    with database.write() as connection:
        add_link(connection, once, now + LINK_LASTING)
    return f"{base_url}/console/enter?once={once}"


def open_link(database: Database, once: str, now: datetime) -> bool:
    """Use a link up; False where it was used before, or is too old."""
    with database.write() as connection:
        return use_link(connection, once, now)


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
