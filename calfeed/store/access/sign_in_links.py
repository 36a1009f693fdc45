"""Links that sign one person in to the console, once. Only their hashes are kept."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete

from calfeed.store.access.tokens import digest_token
from calfeed.store.tables import sign_in_links


def add_link(connection: Connection, once: str, expires: datetime) -> None:
    """Keep what a link carries, until `expires` (UTC)."""
    connection.execute(sign_in_links.insert().values(digest=digest_token(once), expires=expires))


def use_link(connection: Connection, once: str, now: datetime) -> bool:
    """Use a link up; False where there is none, or no longer."""
    connection.execute(delete(sign_in_links).where(sign_in_links.c.expires <= now))
    used = connection.execute(
        delete(sign_in_links).where(sign_in_links.c.digest == digest_token(once))
    )
    return used.rowcount == 1
