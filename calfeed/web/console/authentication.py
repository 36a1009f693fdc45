"""Authentication: the admin token, one-time links, sessions, and CSRF protection.

The cookie contains the random id of a session in the database. So sessions can be ended, and a
cookie does not reveal the token.
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
from calfeed.web.network_hashes import hash_client_network
from calfeed.web.prefix import prefix_of

WRONG_TOKEN_LIMIT = RateLimitItemPerMinute(5)
"""The limit of wrong tokens from one client network."""

_LOG_LIMIT = RateLimitItemPerMinute(1)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class BrowserSession:
    """A signed-in browser: the secret id in its cookie, and its session."""

    secret: str
    session: Session

    @property
    def form_token(self) -> str:
        """The CSRF token of this session's forms."""
        return hmac.digest(self.secret.encode(), b"form", "sha256").hex()


class Authenticator:
    """Signs users in by the admin token or a link, and loads their sessions.

    If the settings have no admin token, only links work.
    """

    def __init__(
        self, database: Database, settings: Settings, clock: Callable[[], datetime]
    ) -> None:
        self._sessions = Sessions(database, settings.admin_token)
        self._clock = clock
        self._token = settings.admin_token
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def install(self, app: Flask, mount: str, base_url: str) -> None:
        """Load the session before each request of an application that is mounted in a site.

        If the site has https, its cookies are sent only over https. Raises StoreError if the
        database cannot be read.
        """
        with self._sessions.database.read() as connection:
            app.secret_key = load_session_key(connection)  # it signs flash messages only
        prefix, secure = prefix_of(base_url), base_url.startswith("https:")
        # Browsers accept a cookie with such a name only over https. With __Host-, it must be for
        # this host alone and for all its paths. If the site has a prefix, the other paths of the
        # host belong to others, who must not get the cookie, so its name begins with __Secure-.
        guard = ("__Secure-" if prefix else "__Host-") if secure else ""
        self._cookie = f"{guard}calfeed_console"
        self._path = "/" if guard == "__Host-" else prefix + mount
        self._secure = secure
        app.config.update(
            SESSION_COOKIE_NAME=f"{guard}calfeed_notices",
            SESSION_COOKIE_PATH=self._path,
            SESSION_COOKIE_HTTPONLY=True,
            SESSION_COOKIE_SAMESITE="Strict",
            SESSION_COOKIE_SECURE=secure,
        )
        app.before_request(self._load_session)
        app.after_request(self._set_cookie)

    @property
    def has_no_token(self) -> bool:
        return self._token is None

    def is_admin_token(self, given: str) -> bool:
        """Check the admin token in constant time."""
        return self._token is not None and is_same_token(given, self._token.get_secret_value())

    def count_wrong_token(self) -> bool:
        """Count a wrong token; return whether this client network sent too many.

        A correct token is never counted and never refused. The log has at most one entry a minute.
        """
        if self._limiter.hit(WRONG_TOKEN_LIMIT, hash_client_network()):
            return False
        if self._limiter.hit(_LOG_LIMIT):
            _log.warning(
                "more than %d wrong admin tokens within a minute from one address",
                WRONG_TOKEN_LIMIT.amount,
            )
        return True

    def sign_in(self, method: str) -> None:
        """Begin a session, and end the browser's former one."""
        former = current_session()
        secret, session = self._sessions.begin(
            method, self._clock(), former.session if former else None
        )
        g.current_session, g.cookie = BrowserSession(secret, session), secret

    def sign_out(self) -> None:
        current = current_session()
        if current is not None:
            end_session(self._sessions.database, current.session.id)
        g.current_session, g.cookie = None, ""

    def list_sessions(self) -> list[Session]:
        """List all sessions, the last used first."""
        return self._sessions.list(self._clock())

    def _load_session(self) -> None:
        """Load the session of a request; without a cookie, do not query the database."""
        g.current_session, g.cookie = None, None
        secret = request.cookies.get(self._cookie)
        if not secret:
            return
        found = self._sessions.find(secret, self._clock())
        g.current_session = None if found is None else BrowserSession(secret, found)

    def _set_cookie(self, response: Response) -> Response:
        """Set the cookie of a new session, or delete the cookie of an ended one."""
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


def current_session() -> BrowserSession | None:
    """Return the session of the current request; None if nobody is signed in."""
    current: BrowserSession | None = g.get("current_session")
    return current


def form_token() -> str:
    current = current_session()
    return current.form_token if current else ""


def has_valid_form_token() -> bool:
    """Check that a submitted form is from this session (CSRF).

    Without a session there is nothing to forge, except that another site could sign the browser
    in; so `Sec-Fetch-Site` is checked.
    """
    current = current_session()
    if current is None:
        return request.headers.get("Sec-Fetch-Site", "none") in ("same-origin", "none")
    given = request.form.get("form_token", "")
    return hmac.compare_digest(given.encode(), current.form_token.encode())
