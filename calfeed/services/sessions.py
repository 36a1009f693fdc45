"""Signing in to the console: sessions, and links that are good for once."""

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

LINK_LASTING = timedelta(minutes=15)
"""How long a link that signs in can be used."""

_TOUCHED_EVERY = timedelta(minutes=1)
"""How exactly it is noted when a session was last used."""


@dataclass(frozen=True)
class Sessions:
    """The sessions of an installation that are valid under an admin token."""

    database: Database
    token: SecretStr | None

    def begin(self, method: str, now: datetime, former: Session | None) -> tuple[str, Session]:
        """Begin a session, and end the former one; return its secret id, and the session."""
        secret = secrets.token_urlsafe(32)
        with self.database.write() as connection:
            if former is not None:
                sessions.end_session(connection, former.id)
            door = self._door(connection)
            number = sessions.begin_session(connection, secret, door, method, now)
        return secret, Session(number, method, now, now)

    def find(self, secret: str, now: datetime) -> Session | None:
        """The session of a secret id, whose use is noted; None where there is none, or no more."""
        with self.database.read() as connection:
            found = sessions.find_session(connection, secret, self._door(connection), now)
        if found is not None and now - found.used >= _TOUCHED_EVERY:
            # A database that cannot be written to signs nobody out.
            with suppress(StoreError), self.database.write() as connection:
                sessions.touch_session(connection, found.id, now)
        return found

    def list(self, now: datetime) -> list[Session]:
        """The sessions that are valid, the last used first."""
        with self.database.read() as connection:
            return sessions.list_sessions(connection, self._door(connection), now)

    def _door(self, connection: Connection) -> str:
        token = "" if self.token is None else self.token.get_secret_value()
        return _name_door(token, sessions.load_session_key(connection))


@lru_cache(maxsize=4)
def _name_door(token: str, key: bytes) -> str:
    """What stands for an admin token in the database; dear to make, so no token is found by it."""
    return hashlib.scrypt(token.encode(), salt=key, n=2**14, r=8, p=1, dklen=32).hex()


def end_session(database: Database, number: int) -> bool:
    """End a session; return False where it was over before."""
    with database.write() as connection:
        return sessions.end_session(connection, number)


def end_other_sessions(database: Database, own: Session | None) -> int:
    """End every session but one's own; return how many."""
    with database.write() as connection:
        return sessions.end_sessions(connection, own.id if own else None)


def make_link(database: Database, base_url: str, now: datetime) -> str:
    """Make a link that signs in whoever opens it first, within `LINK_LASTING`."""
    once = secrets.token_urlsafe(24)
    with database.write() as connection:
        add_link(connection, once, now + LINK_LASTING)
    return f"{base_url}/console/enter?once={once}"


def open_link(database: Database, once: str, now: datetime) -> bool:
    """Use a link up; return False where it was used before, or is too old."""
    with database.write() as connection:
        return use_link(connection, once, now)
