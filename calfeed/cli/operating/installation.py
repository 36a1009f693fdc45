"""`installation`: show or set the installation's id, which is part of its UIDs."""

from __future__ import annotations

from contextlib import closing
from uuid import UUID

import click

from calfeed.cli import output
from calfeed.errors import InvalidInputError
from calfeed.settings import load_settings


@click.command()
@click.option("--set", "wanted", metavar="ID", help="Give a new database the id of a lost one.")
@output.as_json
def installation(wanted: str | None, as_json: bool) -> None:
    """Show this installation's id, which is part of the UIDs of its events.

    The id is made with the database. Keep a copy: if the database is lost without a backup, a new
    one with the same id gives the events the same UIDs.
    """
    from calfeed.services.installation import set_id
    from calfeed.store.catalog.installation import load_installation
    from calfeed.store.database import Database
    from calfeed.store.migrate import migrate

    settings = load_settings()
    if wanted is not None:
        new_id = _parse_id(wanted)
        with closing(Database(settings.database, settings.keys)) as database:
            migrate(database)
            for line in output.describe_new_keys(database):
                click.echo(line, err=True)
            set_id(database, new_id)
    with output.opened(settings) as database, database.read() as connection:
        id_ = load_installation(connection).id
    if as_json:
        output.print_json({"id": str(id_)})
    else:
        click.echo(id_)


def _parse_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise InvalidInputError(
            f'"{text}" is not the id of an installation; write a UUID, 32 hexadecimal digits with '
            "hyphens, as `calfeed installation` shows it"
        ) from None
