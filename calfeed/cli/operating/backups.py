"""`backup` and `restore`: a copy of the database, and the way back to it."""

from __future__ import annotations

from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from calfeed.cli import output
from calfeed.cli.delivery_output import show_time
from calfeed.cli.operating.keys import describe_lost, find_lost
from calfeed.counting import count
from calfeed.errors import InvalidInputError, StoreError
from calfeed.settings import load_settings
from calfeed.store.endpoints.endpoints import list_endpoints

if TYPE_CHECKING:
    from calfeed.publish.restore import Repeats
    from calfeed.store.catalog.lineage import Lineage
    from calfeed.store.database import Database
    from calfeed.store.endpoints.endpoints import Endpoint

_file = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
_SHOWN = 20


@click.command()
@_file
@click.option("--force", is_flag=True, help="Replace FILE where it is there already.")
@output.as_json
def backup(file: Path, force: bool, as_json: bool) -> None:
    """Write a consistent copy of the SQLite database to FILE, while calfeed runs.

    The keys of the secrets in it are not part of it: keep a copy of their file in another place.
    On PostgreSQL it says which command makes one.
    """
    from calfeed.store.copies import write_copy
    from calfeed.store.database import Database
    from calfeed.store.migrate import is_empty

    settings = load_settings()
    with closing(Database(settings.database, settings.keys)) as database:
        if database.file is None:
            raise InvalidInputError(
                "the database is PostgreSQL, whose own program makes the backup: "
                f'`pg_dump --format=custom --file="{file}" "{_without_password(database)}"`'
            )
        if is_empty(database):
            raise StoreError(f"there is nothing in the database {database.name} yet")
        size = write_copy(database.file.path, file, replace=force)
    if as_json:
        output.print_json({"file": str(file), "bytes": size, "keys": str(database.keys)})
    else:
        click.echo(f"{file}: {size / 1e6:,.1f} MB, checked")
        click.echo(f"The keys of its secrets are not in it: keep a copy of {database.keys}")
        click.echo("too, in another place.")


@click.command()
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--in-place", is_flag=True, help="The database has been put back already: do what is left."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
def restore(file: Path | None, in_place: bool, yes: bool) -> None:
    """Put the database back from FILE, which `calfeed backup` has written.

    Stop `serve`, every `web` and every `worker` before, and publish afterwards. It shows what is
    sent again, and asks. The database that was there is kept beside the new one. SEQUENCE of
    every event is raised past what calendar apps can have seen.
    """
    from calfeed.publish.restore import find_repeats, raise_sequences
    from calfeed.store.access.sessions import end_sessions
    from calfeed.store.database import Database

    if (file is not None) == in_place:
        raise click.UsageError("Give one of FILE and --in-place.")
    settings, now = load_settings(), output.now()
    if file is not None:
        with closing(Database(settings.database, settings.keys)) as database:
            _put_back(database, file, now, yes)
        return
    with output.opened(settings) as database:
        with database.read() as connection:
            repeats = find_repeats(connection, now)
            lost = find_lost(list_endpoints(connection))
        _ask(repeats, lost, None, yes)
        with database.write_alone() as connection:
            end_sessions(connection)  # some of them were ended since the backup
            raised = raise_sequences(connection, None, now)
    _report(raised)


def _put_back(database: Database, file: Path, now: datetime, yes: bool) -> None:
    from calfeed.publish.restore import find_repeats, raise_sequences
    from calfeed.store.access.sessions import end_sessions
    from calfeed.store.catalog.lineage import load_lineage
    from calfeed.store.copies import copied_beside, held_alone, put_in_place
    from calfeed.store.database import Database
    from calfeed.store.migrate import is_empty, migrate

    if database.file is None:
        raise InvalidInputError(
            "the database is PostgreSQL, whose own program puts it back: "
            f'`pg_restore --clean --if-exists --dbname="{_without_password(database)}" "{file}"`, '
            "then `calfeed restore --in-place`"
        )
    live = database.file.path
    aside = live.with_name(f"{live.name}.before-{now:%Y%m%dT%H%M%SZ}")
    with held_alone(live) as sound:
        pass  # better to hear now that calfeed is running than after all that follows
    with (
        copied_beside(file, live) as made,
        closing(Database(f"sqlite:///{made}", database.keys)) as copy,
    ):
        if is_empty(copy):
            raise InvalidInputError(f"{file} is not a database of calfeed")
        migrate(copy)
        with copy.read() as connection:
            _ask(find_repeats(connection, now), find_lost(list_endpoints(connection)), file, yes)
            known = load_lineage(connection)
        seen = _find_seen(database, known) if sound else None
        database.close()
        with held_alone(live):
            with copy.write_alone() as connection:
                end_sessions(connection)
                raised = raise_sequences(connection, seen, now)
            copy.close()
            there = put_in_place(made, live, aside)
    _report(raised)
    if there:
        click.echo(f"the database that was there is kept as {aside}")


def _find_seen(database: Database, known: Lineage) -> dict[str, int] | None:
    """The SEQUENCEs of the database that is replaced, if it is a later state of the backup."""
    from calfeed.store.catalog.lineage import load_lineage, load_sequences

    with suppress(StoreError), database.read() as connection:
        if load_lineage(connection).continues(known):
            return load_sequences(connection)
    return None


def _ask(repeats: Repeats, lost: list[Endpoint], source: Path | None, yes: bool) -> None:
    """Show what the keys do not open and what is sent again, and ask whether to go on."""
    for line in describe_lost(lost):
        click.echo(line)
    reminders = repeats.reminders
    if reminders:
        click.echo(
            f"{count(len(reminders), 'reminder')} that came due since the backup "
            "will be sent again, under the ids they had:"
        )
        for row in reminders[:_SHOWN]:
            click.echo(f"  {show_time(row.due)}  {repeats.titles[row.uid]}  {row.rule}")
        if len(reminders) > _SHOWN:
            click.echo(f"  and {len(reminders) - _SHOWN:,} more")
    if repeats.late:
        click.echo(
            f"{count(repeats.late, 'reminder')} of what has begun since will be recorded as missed"
        )
    if repeats.deliveries:
        click.echo(
            f"{count(repeats.deliveries, 'delivery')} that waited when the backup was made will be "
            "sent again, under the ids they had"
        )
    if not (reminders or repeats.late or repeats.deliveries):
        click.echo("nothing is sent again")
    if not yes:
        click.confirm(f"Restore {source}?" if source else "Go on?", abort=True)


def _report(raised: int) -> None:
    click.echo(
        f"restored; SEQUENCE of {count(raised, 'event')} is past what calendar apps have seen"
    )
    click.echo("now start calfeed, or run `calfeed publish`")


def _without_password(database: Database) -> str:
    """The URL of a PostgreSQL database as its programs take it."""
    url = database.engine.url.set(drivername="postgresql")._replace(password=None)
    return url.render_as_string(hide_password=False)
