"""Make and revoke tokens for private feeds and the API."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from calfeed.errors import (
    Fault,
    ForbiddenError,
    InvalidFieldsError,
    InvalidInputError,
    NotFoundError,
)
from calfeed.model.events import Calendar, Visibility
from calfeed.reminders.endpoint_values import check_line
from calfeed.store.access import tokens
from calfeed.store.access.tokens import Token, allows, may_read
from calfeed.store.catalog.calendars import load_calendars
from calfeed.store.database import Connection, Transactions

EVERYTHING = ("admin",)
"""The scopes of the operator."""

MAX_SCOPES = 50
"""The maximum number of scopes of a token."""


class MadeToken(NamedTuple):
    """A new token as stored, and its secret, which is not stored."""

    stored: Token
    secret: str


def add_token(
    database: Transactions,
    *,
    scopes: Collection[str] = (),
    calendar: str | None = None,
    description: str = "",
    expires: datetime | None = None,
    now: datetime,
    granted: Collection[str] = EVERYTHING,
) -> MadeToken:
    """Make a token for the API, with scopes, or for the feed of a private calendar.

    `granted` are the caller's scopes. Raises InvalidFieldsError with every fault, ForbiddenError
    for scopes beyond those granted.
    """
    checked: tuple[str, ...] = ()
    faults: list[Fault] = []
    try:
        checked = tokens.normalize_scopes(scopes)
    except InvalidInputError as error:
        faults.append(Fault("scopes", str(error)))
    if len(scopes) > MAX_SCOPES:
        faults.append(Fault("scopes", f"a token has at most {MAX_SCOPES} scopes"))
    try:
        check_line(description)
    except InvalidInputError as error:
        faults.append(Fault("description", str(error)))
    if expires is not None and expires <= now:
        faults.append(Fault("expires", "this time is past; choose a later one"))
    if beyond := [scope for scope in checked if not allows(granted, scope)]:
        raise ForbiddenError(f"Your token lacks the scopes of the new one: {', '.join(beyond)}.")
    secret = secrets.token_urlsafe(32)
    with database.write() as connection:
        if calendar is not None and (reason := _refuse_calendar(connection, calendar, granted)):
            faults.append(Fault("calendar", reason))
        if faults:
            raise InvalidFieldsError(faults)
        id_ = tokens.add_token(connection, secret, calendar, description, now, checked, expires)
        return MadeToken(tokens.load_token(connection, id_), secret)


def revoke_token(
    database: Transactions, token_id: int, now: datetime, granted: Collection[str] = EVERYTHING
) -> bool:
    """Revoke a token permanently; return False if it was revoked before.

    Raises NotFoundError for a token that the caller may not see, ForbiddenError for one with
    scopes beyond the caller's.
    """
    with database.write() as connection:
        token = tokens.load_token(connection, token_id)
        if not may_see(granted, token):
            raise NotFoundError("token", token_id)
        if any(not allows(granted, scope) for scope in token.scopes):
            raise ForbiddenError("This token has more rights than yours.")
        return tokens.revoke_token(connection, token_id, now)


def may_see(granted: Collection[str], token: Token) -> bool:
    """Whether these scopes allow reading all private calendars that a token names."""
    return all(may_read(granted, [name]) for name in token.calendars)


def _refuse_calendar(connection: Connection, slug: str, granted: Collection[str]) -> str | None:
    """Return why a calendar's feed cannot have a token; None if it can.

    The text names no private calendar that the caller may not read.
    """
    calendars = {
        name: Calendar.model_validate_json(row.content)
        for name, row in load_calendars(connection).items()
        if not row.withdrawn
    }
    private = {
        name
        for name, calendar in calendars.items()
        if calendar.visibility is Visibility.PRIVATE
        and may_read(granted, [name, *calendar.formerly])
    }
    if slug in private:
        return None
    if slug in calendars and calendars[slug].visibility is Visibility.PUBLIC:
        return (
            f'the calendar "{slug}" is public, so its feed needs no token; '
            "write `visibility: private` in its definition to change that"
        )
    known = ", ".join(sorted(private)) or "none"
    return f"there is no private calendar of this name; the private calendars are: {known}"
