"""`check`, `diff`, `publish`, `schema`: validate, compare and publish definitions."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from calfeed.cli import output
from calfeed.counting import count
from calfeed.errors import CalfeedError, DefinitionError, DefinitionWarning, StoreError
from calfeed.settings import Settings, load_settings

if TYPE_CHECKING:
    from calfeed.definitions.result import Definitions
    from calfeed.model.uids import UidScheme
    from calfeed.services.publishing import Comparison
    from calfeed.store.database import Connection

_MAX_CLOCK_DIFFERENCE = timedelta(minutes=1)
"""The tolerated difference between the clocks of machines that share a database."""


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--strict", is_flag=True, help="Also exit with 1 if there are only warnings.")
@output.as_json
def check(folder: Path | None, strict: bool, as_json: bool) -> None:
    """Validate the definitions in FOLDER (default: CALFEED_EVENTS).

    Lists every problem and warning of every file. The exit code is 1 if there is a problem.
    """
    from calfeed.definitions.files import load_definitions
    from calfeed.services.starting.folder import require_calendars

    settings = load_settings()
    now = output.now()
    with published_state(settings) as (connection, uids):
        try:
            if folder is None and not settings.has_database:
                require_calendars(settings.events)
            defined = load_definitions(folder or settings.events, uids=uids, today=now.date())
        except DefinitionError as error:
            _print_problems(error, as_json)
            sys.exit(1)
        warnings = _find_warnings(connection, defined, settings.base_url, now)
    calendars = len(defined.calendars)
    events = sum(len(calendar.events) for calendar in defined.calendars)
    if as_json:
        findings = {"problems": [], "warnings": [warning.as_json() for warning in warnings]}
        output.print_json({**findings, "calendars": calendars, "events": events})
    else:
        output.print_findings(warnings)
        suffix = f"; {count(len(warnings), 'warning')}" if warnings else ""
        click.echo(f"valid: {count(calendars, 'calendar')}, {count(events, 'event')}{suffix}")
    if strict and warnings:
        sys.exit(1)


def _print_problems(error: DefinitionError, as_json: bool) -> None:
    if as_json:
        problems = [problem.as_json() for problem in error.problems]
        warnings = [warning.as_json() for warning in error.warnings]
        output.print_json({"problems": problems, "warnings": warnings})
        return
    output.print_findings([*error.problems, *error.warnings])
    suffix = f", {count(len(error.warnings), 'warning')}" if error.warnings else ""
    click.echo(f"{count(len(error.problems), 'problem')}{suffix}", err=True)


@contextmanager
def published_state(settings: Settings) -> Iterator[tuple[Connection | None, UidScheme]]:
    """Yield a connection to the published state, and the UID scheme of the installation.

    Without a database the connection is None, and UIDs are made from names alone.
    """
    from calfeed.model.uids import NAME_BASED_UIDS

    if not settings.has_database:
        yield None, NAME_BASED_UIDS
        return
    from calfeed.store.catalog.installation import load_uid_scheme

    with ExitStack() as stack:
        state: tuple[Connection | None, UidScheme] = None, NAME_BASED_UIDS
        with suppress(StoreError):
            database = stack.enter_context(output.opened(settings))
            connection = stack.enter_context(database.read())
            state = connection, load_uid_scheme(connection)
        yield state


def _find_warnings(
    connection: Connection | None, defined: Definitions, base_url: str, now: datetime
) -> tuple[DefinitionWarning, ...]:
    """Find the warnings; without a database, they assume that nothing is published."""
    from calfeed.publish.warn import find_first_warnings

    if connection is None:
        return find_first_warnings(defined, now)
    from calfeed.publish.apply import plan_publish

    return plan_publish(connection, defined, now, base_url).warnings


@click.command()
@click.option(
    "--format",
    "style",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    help="The format of the result; markdown is for pull requests.",
)
@output.as_json
@click.option("--exit-code", is_flag=True, help="Exit with 1 if there are differences.")
@click.option(
    "--base",
    metavar="REV|LEDGER",
    help="Compare with a git revision, or with the file of `calfeed export --ledger`, instead of "
    "the database.",
)
def diff(style: str, as_json: bool, exit_code: bool, base: str | None) -> None:
    """Show what a publish would do, without publishing."""
    from calfeed.publish.show import show_json, show_markdown, show_text

    _, plan, refusal = _compare(load_settings(), base)
    if as_json or style == "json":
        output.print_json({**show_json(plan), "refused": refusal or None})
    elif style == "markdown":
        click.echo(show_markdown(plan) + (f"\n> {refusal}\n" if refusal else ""), nl=False)
    else:
        click.echo(show_text(plan))
        output.print_findings(plan.warnings)
        if refusal:
            click.echo(f"A publish would be refused: {refusal}")
    if exit_code and not plan.empty:
        sys.exit(1)


def _compare(settings: Settings, base: str | None) -> Comparison:
    """Compare the definitions with a git revision or a ledger, or else with what is published."""
    from calfeed.cli.definitions.git_base import definitions_at
    from calfeed.cli.definitions.ledger_file import read_ledger_file
    from calfeed.services import publishing
    from calfeed.store.database import Database

    folder, url, now = settings.events, settings.base_url, output.now()
    if base is None:
        with (
            closing(Database(settings.database, settings.keys)) as configured,
            publishing.published_or_nothing(configured) as database,
        ):
            return publishing.compare_folder(database, folder, url, now)
    if Path(base).is_file():
        return publishing.compare_with_ledger(read_ledger_file(Path(base)), folder, url, now)
    with definitions_at(folder, base) as before:
        return publishing.compare_folders(before, folder, url, now)


@click.command()
@click.option(
    "--allow-removals",
    is_flag=True,
    help="Publish even if a whole calendar, or most of its upcoming events, would be withdrawn.",
)
@click.option(
    "--now",
    "announce_all",
    is_flag=True,
    help="Also announce changes that `serve` has published but not announced yet (grace time).",
)
@click.option("--by", metavar="NAME", help="The author to record; default: the current user.")
@output.as_json
def publish(allow_removals: bool, announce_all: bool, by: str | None, as_json: bool) -> None:
    """Publish the definitions in one transaction. If there is any problem, nothing changes.

    Changes are announced at once.
    """
    from calfeed.cli.authors import check_name, find_user
    from calfeed.garbage import freeze_startup_objects
    from calfeed.publish.folder import publish_folder, shortened_feeds
    from calfeed.publish.show import show_json, show_shortened, show_text
    from calfeed.services.starting.folder import require_calendars
    from calfeed.services.watching.refusals import report_refusal
    from calfeed.store.catalog.publishes import Author
    from calfeed.store.database import Database
    from calfeed.store.migrate import migrate
    from calfeed.store.outbox.clock_skew import last_recorded_time

    name = find_user() if by is None else check_name(by)
    settings = load_settings()
    if not settings.has_database:
        require_calendars(settings.events)
    with closing(Database(settings.database, settings.keys)) as database:
        migrate(database)
        for line in output.describe_new_keys(database):
            click.echo(line, err=True)
        with database.read() as connection:
            last = last_recorded_time(connection)
        for line in _describe_clock(output.now(), last):
            click.echo(line, err=True)
        freeze_startup_objects()
        try:
            plan = publish_folder(
                database,
                settings.events,
                output.now,
                settings.base_url,
                allow_removals=allow_removals,
                author=Author(name, "calfeed publish"),
                announce_all=announce_all,
            )
        except CalfeedError as error:
            report_refusal(database, error, output.now())
            raise
        with database.read() as connection:
            shortened = shortened_feeds(connection, output.now().year)
    if as_json:
        left_out = [{"calendar": slug, "first_year": year} for slug, year in shortened]
        output.print_json({**show_json(plan), "shortened": left_out})
    else:
        click.echo("\n".join([show_text(plan), *show_shortened(shortened)]))
        output.print_findings(plan.warnings)


def _describe_clock(now: datetime, last: datetime | None) -> list[str]:
    """Warn if `now` is earlier than `last`, the time of the last worker (both UTC).

    A clock that is ahead cannot be detected, as it looks like a pause of the workers.
    """
    if last is None or last - now <= _MAX_CLOCK_DIFFERENCE:
        return []
    return [
        f"the machine's clock says {now:%Y-%m-%d %H:%M} UTC, but a worker recorded "
        f"{last:%Y-%m-%d %H:%M} before: one of the two is wrong. This publish uses the machine's "
        "clock to decide what is past; if the clock is wrong, correct it and publish again"
    ]


@click.command()
@click.option("--messages", is_flag=True, help="Print the schema of webhook messages instead.")
def schema(messages: bool) -> None:
    """Print the JSON Schema of definition files, for editors, or of messages, for receivers."""
    from calfeed.definitions.schema import make_schema
    from calfeed.reminders.contract.schemas import make_messages_schema

    made = make_messages_schema() if messages else make_schema()
    click.echo(json.dumps(made, indent=2, ensure_ascii=False))
