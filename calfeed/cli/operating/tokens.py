"""`token`: who may read a private calendar, and what programs may do in the API."""

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
    help=f"For the API: {', '.join(tokens.SCOPES)}, or read:CALENDAR; repeatable.",
)
@click.option("--description", default="", help="Whose it is, for your own lists.")
@click.option(
    "--expires",
    help='When it stops to be valid: a span such as "90 days", or a date. Otherwise never.',
)
@output.as_json
def add(
    calendar: str | None,
    scopes: tuple[str, ...],
    description: str,
    expires: str | None,
    as_json: bool,
) -> None:
    """Make a token, which is shown only now: for the feed of a private CALENDAR, or for the API.

    One for each reader or program, so that one can be revoked without the others.
    """
    if bool(calendar) == bool(scopes):
        raise click.UsageError("say what it is for: either a CALENDAR, or --scope")
    settings = load_settings()
    now = output.now()
    until = tokens.parse_expiry(expires, now) if expires else None
    said = f"; it expires on {until:%Y-%m-%d at %H:%M} UTC" if until else ""
    with output.opened(settings) as database:
        kept, made = add_token(
            database,
            scopes=scopes,
            calendar=calendar or None,
            description=description,
            expires=until,
            now=now,
        )
    number, checked = kept.id, kept.scopes
    if not calendar:
        if as_json:
            shown = {"id": number, "scopes": checked, "token": made}
            output.print_json({**shown, "expires": until.isoformat() if until else None})
        else:
            click.echo(f"token {number} for {', '.join(checked)} is made{said}:")
            click.echo(made)
            click.echo("It is not shown again. Programs send it as `Authorization: Bearer …`.")
        return
    address = f"{settings.base_url}/private/{made}/{calendar}.ics"
    if as_json:
        shown = {"id": number, "calendar": calendar, "address": address}
        output.print_json({**shown, "expires": until.isoformat() if until else None})
    else:
        click.echo(f"token {number} for {calendar} is made{said}:")
        click.echo(address)
        click.echo("The address is not shown again, and whoever has it can read the calendar.")


@token.command(name="list")
@output.as_json
def list_(as_json: bool) -> None:
    """List the tokens; what they are is not kept, only for what and for whom."""
    with output.opened(load_settings()) as database, database.read() as connection:
        found = tokens.load_tokens(connection)
    if as_json:
        output.print_json(
            [
                {
                    "id": one.id,
                    "calendar": one.calendar,
                    "scopes": one.scopes,
                    "description": one.description,
                    "created": one.created.isoformat(),
                    "revoked": one.revoked.isoformat() if one.revoked else None,
                    "expires": one.expires.isoformat() if one.expires else None,
                }
                for one in found
            ]
        )
    elif not found:
        click.echo("there are no tokens; `calfeed token add CALENDAR` makes one")
    else:
        rows = [
            [
                str(one.id),
                _purpose(one),
                f"{one.created:%Y-%m-%d}",
                _state(one),
                one.description,
            ]
            for one in found
        ]
        output.print_table(["token", "for", "made", "state", "description"], rows)


@token.command()
@click.argument("number", type=int)
def revoke(number: int) -> None:
    """Revoke token NUMBER: within a second its address answers 410, and the API 401, for good."""
    with output.opened(load_settings()) as database:
        changed = revoke_token(database, number, output.now())
    click.echo(f"token {number} {'is revoked' if changed else 'was revoked before'}")


def _purpose(one: Token) -> str:
    return f"feed of {one.calendar}" if one.calendar else f"API: {', '.join(one.scopes)}"


def _state(one: Token) -> str:
    if one.revoked:
        return f"revoked {one.revoked:%Y-%m-%d}"
    if one.is_expired(output.now()):
        return f"expired {one.expires:%Y-%m-%d}"
    return f"valid until {one.expires:%Y-%m-%d %H:%M}" if one.expires else "valid"
