"""`token`: manage tokens for private feeds and the API."""

from __future__ import annotations

import click

from calfeed.cli import output
from calfeed.services.tokens import add_token, revoke_token
from calfeed.settings import load_settings
from calfeed.store.access import tokens
from calfeed.store.access.tokens import Token


@click.group()
def token() -> None:
    """Tokens: for the feed of a private calendar, or for the API."""


@token.command()
@click.argument("calendar", required=False)
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    help=f"For the API: {', '.join(tokens.SCOPES)}, read:CALENDAR or poll:ENDPOINT; repeatable.",
)
@click.option("--description", default="", help="Who the token belongs to; for your own reference.")
@click.option(
    "--expires",
    help='When it expires: a duration such as "90 days", or a date; default: never.',
)
@output.as_json
def add(
    calendar: str | None,
    scopes: tuple[str, ...],
    description: str,
    expires: str | None,
    as_json: bool,
) -> None:
    """Make a token for a private CALENDAR or for the API. It is shown only once.

    Make a separate token for each reader or program, so that you can revoke it without the others.
    """
    if bool(calendar) == bool(scopes):
        raise click.UsageError("give either a CALENDAR, or --scope")
    settings = load_settings()
    now = output.now()
    until = tokens.parse_expiry(expires, now) if expires else None
    expiry = f"; it expires on {until:%Y-%m-%d at %H:%M} UTC" if until else ""
    with output.opened(settings) as database:
        stored, secret = add_token(
            database,
            scopes=scopes,
            calendar=calendar or None,
            description=description,
            expires=until,
            now=now,
        )
    if not calendar:
        if as_json:
            described = {"id": stored.id, "scopes": stored.scopes, "token": secret}
            output.print_json({**described, "expires": until.isoformat() if until else None})
        else:
            click.echo(f"token {stored.id} for {', '.join(stored.scopes)} is made{expiry}:")
            click.echo(secret)
            click.echo("It is not shown again. Programs send it as `Authorization: Bearer …`.")
        return
    address = f"{settings.base_url}/private/{secret}/{calendar}.ics"
    if as_json:
        described = {"id": stored.id, "calendar": calendar, "address": address}
        output.print_json({**described, "expires": until.isoformat() if until else None})
    else:
        click.echo(f"token {stored.id} for {calendar} is made{expiry}:")
        click.echo(address)
        click.echo("The address is not shown again, and everyone who has it can read the calendar.")


@token.command(name="list")
@output.as_json
def list_(as_json: bool) -> None:
    """List the tokens with their purposes; the secrets are not stored."""
    with output.opened(load_settings()) as database, database.read() as connection:
        stored = tokens.load_tokens(connection)
    if as_json:
        output.print_json(
            [
                {
                    "id": row.id,
                    "calendar": row.calendar,
                    "scopes": row.scopes,
                    "description": row.description,
                    "created": row.created.isoformat(),
                    "revoked": row.revoked.isoformat() if row.revoked else None,
                    "expires": row.expires.isoformat() if row.expires else None,
                }
                for row in stored
            ]
        )
    elif not stored:
        click.echo("there are no tokens; `calfeed token add CALENDAR` makes one")
    else:
        rows = [
            [
                *(str(row.id), _purpose(row), f"{row.created:%Y-%m-%d}", _state(row)),
                row.description,
            ]
            for row in stored
        ]
        output.print_table(["token", "for", "made", "state", "description"], rows)


@token.command()
@click.argument("number", type=output.NUMBER)
def revoke(number: int) -> None:
    """Revoke token NUMBER permanently.

    Within a second, requests with this token get 410 (a feed) or 401 (the API).
    """
    with output.opened(load_settings()) as database:
        changed = revoke_token(database, number, output.now())
    click.echo(f"token {number} {'is revoked' if changed else 'was revoked before'}")


def _purpose(row: Token) -> str:
    return f"feed of {row.calendar}" if row.calendar else f"API: {', '.join(row.scopes)}"


def _state(row: Token) -> str:
    if row.revoked:
        return f"revoked {row.revoked:%Y-%m-%d}"
    if row.is_expired(output.now()):
        return f"expired {row.expires:%Y-%m-%d}"
    return f"valid until {row.expires:%Y-%m-%d %H:%M}" if row.expires else "valid"
