"""Tokens: for programs, and for the feeds of private calendars."""

from __future__ import annotations

import secrets
from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from pydantic import Field, model_validator

from calfeed.errors import NotFoundError
from calfeed.store.access import tokens
from calfeed.store.access.tokens import SCOPES, allows
from calfeed.store.database import Connection
from calfeed.web.api.fields import Line, Moment, Number, Slug
from calfeed.web.api.models import View
from calfeed.web.api.operations import Call, Given, Once, Operations, Path, as_example
from calfeed.web.api.paging import Page, PageQuery, paginate
from calfeed.web.api.problems import Mistake, RefusalError, refuse_input

operations = Operations()

_SCOPE = "tokens"

ScopeName = Annotated[str, Field(pattern=f"^({'|'.join(SCOPES)}|read:[a-z0-9][a-z0-9-]{{0,63}})$")]


class TokenGiven(Given):
    """A new token: either with scopes, for the API, or for the feed of a private calendar."""

    model_config = as_example(scopes=["read"], description="The website")

    scopes: list[ScopeName] = Field(
        default_factory=list,
        max_length=50,
        description=f"{', '.join(SCOPES)}, or read:CALENDAR for one private calendar.",
    )
    calendar: Slug | None = None
    description: Line = ""
    expires: Moment | None = Field(
        default=None,
        description="From when on it is not valid: a date (its beginning, UTC), or a time with "
        "offset. Without it, it stays until it is revoked.",
    )

    @model_validator(mode="after")
    def _check(self) -> TokenGiven:
        if bool(self.scopes) == (self.calendar is not None):
            raise ValueError("give either `scopes` or `calendar`")
        return self


class Token(View):
    """A token, but for what it is, which is not kept."""

    id: int
    scopes: list[str] = Field(description="What it may do in the API.")
    calendar: str | None = Field(description="The calendar whose feed it is for.")
    description: str
    created: datetime
    revoked: datetime | None
    expires: datetime | None = Field(description="From when on it is not valid.")


class TokenOnce(Token, Once):
    """A new token; `secret` is the token itself."""

    address: str | None = Field(
        description="The address of the private feed, with {secret} where the token belongs."
    )


class TokenPath(Path):
    """The number of a token."""

    token: Number


@operations.add("GET", "/tokens", scope=_SCOPE)
def list_tokens(call: Call, query: PageQuery, connection: Connection) -> Page[Token]:
    """List the tokens, oldest first, revoked ones too.

    Those that are for a private calendar which the asking token may not read are left out.
    """
    found = [one for one in tokens.load_tokens(connection) if _may_see(call, one)]
    page, cursor = paginate(found, lambda one: (one.id,), query, (int,))
    return Page[Token](items=[_show(one) for one in page], next=cursor)


@operations.add("POST", "/tokens", scope=_SCOPE, status=HTTPStatus.CREATED, once=True)
def make_token(call: Call, body: TokenGiven, connection: Connection) -> TokenOnce:
    """Make a token, which may do no more than the one that asks for it.

    It is in the answer as `secret`, and is not shown again.
    """
    scopes = tokens.check_scopes(body.scopes)
    beyond = [scope for scope in scopes if not allows(call.access.scopes, scope)]
    if beyond:
        raise RefusalError(
            HTTPStatus.FORBIDDEN, f"Your token has not what this one would: {', '.join(beyond)}."
        )
    if body.calendar is not None:
        found = call.calendars().get(body.calendar)
        if found is None or found.public:
            detail = "there is no private calendar of this name that your token may read"
            raise refuse_input([Mistake(pointer="#/calendar", detail=detail)])
    if body.expires is not None and body.expires <= call.now:
        detail = "this is past, so the token would be of no use"
        raise refuse_input([Mistake(pointer="#/expires", detail=detail)])
    made = secrets.token_urlsafe(32)
    number = tokens.add_token(
        connection, made, body.calendar, body.description, call.now, scopes, body.expires
    )
    base = call.backend.base_url
    return TokenOnce(
        id=number,
        scopes=list(scopes),
        calendar=body.calendar,
        description=body.description,
        created=call.now,
        revoked=None,
        expires=body.expires,
        secret=made,
        address=f"{base}/private/{{secret}}/{body.calendar}.ics" if body.calendar else None,
    )


@operations.add("DELETE", "/tokens/{token}", scope=_SCOPE, status=HTTPStatus.NO_CONTENT)
def revoke_token(call: Call, path: TokenPath, connection: Connection) -> None:
    """Revoke a token, for good; its record stays."""
    kept = {one.id: one for one in tokens.load_tokens(connection)}.get(path.token)
    if kept is None or not _may_see(call, kept):
        raise NotFoundError(f"there is no token {path.token}")
    if any(not allows(call.access.scopes, scope) for scope in kept.scopes):
        raise RefusalError(HTTPStatus.FORBIDDEN, "This token may do more than yours.")
    tokens.revoke_token(connection, path.token, call.now)


def _may_see(call: Call, one: tokens.Token) -> bool:
    return all(call.access.may_read(name) for name in one.calendars)


def _show(one: tokens.Token) -> Token:
    return Token(
        id=one.id,
        scopes=list(one.scopes),
        calendar=one.calendar,
        description=one.description,
        created=one.created,
        revoked=one.revoked,
        expires=one.expires,
    )
