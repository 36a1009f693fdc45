"""`backup` and `restore`: copy the database, and restore it from a copy."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from calfeed.cli import output
from calfeed.cli.delivery_output import show_time
from calfeed.cli.operating.keys import describe_lost
from calfeed.counting import count
from calfeed.settings import load_settings

if TYPE_CHECKING:
    from calfeed.publish.restore import Repeats
    from calfeed.services.installation import Lost

_file = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
_MAX_LISTED_REMINDERS = 20


@click.command()
@_file
@click.option("--force", is_flag=True, help="Replace FILE if it exists.")
@output.as_json
def backup(file: Path, force: bool, as_json: bool) -> None:
    """Write a consistent copy of the SQLite database to FILE, even while calfeed runs.

    The copy does not contain the encryption keys: keep a copy of the key file in another place.
    If the database is PostgreSQL, this prints the command to use instead.
    """
    from calfeed.services.backups import write_backup
    from calfeed.store.database import Database

    settings = load_settings()
    with closing(Database(settings.database, settings.keys)) as database:
        size = write_backup(database, file, replace=force)
    if as_json:
        output.print_json({"file": str(file), "bytes": size, "keys": str(database.keys)})
    else:
        click.echo(f"{file}: {size / 1e6:,.1f} MB, checked")
        click.echo(f"The encryption keys are not in it: keep a copy of {database.keys}")
        click.echo("too, in another place.")


@click.command()
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--in-place",
    is_flag=True,
    help="Complete the restore of a database that another tool (such as pg_restore) has restored "
    "already.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
def restore(file: Path | None, in_place: bool, yes: bool) -> None:
    """Restore the database from FILE, which `calfeed backup` has written.

    Before this, stop `serve`, every `web` and every `worker`; afterwards, publish. Shows which
    reminders will be sent again, and asks for confirmation. The replaced database is kept beside
    the new one. The SEQUENCE of every event is raised above any value that calendar apps can have
    seen.
    """
    from calfeed.services.backups import restore_file, restore_in_place
    from calfeed.store.database import Database

    if (file is not None) == in_place:
        raise click.UsageError("Give one of FILE and --in-place.")
    settings, now = load_settings(), output.now()

    def confirm(repeats: Repeats, lost: Lost) -> None:
        _ask(repeats, lost, file, yes)

    if file is not None:
        with closing(Database(settings.database, settings.keys)) as database:
            raised, former = restore_file(database, file, now, confirm)
    else:
        with output.opened(settings) as database:
            raised, former = restore_in_place(database, now, confirm)
    click.echo(f"restored; SEQUENCE of {count(raised, 'event')} was raised")
    click.echo("now start calfeed, or run `calfeed publish`")
    if former is not None:
        click.echo(f"the previous database is kept as {former}")


def _ask(repeats: Repeats, lost: Lost, source: Path | None, yes: bool) -> None:
    """Show what cannot be decrypted and what will be sent again, and ask for confirmation."""
    for line in describe_lost(lost):
        click.echo(line)
    reminders = repeats.reminders
    if reminders:
        click.echo(
            f"{count(len(reminders), 'reminder')} that came due since the backup "
            "will be sent again, under the ids they had:"
        )
        for row in reminders[:_MAX_LISTED_REMINDERS]:
            click.echo(f"  {show_time(row.due)}  {repeats.titles[row.uid]}  {row.rule}")
        if len(reminders) > _MAX_LISTED_REMINDERS:
            click.echo(f"  and {len(reminders) - _MAX_LISTED_REMINDERS:,} more")
    if repeats.late:
        click.echo(
            f"{count(repeats.late, 'reminder')} of past occurrences will be recorded as missed"
        )
    if repeats.deliveries:
        click.echo(
            f"{count(repeats.deliveries, 'delivery')} that were pending in the backup will be "
            "sent again, under the ids they had"
        )
    if not (reminders or repeats.late or repeats.deliveries):
        click.echo("nothing is sent again")
    if not yes:
        click.confirm(f"Restore {source}?" if source else "Go on?", abort=True)
