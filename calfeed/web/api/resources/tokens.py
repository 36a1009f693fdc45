"""Tokens: for programs, and for the feeds of private calendars."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from pydantic import Field, model_validator

from calfeed.services import tokens as service
from calfeed.services.tokens import MAX_SCOPES
from calfeed.store.access import tokens
from calfeed.store.access.tokens import SCOPES
from calfeed.store.database import Connection, Transactions
from calfeed.web.api.fields import Line, Moment, Number, Slug
from calfeed.web.api.models import View
from calfeed.web.api.operations import Call, Given, Once, Operations, Path, as_example
from calfeed.web.api.paging import Page, PageQuery, paginate

operations = Operations()

_SCOPE = "tokens"

ScopeName = Annotated[str, Field(pattern=f"^({'|'.join(SCOPES)}|read:[a-z0-9][a-z0-9-]{{0,63}})$")]


class TokenGiven(Given):
    """A new token: either with scopes, for the API, or for the feed of a private calendar."""

    model_config = as_example(scopes=["read"], description="The website")

    scopes: list[ScopeName] = Field(
        default_factory=list,
        max_length=MAX_SCOPES,
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
    found = [
        one for one in tokens.load_tokens(connection) if service.may_see(call.access.scopes, one)
    ]
    page, cursor = paginate(found, lambda one: (one.id,), query, (int,))
    return Page[Token](items=[_show(one) for one in page], next=cursor)


@operations.add("POST", "/tokens", scope=_SCOPE, status=HTTPStatus.CREATED, once=True)
def make_token(call: Call, body: TokenGiven, database: Transactions) -> TokenOnce:
    """Make a token, which may do no more than the one that asks for it.

    It is in the answer as `secret`, and is not shown again.
    """
    made = service.add_token(
        database,
        scopes=body.scopes,
        calendar=body.calendar,
        description=body.description,
        expires=body.expires,
        now=call.now,
        granted=call.access.scopes,
    )
    base = call.backend.base_url
    address = f"{base}/private/{{secret}}/{body.calendar}.ics" if body.calendar else None
    shown = _show(made.kept).model_dump()
    return TokenOnce(**shown, secret=made.secret, address=address)


@operations.add("DELETE", "/tokens/{token}", scope=_SCOPE, status=HTTPStatus.NO_CONTENT)
def revoke_token(call: Call, path: TokenPath, database: Transactions) -> None:
    """Revoke a token, for good; its record stays."""
    service.revoke_token(database, path.token, call.now, call.access.scopes)


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
