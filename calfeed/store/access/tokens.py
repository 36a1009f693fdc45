"""Tokens for the feed of a private calendar or for the API. Only their hashes are stored."""

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
from calfeed.model.dates.durations import parse_duration
from calfeed.store.tables import tokens
from calfeed.store.upsert import insert_row

SCOPES = {
    "read": "read every calendar, private ones too",
    "endpoints": "list, add, change and remove endpoints",
    "deliveries": "see messages and deliveries, and send failed ones again",
    "rehearse": "send reminders to an endpoint as a rehearsal",
    "tokens": "make tokens with no more rights than this one, list them, revoke them",
    "admin": "everything",
}
"""The scopes of tokens. There are also `read:CALENDAR`, which is for one private calendar, and
`poll:ENDPOINT`, with which the receiver of a polled endpoint fetches its messages."""

_READ_PREFIX = "read:"
POLL_PREFIX = "poll:"
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_DAYS = re.compile(r"^(\d{1,5})d$")
SCOPE_PATTERN = (
    rf"{'|'.join(SCOPES)}|{_READ_PREFIX}[a-z0-9][a-z0-9-]{{0,63}}|{POLL_PREFIX}ep_[0-9a-f]{{16}}"
)
"""A regular expression of the scopes that people can give to a token."""


@dataclass(frozen=True)
class Token:
    """A stored token: one for a feed has a `calendar`, one for the API has `scopes`.

    It is valid until it is `revoked`, or until `expires` (UTC) if that is not None.
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
        """Whether it has expired."""
        return self.expires is not None and self.expires <= now

    @property
    def calendars(self) -> list[str]:
        """The private calendars that its scopes name."""
        named = [scope.removeprefix(_READ_PREFIX) for scope in self.scopes if _READ_PREFIX in scope]
        return named if self.calendar is None else [self.calendar]


def digest_token(token: str) -> str:
    """Return the hash of a token to store. Tokens are random, so the hash needs no salt."""
    return hashlib.sha256(token.encode()).hexdigest()


def is_same_token(given: str, expected: str) -> bool:
    """Compare two tokens in constant time."""
    return hmac.compare_digest(digest_token(given), digest_token(expected))


def normalize_scopes(scopes: Collection[str]) -> tuple[str, ...]:
    """Return scopes sorted and without duplicates. Raises InvalidInputError for unknown ones."""
    for scope in scopes:
        if not re.fullmatch(SCOPE_PATTERN, scope):
            raise InvalidInputError(
                f'"{scope}" is not a scope; use {", ".join(SCOPES)}, read:CALENDAR or poll:ENDPOINT'
            )
    return tuple(sorted(set(scopes)))


def parse_expiry(text: str, now: datetime) -> datetime:
    """Parse when a token expires: after a duration ("90 days", "90d"), or when a date begins (UTC).

    Raises InvalidInputError if it is neither, or in the past.
    """
    try:
        if _DAY.fullmatch(text):
            expires = datetime.fromisoformat(text).replace(tzinfo=UTC)
        else:
            expires = parse_duration(_DAYS.sub(r"\1 days", text)).after(now)
    except ValueError:
        raise InvalidInputError(
            f'"{text}" is not a valid expiry; write a duration such as "90 days", or a date '
            f"such as {now.year + 1}-06-30"
        ) from None
    if expires <= now:
        raise InvalidInputError(f"{text} is in the past, so the token would never be valid")
    return expires


def allows(scopes: Collection[str], wanted: str) -> bool:
    """Whether scopes include the scope `wanted`.

    `admin` includes every scope, `read` every `read:CALENDAR`, `endpoints` every `poll:ENDPOINT`.
    """
    if "admin" in scopes or wanted in scopes:
        return True
    if wanted.startswith(POLL_PREFIX):
        return "endpoints" in scopes
    return wanted.startswith(_READ_PREFIX) and "read" in scopes


def may_read(scopes: Collection[str], names: Collection[str]) -> bool:
    """Whether scopes allow reading a private calendar that has or had one of these names."""
    return any(allows(scopes, _READ_PREFIX + name) for name in names)


def add_token(
    connection: Connection,
    token: str,
    calendar: str | None,
    description: str,
    now: datetime,
    scopes: Sequence[str] = (),
    expires: datetime | None = None,
) -> int:
    """Store a token for the feed of a calendar or for the API, and return its number."""
    values = {
        "digest": digest_token(token),
        "calendar": calendar,
        "scopes": json.dumps(list(scopes)),
        "description": description,
        "created": now,
        "expires": expires,
    }
    return insert_row(connection, tokens, values)


def load_tokens(connection: Connection) -> list[Token]:
    """Load all tokens, including revoked ones, oldest first."""
    return [_to_token(row) for row in connection.execute(select(tokens).order_by(tokens.c.id))]


def load_token(connection: Connection, number: int) -> Token:
    """Load a token by its number. Raises NotFoundError if it does not exist."""
    row = connection.execute(select(tokens).where(tokens.c.id == number)).one_or_none()
    if row is None:
        raise NotFoundError("token", number)
    return _to_token(row)


def find_token(connection: Connection, token: str, now: datetime) -> Token | None:
    """Find a token that is neither revoked nor expired.

    The lookup is by hash, so its duration does not depend on the token.
    """
    query = select(tokens).where(tokens.c.digest == digest_token(token), tokens.c.revoked.is_(None))
    row = connection.execute(query).one_or_none()
    stored = None if row is None else _to_token(row)
    return None if stored is None or stored.is_expired(now) else stored


def revoke_token(connection: Connection, number: int, now: datetime) -> bool:
    """Revoke a token. Returns False if it was revoked before; raises NotFoundError if unknown."""
    load_token(connection, number)
    revoked = connection.execute(
        update(tokens).where(tokens.c.id == number, tokens.c.revoked.is_(None)).values(revoked=now)
    )
    return revoked.rowcount == 1


def tokens_version(connection: Connection) -> tuple[int, datetime | None]:
    """Return a value that changes whenever a token is created or revoked."""
    row = connection.execute(select(func.count(), func.max(tokens.c.revoked)).select_from(tokens))
    number, revoked = row.one()
    return int(number), revoked


def _to_token(row: Any) -> Token:
    return Token(**row._asdict() | {"scopes": tuple(json.loads(row.scopes))})
