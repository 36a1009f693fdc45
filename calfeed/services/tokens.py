"""Tokens: make and revoke what lets at private feeds, and at the API."""

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
"""How many scopes a token has at most."""


class MadeToken(NamedTuple):
    """A new token as it is kept, and the token itself, which is not."""

    kept: Token
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

    Raises InvalidFieldsError for what is wrong, ForbiddenError where it would be allowed more than
    who asks, whose scopes are `granted`.
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
        faults.append(Fault("expires", "this is past, so the token would be of no use"))
    if beyond := [scope for scope in checked if not allows(granted, scope)]:
        raise ForbiddenError(f"Your token has not what this one would: {', '.join(beyond)}.")
    secret = secrets.token_urlsafe(32)
    with database.write() as connection:
        if calendar is not None and (words := _refuse_calendar(connection, calendar, granted)):
            faults.append(Fault("calendar", words))
        if faults:
            raise InvalidFieldsError(faults)
        number = tokens.add_token(connection, secret, calendar, description, now, checked, expires)
        found = tokens.load_token(connection, number)
    return MadeToken(found, secret)


def revoke_token(
    database: Transactions, number: int, now: datetime, granted: Collection[str] = EVERYTHING
) -> bool:
    """Revoke a token, for good; return False where it was revoked before.

    Raises NotFoundError for none that who asks may see, ForbiddenError for one that is allowed
    more than they are.
    """
    with database.write() as connection:
        found = tokens.load_token(connection, number)
        if not may_see(granted, found):
            raise NotFoundError("token", number)
        if any(not allows(granted, scope) for scope in found.scopes):
            raise ForbiddenError("This token may do more than yours.")
        return tokens.revoke_token(connection, number, now)


def may_see(granted: Collection[str], one: Token) -> bool:
    """Whether who has these scopes may know of a token: of the private calendars it names."""
    return all(may_read(granted, [name]) for name in one.calendars)


def _refuse_calendar(connection: Connection, slug: str, granted: Collection[str]) -> str | None:
    """Say why a calendar's feed can get no token; nothing is said of what may not be read."""
    calendars = {
        key: Calendar.model_validate_json(row.content)
        for key, row in load_calendars(connection).items()
        if not row.withdrawn
    }
    private = {
        key
        for key, one in calendars.items()
        if one.visibility is Visibility.PRIVATE and may_read(granted, [key, *one.formerly])
    }
    if slug in private:
        return None
    if slug in calendars and calendars[slug].visibility is Visibility.PUBLIC:
        return (
            f'the calendar "{slug}" is public, so its feed needs no token; '
            "write `visibility: private` in its definition to change that"
        )
    known = ", ".join(sorted(private)) or "none"
    return f"there is no private calendar of this name that may be read; there are: {known}"
