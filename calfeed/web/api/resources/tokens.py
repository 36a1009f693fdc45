"""Operations on tokens: for the API, and for feeds of private calendars."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from pydantic import Field, model_validator

from calfeed.services import tokens as service
from calfeed.services.tokens import MAX_SCOPES
from calfeed.store.access import tokens
from calfeed.store.access.tokens import SCOPE_PATTERN, SCOPES
from calfeed.store.database import Connection, Transactions
from calfeed.web.api.fields import Line, Moment, Number, Slug
from calfeed.web.api.models import View
from calfeed.web.api.operations import Call, Operations, Path, RequestBody, WithSecret, as_example
from calfeed.web.api.paging import Page, PageQuery, paginate

operations = Operations()

_SCOPE = "tokens"

ScopeName = Annotated[str, Field(pattern=f"^({SCOPE_PATTERN})$")]


class TokenGiven(RequestBody):
    """A new token: either with scopes, for the API, or for the feed of a private calendar."""

    model_config = as_example(scopes=["read"], description="The website")

    scopes: list[ScopeName] = Field(
        default_factory=list,
        max_length=MAX_SCOPES,
        description=f"{', '.join(SCOPES)}, read:CALENDAR for one private calendar, or "
        "poll:ENDPOINT to fetch the messages of one endpoint.",
    )
    calendar: Slug | None = None
    description: Line = ""
    expires: Moment | None = Field(
        default=None,
        description="When the token expires: a date (its start in UTC), or a time with an offset. "
        "Without it, the token is valid until it is revoked.",
    )

    @model_validator(mode="after")
    def _check(self) -> TokenGiven:
        if bool(self.scopes) == (self.calendar is not None):
            raise ValueError("give either `scopes` or `calendar`")
        return self


class Token(View):
    """A token, without the secret, which is not stored."""

    id: int
    scopes: list[str] = Field(description="The scopes of the token in the API.")
    calendar: str | None = Field(description="The private calendar whose feed the token opens.")
    description: str
    created: datetime
    revoked: datetime | None
    expires: datetime | None = Field(description="When it expires.")


class TokenOnce(Token, WithSecret):
    """A new token; `secret` is the token itself."""

    address: str | None = Field(
        description="The URL of the private feed; replace {secret} with the token."
    )


class TokenPath(Path):
    """The number of a token."""

    token: Number


@operations.add("GET", "/tokens", scope=_SCOPE)
def list_tokens(call: Call, query: PageQuery, connection: Connection) -> Page[Token]:
    """List the tokens, oldest first, including revoked ones.

    Tokens for private calendars that the requesting token may not read are left out.
    """
    found = [
        row for row in tokens.load_tokens(connection) if service.may_see(call.access.scopes, row)
    ]
    page, cursor = paginate(found, lambda row: (row.id,), query, (int,))
    return Page[Token](items=[_show(row) for row in page], next=cursor)


@operations.add("POST", "/tokens", scope=_SCOPE, status=HTTPStatus.CREATED, idempotent=True)
def make_token(call: Call, body: TokenGiven, database: Transactions) -> TokenOnce:
    """Create a token, with at most the scopes of the requesting token.

    The response has the token as `secret`; it is not shown again.
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
    base = call.context.base_url
    address = f"{base}/private/{{secret}}/{body.calendar}.ics" if body.calendar else None
    shown = _show(made.stored).model_dump()
    return TokenOnce(**shown, secret=made.secret, address=address)


@operations.add("DELETE", "/tokens/{token}", scope=_SCOPE, status=HTTPStatus.NO_CONTENT)
def revoke_token(call: Call, path: TokenPath, database: Transactions) -> None:
    """Revoke a token permanently; its record is kept."""
    service.revoke_token(database, path.token, call.now, call.access.scopes)


def _show(row: tokens.Token) -> Token:
    return Token(
        id=row.id,
        scopes=list(row.scopes),
        calendar=row.calendar,
        description=row.description,
        created=row.created,
        revoked=row.revoked,
        expires=row.expires,
    )
