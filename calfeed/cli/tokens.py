"""`token`: who may read a private calendar."""

from __future__ import annotations

import secrets

import click

from calfeed.cli import output
from calfeed.definitions.values import Calendar, Visibility
from calfeed.errors import InvalidInputError
from calfeed.settings import load_settings
from calfeed.store import catalog, tokens
from calfeed.store.database import Connection


@click.group()
def token() -> None:
    """Tokens: addresses under which a private calendar can be subscribed to."""


@token.command()
@click.argument("calendar")
@click.option("--description", default="", help="Whose it is, for your own lists.")
@output.as_json
def add(calendar: str, description: str, as_json: bool) -> None:
    """Make a token for a private CALENDAR, and print its address, which is shown only now.

    One for each reader, so that one can be revoked without the others.
    """
    settings = load_settings()
    made = secrets.token_urlsafe(32)
    with output.opened(settings) as database, database.write() as connection:
        _check_private(connection, calendar)
        number = tokens.add_token(connection, made, calendar, description, output.now())
    address = f"{settings.base_url}/private/{made}/{calendar}.ics"
    if as_json:
        output.print_json({"id": number, "calendar": calendar, "address": address})
    else:
        click.echo(f"token {number} for {calendar} is made:")
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
                    "description": one.description,
                    "created": one.created.isoformat(),
                    "revoked": one.revoked.isoformat() if one.revoked else None,
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
                one.calendar,
                f"{one.created:%Y-%m-%d}",
                f"revoked {one.revoked:%Y-%m-%d}" if one.revoked else "valid",
                one.description,
            ]
            for one in found
        ]
        output.print_table(["token", "calendar", "made", "state", "description"], rows)


@token.command()
@click.argument("number", type=int)
def revoke(number: int) -> None:
    """Revoke token NUMBER: within a second its address answers 410, for good."""
    with output.opened(load_settings()) as database, database.write() as connection:
        changed = tokens.revoke_token(connection, number, output.now())
    click.echo(f"token {number} {'is revoked' if changed else 'was revoked before'}")


def _check_private(connection: Connection, slug: str) -> None:
    rows = catalog.load_calendars(connection)
    if slug not in rows or rows[slug].withdrawn:
        known = ", ".join(slug for slug, row in rows.items() if not row.withdrawn)
        raise InvalidInputError(
            f'there is no published calendar "{slug}"; there are {known or "none yet"}'
        )
    if Calendar.model_validate_json(rows[slug].content).visibility is not Visibility.PRIVATE:
        raise InvalidInputError(
            f'the calendar "{slug}" is public, so its feed needs no token; '
            "write `visibility: private` in its definition to change that"
        )
