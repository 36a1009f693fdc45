"""Links for a single sign-in to the console. Only the hashes of their secrets are stored."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete

from calfeed.store.access.tokens import digest_token
from calfeed.store.tables import sign_in_links


def add_link(connection: Connection, secret: str, expires: datetime) -> None:
    """Store the secret of a link until `expires` (UTC)."""
    connection.execute(sign_in_links.insert().values(digest=digest_token(secret), expires=expires))


def use_link(connection: Connection, secret: str, now: datetime) -> bool:
    """Invalidate a link by using it. Returns False if it does not exist or has expired."""
    connection.execute(delete(sign_in_links).where(sign_in_links.c.expires <= now))
    used = connection.execute(
        delete(sign_in_links).where(sign_in_links.c.digest == digest_token(secret))
    )
    return used.rowcount == 1
