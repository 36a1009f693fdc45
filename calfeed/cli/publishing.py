"""`check`, `diff`, `publish`, `schema`: from files to what is published."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from calfeed.cli import output
from calfeed.errors import DefinitionError
from calfeed.settings import load_settings

if TYPE_CHECKING:
    from calfeed.store.database import Database


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@output.as_json
def check(folder: Path | None, as_json: bool) -> None:
    """Say whether the definitions in FOLDER (CALFEED_EVENTS where not given) are in order.

    Every problem of every file is listed. Exit code 1 if there is one.
    """
    from calfeed.definitions.files import load_definitions

    try:
        calendars = load_definitions(folder or load_settings().events)
    except DefinitionError as error:
        if as_json:
            output.print_json({"problems": [asdict(problem) for problem in error.problems]})
        else:
            for problem in error.problems:
                click.echo(str(problem), err=True)
            count = len(error.problems)
            click.echo(f"{count} problem{'' if count == 1 else 's'}", err=True)
        sys.exit(1)
    events = sum(len(calendar.events) for calendar in calendars)
    if as_json:
        output.print_json({"problems": [], "calendars": len(calendars), "events": events})
    else:
        click.echo(f"in order: {len(calendars)} calendars, {events} events")


@click.command()
@click.option(
    "--format",
    "style",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    help="markdown is for a pull request.",
)
@output.as_json
@click.option("--exit-code", is_flag=True, help="Exit with 1 where there are differences.")
def diff(style: str, as_json: bool, exit_code: bool) -> None:
    """Show what a publish would do, and do nothing."""
    from calfeed.definitions.files import load_definitions
    from calfeed.errors import PublishRefusedError
    from calfeed.publish.apply import check_plan, plan_publish
    from calfeed.publish.show import show_json, show_markdown, show_text

    settings = load_settings()
    defined = load_definitions(settings.events)
    refusal = ""
    with _published(settings.database) as database, database.read() as connection:
        now = output.now()
        plan = plan_publish(connection, defined, now, settings.base_url)
        try:
            check_plan(connection, plan, now)
        except PublishRefusedError as error:
            refusal = str(error)
    if as_json or style == "json":
        output.print_json({**show_json(plan), "refused": refusal or None})
    elif style == "markdown":
        click.echo(show_markdown(plan) + (f"\n> {refusal}\n" if refusal else ""), nl=False)
    else:
        click.echo(show_text(plan))
        if refusal:
            click.echo(f"A publish would be refused: {refusal}")
    if exit_code and not plan.empty:
        sys.exit(1)


@click.command()
@click.option(
    "--allow-removals",
    is_flag=True,
    help="Publish even if a whole calendar or most of its coming events would be withdrawn.",
)
@click.option("--by", metavar="NAME", help="Who publishes, for the record; else who runs this.")
@output.as_json
def publish(allow_removals: bool, by: str | None, as_json: bool) -> None:
    """Make the definitions the truth, in one transaction. Any problem: nothing changes."""
    from calfeed.cli.authors import check_name, find_user
    from calfeed.definitions.files import load_definitions
    from calfeed.publish import apply
    from calfeed.publish.show import show_json, show_shortened, show_text
    from calfeed.store.database import Database
    from calfeed.store.migrate import migrate
    from calfeed.store.publishes import Author

    name = find_user() if by is None else check_name(by)
    settings = load_settings()
    defined = load_definitions(settings.events)
    with closing(Database(settings.database)) as database:
        migrate(database)
        plan = apply.publish(
            database,
            defined,
            output.now(),
            settings.base_url,
            allow_removals=allow_removals,
            author=Author(name, "calfeed publish"),
        )
        with database.read() as connection:
            shortened = apply.shortened_feeds(connection, output.now().year)
    if as_json:
        left_out = [{"calendar": slug, "first_year": year} for slug, year in shortened]
        output.print_json({**show_json(plan), "shortened": left_out})
    else:
        click.echo("\n".join([show_text(plan), *show_shortened(shortened)]))


@click.command()
def schema() -> None:
    """Print the JSON Schema of definition files, for editors."""
    from calfeed.definitions.schema import make_schema

    click.echo(json.dumps(make_schema(), indent=2, ensure_ascii=False))


@contextmanager
def _published(url: str) -> Iterator[Database]:
    """The database to compare with; where there is none yet, one in which nothing is published."""
    from calfeed.store.database import Database
    from calfeed.store.migrate import check_schema, is_empty, migrate

    with TemporaryDirectory() as folder, closing(Database(url)) as database:
        if not is_empty(database):
            check_schema(database)
            yield database
            return
        with closing(Database(f"sqlite:///{folder}/nothing.sqlite3")) as nothing:
            migrate(nothing)
            yield nothing
