"""Sign in to the console: sessions, and single-use links."""

from __future__ import annotations

import hashlib
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from pydantic import SecretStr

from calfeed.errors import StoreError
from calfeed.store.access import sessions
from calfeed.store.access.sessions import Session
from calfeed.store.access.sign_in_links import add_link, use_link
from calfeed.store.database import Connection, Database

LINK_LIFETIME = timedelta(minutes=15)
"""How long a sign-in link can be used."""

_TOUCH_INTERVAL = timedelta(minutes=1)
"""The minimum time between two records of a session's use."""


@dataclass(frozen=True)
class Sessions:
    """The sessions of an installation, each valid only while the admin token does not change."""

    database: Database
    token: SecretStr | None

    def begin(self, method: str, now: datetime, former: Session | None) -> tuple[str, Session]:
        """Begin a session, and end the former one; return the new secret id and session."""
        secret = secrets.token_urlsafe(32)
        with self.database.write() as connection:
            if former is not None:
                sessions.end_session(connection, former.id)
            token_hash = self._hash_token(connection)
            session_id = sessions.begin_session(connection, secret, token_hash, method, now)
        return secret, Session(session_id, method, now, now)

    def find(self, secret: str, now: datetime) -> Session | None:
        """Find a valid session by its secret id, and record its use."""
        with self.database.read() as connection:
            session = sessions.find_session(connection, secret, self._hash_token(connection), now)
        if session is not None and now - session.used >= _TOUCH_INTERVAL:
            # Sessions stay valid while the database is read-only.
            with suppress(StoreError), self.database.write() as connection:
                sessions.touch_session(connection, session.id, now)
        return session

    def list(self, now: datetime) -> list[Session]:
        """List the valid sessions, the last used first."""
        with self.database.read() as connection:
            return sessions.list_sessions(connection, self._hash_token(connection), now)

    def _hash_token(self, connection: Connection) -> str:
        token = "" if self.token is None else self.token.get_secret_value()
        return _hash_token(token, sessions.load_session_key(connection))


@lru_cache(maxsize=4)
def _hash_token(token: str, key: bytes) -> str:
    """Hash an admin token for the database, slowly to prevent guessing."""
    return hashlib.scrypt(token.encode(), salt=key, n=2**14, r=8, p=1, dklen=32).hex()


def end_session(database: Database, session_id: int) -> bool:
    """End a session; return False if it had ended before."""
    with database.write() as connection:
        return sessions.end_session(connection, session_id)


def end_other_sessions(database: Database, own: Session | None) -> int:
    """End all sessions except `own`; return how many."""
    with database.write() as connection:
        return sessions.end_sessions(connection, own.id if own else None)


def make_link(database: Database, base_url: str, now: datetime) -> str:
    """Make a single-use sign-in link that is valid for `LINK_LIFETIME`."""
    once = secrets.token_urlsafe(24)
    with database.write() as connection:
        add_link(connection, once, now + LINK_LIFETIME)
    return f"{base_url}/console/enter?once={once}"


def open_link(database: Database, once: str, now: datetime) -> bool:
    """Use a sign-in link; return False if it was used before or has expired."""
    with database.write() as connection:
        return use_link(connection, once, now)
