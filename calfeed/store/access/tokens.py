"""Tokens: access for a reader to the feed of a private calendar, or for a program to the API.

Only their hashes are kept.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, func, select, update

from calfeed.errors import InvalidInputError, NotFoundError
from calfeed.model.durations import parse_duration
from calfeed.store.tables import tokens

SCOPES = {
    "read": "read every calendar, private ones too",
    "endpoints": "list, add, change and remove endpoints",
    "deliveries": "see messages and deliveries, and send again what failed",
    "rehearse": "send reminders to an endpoint as a rehearsal",
    "tokens": "make tokens that may no more than this one, list them, revoke them",
    "admin": "everything",
}
"""What a token can be for, besides `read:CALENDAR`, which is for one private calendar."""

_READ_ONE = "read:"
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_DAYS = re.compile(r"^(\d{1,5})d$")
_SCOPE = re.compile(rf"{'|'.join(SCOPES)}|{_READ_ONE}[a-z0-9][a-z0-9-]{{0,63}}")


@dataclass(frozen=True)
class Token:
    """A token as kept: what it is for, for whom, and since when it is revoked, if it is.

    It is valid until `expires` (UTC), or until it is revoked where that is None.

    One for a feed has a `calendar`, one for the API `scopes`.
    """

    id: int
    digest: str
    calendar: str | None
    scopes: tuple[str, ...]
    description: str
    created: datetime
    revoked: datetime | None
    expires: datetime | None = None

    def is_expired(self, now: datetime) -> bool:
        """Whether its time is over."""
        return self.expires is not None and self.expires <= now

    @property
    def calendars(self) -> list[str]:
        """The private calendars that it names."""
        named = [scope.removeprefix(_READ_ONE) for scope in self.scopes if _READ_ONE in scope]
        return named if self.calendar is None else [self.calendar]


def digest_token(token: str) -> str:
    """The hash that is kept of a token. A token is random, so the hash needs no salt."""
    return hashlib.sha256(token.encode()).hexdigest()


def is_same_token(given: str, expected: str) -> bool:
    """Whether two tokens are the same, compared in constant time."""
    return hmac.compare_digest(digest_token(given), digest_token(expected))


def check_scopes(scopes: Collection[str]) -> tuple[str, ...]:
    """Return scopes in one order, each once. Raises InvalidInputError for one that there is not."""
    for scope in scopes:
        if not _SCOPE.fullmatch(scope):
            raise InvalidInputError(
                f'"{scope}" is no scope; there are {", ".join(SCOPES)}, and read:CALENDAR'
            )
    return tuple(sorted(set(scopes)))


def read_expiry(text: str, now: datetime) -> datetime:
    """When a token expires, from a span ("90 days", "90d") or a day, with whose beginning it does.

    Days are those of UTC. Raises InvalidInputError for what is neither, or past.
    """
    try:
        if _DAY.fullmatch(text):
            expires = datetime.fromisoformat(text).replace(tzinfo=UTC)
        else:
            expires = parse_duration(_DAYS.sub(r"\1 days", text)).after(now)
    except ValueError:
        raise InvalidInputError(
            f'"{text}" is not when a token can expire; write a span such as "90 days", or a date '
            f"such as {now.year + 1}-06-30"
        ) from None
    if expires <= now:
        raise InvalidInputError(f"{text} is past, so the token would be of no use")
    return expires


def allows(scopes: Collection[str], wanted: str) -> bool:
    """Whether scopes include another: `admin` all, `read` that of each calendar."""
    if "admin" in scopes or wanted in scopes:
        return True
    return wanted.startswith(_READ_ONE) and "read" in scopes


def may_read(scopes: Collection[str], names: Collection[str]) -> bool:
    """Whether scopes allow reading a private calendar with one of these current or former names."""
    return any(allows(scopes, _READ_ONE + name) for name in names)


def add_token(
    connection: Connection,
    token: str,
    calendar: str | None,
    description: str,
    now: datetime,
    scopes: Sequence[str] = (),
    expires: datetime | None = None,
) -> int:
    """Keep a token, for the feed of a calendar or for the API, and return its number."""
    statement = tokens.insert().values(
        digest=digest_token(token),
        calendar=calendar,
        scopes=json.dumps(list(scopes)),
        description=description,
        created=now,
        expires=expires,
    )
    key = connection.execute(statement).inserted_primary_key
    return int(key[0]) if key else 0


def load_tokens(connection: Connection) -> list[Token]:
    """Every token, revoked ones too, oldest first."""
    return [_to_token(row) for row in connection.execute(select(tokens).order_by(tokens.c.id))]


def load_token(connection: Connection, number: int) -> Token:
    """A token by its number, a revoked one too. Raises NotFoundError for no such one."""
    row = connection.execute(select(tokens).where(tokens.c.id == number)).one_or_none()
    if row is None:
        raise NotFoundError("token", number)
    return _to_token(row)


def find_token(connection: Connection, token: str, now: datetime) -> Token | None:
    """A token that is neither revoked nor expired; None where there is no such one.

    It is looked up by a hash, so the time of the look-up does not depend on the token.
    """
    query = select(tokens).where(tokens.c.digest == digest_token(token), tokens.c.revoked.is_(None))
    row = connection.execute(query).one_or_none()
    found = None if row is None else _to_token(row)
    return None if found is None or found.is_expired(now) else found


def revoke_token(connection: Connection, number: int, now: datetime) -> bool:
    """Revoke a token; False where it was revoked before. Raises NotFoundError for no such one."""
    load_token(connection, number)
    changed = connection.execute(
        update(tokens).where(tokens.c.id == number, tokens.c.revoked.is_(None)).values(revoked=now)
    )
    return changed.rowcount == 1


def tokens_version(connection: Connection) -> tuple[int, datetime | None]:
    """A value that changes whenever a token is made or revoked."""
    row = connection.execute(select(func.count(), func.max(tokens.c.revoked)).select_from(tokens))
    number, revoked = row.one()
    return int(number), revoked


def _to_token(row: Any) -> Token:
    return Token(
        id=row.id,
        digest=row.digest,
        calendar=row.calendar,
        scopes=tuple(json.loads(row.scopes)),
        description=row.description,
        created=row.created,
        revoked=row.revoked,
        expires=row.expires,
    )
