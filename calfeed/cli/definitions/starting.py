"""`init`: make a folder of calendars to start with."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from calfeed.cli import output


@click.command()
@click.argument(
    "folder", metavar="[DIR]", default=".", type=click.Path(file_okay=False, path_type=Path)
)
@click.option(
    "--example", is_flag=True, help="Write calfeed's example calendars instead of a first calendar."
)
@click.option(
    "--ci",
    type=click.Choice(["github", "gitlab", "none"]),
    default="github",
    show_default=True,
    help="Write a file for this CI service, so that it checks each change.",
)
def init(folder: Path, example: bool, ci: str) -> None:
    """Make a folder to start with: a calendar, the site, settings, and a check of changes in CI.

    Files that exist are not changed. DIR is made if it does not exist; default: this folder.
    """
    from calfeed.services.starting.folder import start_folder
    from calfeed.services.starting.starter import Ci, make_starter

    texts = make_starter(output.now().date(), Ci(ci), example=example)
    started = start_folder(folder, texts)
    for path in started.written:
        click.echo(f"written  {folder / path}")
    for path in started.existing:
        click.echo(f"exists   {folder / path}, which is not changed")
    if started.had_calendars:
        click.echo(f"exists   {folder / 'events'} with calendars, so no calendar is added")
    if started.unignored:
        click.echo(f"add to {folder / '.gitignore'}: {'  '.join(started.unignored)}")
    click.echo("next:")
    if folder.resolve() != Path.cwd():
        click.echo(f"  cd {shlex.quote(str(folder))}")
    click.echo("  calfeed check")
    click.echo("  calfeed serve")
