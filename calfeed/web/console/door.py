"""Who may come in: the admin token, the session, the limit on guesses, forms that are our own.

A session is a signed cookie. Its key comes from the admin token, so every process accepts it, and
another token ends every session.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime, timedelta

from flask import Flask, request, session
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from calfeed.settings import Settings
from calfeed.store.database import Database
from calfeed.store.sign_in_links import add_link, use_link

LASTING = timedelta(hours=12)
"""How long a session lasts from the last page that was asked for."""

LINK_LASTING = timedelta(minutes=15)
"""How long a link that signs in can be used."""

GUESSES = RateLimitItemPerMinute(5)
"""How many wrong tokens are taken from one address."""

_CONTEXT = b"calfeed console session"


class Door:
    """Lets in who has the admin token. Without one in the settings nobody is."""

    def __init__(self, settings: Settings) -> None:
        token = settings.admin_token
        self._token = b"" if token is None else token.get_secret_value().encode()
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        # Addresses are counted without being kept: under a key that ends with the process.
        self._pepper = secrets.token_bytes(16)

    @property
    def is_shut(self) -> bool:
        """Whether there is no token, so that nobody can sign in."""
        return not self._token

    def prepare(self, app: Flask, prefix: str, *, secure: bool) -> None:
        """Set up the sessions of an application at a prefix; `secure` ones need https."""
        key = self._token or secrets.token_bytes(32)
        app.secret_key = hmac.digest(key, _CONTEXT, "sha256")
        app.permanent_session_lifetime = LASTING
        app.config.update(
            SESSION_COOKIE_NAME="calfeed_console",
            SESSION_COOKIE_PATH=prefix,
            SESSION_COOKIE_HTTPONLY=True,
            SESSION_COOKIE_SAMESITE="Strict",
            SESSION_COOKIE_SECURE=secure,
        )

    def may_guess(self) -> bool:
        """Whether the client's address has not guessed too often."""
        return self._limiter.test(GUESSES, self._guesser())

    def is_token(self, given: str) -> bool:
        """Whether this is the admin token; a wrong one is counted."""
        right = not self.is_shut and hmac.compare_digest(given.encode(), self._token)
        if not right:
            self._limiter.hit(GUESSES, self._guesser())
        return right

    def _guesser(self) -> str:
        address = (request.remote_addr or "").encode()
        return hmac.digest(self._pepper, address, "sha256").hex()


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


def sign_in() -> None:
    """Begin a session; nothing of the one before it is left."""
    session.clear()
    session.permanent = True
    session["signed_in"] = True


def is_signed_in() -> bool:
    """Whether this request has a session."""
    return bool(session.get("signed_in"))


def form_token() -> str:
    """What every form of this visitor carries, so that no other site can send one."""
    if "form" not in session:
        session["form"] = secrets.token_urlsafe(24)
    return str(session["form"])


def is_own_form() -> bool:
    """Whether a form that was sent is one of this visitor's own."""
    expected, given = str(session.get("form", "")), request.form.get("form_token", "")
    return bool(expected) and hmac.compare_digest(given.encode(), expected.encode())
