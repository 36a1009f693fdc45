"""Tokens: what lets a reader at the feed of a private calendar. Only their hashes are kept."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select, update

from calfeed.errors import NotFoundError
from calfeed.store.tables import tokens


@dataclass(frozen=True)
class Token:
    """A token as kept: for which calendar, for whom, and since when it is revoked, if it is."""

    id: int
    digest: str
    calendar: str
    description: str
    created: datetime
    revoked: datetime | None


def digest_token(token: str) -> str:
    """What is kept of a token. It is random, so a plain hash of it tells nothing."""
    return hashlib.sha256(token.encode()).hexdigest()


def add_token(
    connection: Connection, token: str, calendar: str, description: str, now: datetime
) -> int:
    """Keep a token, and return its number."""
    statement = tokens.insert().values(
        digest=digest_token(token), calendar=calendar, description=description, created=now
    )
    key = connection.execute(statement).inserted_primary_key
    return int(key[0]) if key else 0


def load_tokens(connection: Connection) -> list[Token]:
    """Every token, revoked ones too, oldest first."""
    return [Token(*row) for row in connection.execute(select(tokens).order_by(tokens.c.id))]


def revoke_token(connection: Connection, number: int, now: datetime) -> bool:
    """Revoke a token; False where it was revoked before. Raises NotFoundError for no such one."""
    if connection.scalar(select(tokens.c.id).where(tokens.c.id == number)) is None:
        raise NotFoundError(
            f"there is no token {number}; `calfeed token list` shows those there are"
        )
    changed = connection.execute(
        update(tokens).where(tokens.c.id == number, tokens.c.revoked.is_(None)).values(revoked=now)
    )
    return changed.rowcount == 1


def tokens_version(connection: Connection) -> tuple[int, datetime | None]:
    """A value that changes whenever a token is made or revoked."""
    row = connection.execute(select(func.count(), func.max(tokens.c.revoked)).select_from(tokens))
    number, revoked = row.one()
    return int(number), revoked
