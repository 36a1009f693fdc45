"""What the commands share: the settings and database they use, how they print and read time."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from calfeed.errors import DefinitionWarning, InvalidInputError, Problem

if TYPE_CHECKING:
    from calfeed.settings import Settings
    from calfeed.store.database import Database

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


@contextmanager
def opened(settings: Settings, *, pinned: bool = False) -> Iterator[Database]:
    """The database of the settings, with this version's schema; `pinned` as for Database."""
    from calfeed.store.database import Database
    from calfeed.store.migrate import check_schema

    database = Database(settings.database, settings.keys, pinned=pinned)
    try:
        check_schema(database)
        yield database
    finally:
        database.close()


def describe_new_keys(database: Database) -> Iterator[str]:
    """Where the keys' file is and what to do with it, if this process has made it."""
    keyring = database.keyring
    if keyring is not None and keyring.file.made:
        yield f"keys     {keyring.file.path}"
        yield "         is new; without it secrets are lost: back it up, not with the database"


def say(text: str) -> None:
    """Print for whoever still reads it: a command that runs on does not end with its output."""
    with suppress(OSError):  # a log on a full disk: what it could not take comes with the next line
        try:
            click.echo(text)
        except BrokenPipeError:
            # What is buffered would fail once more at the end of the process.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def print_findings(findings: Iterable[Problem | DefinitionWarning]) -> None:
    """Print problems and warnings on standard error, a line each."""
    for finding in findings:
        click.echo(str(finding), err=True)


def print_json(value: Any) -> None:
    """Print a value as indented JSON."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def print_table(head: list[str], rows: list[list[str]]) -> None:
    """Print rows in columns as wide as they need."""
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    for row in [head, *rows]:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


def parse_window(
    begin: str | None, end: str | None, default: tuple[datetime, datetime]
) -> tuple[datetime, datetime]:
    """Read `--from` and `--to`: a date (its midnight, UTC) or a time, UTC unless it has an offset.

    Raises InvalidInputError for what is neither, and for a window that ends before it begins.
    """
    first = parse_time("--from", begin) if begin else default[0]
    last = parse_time("--to", end) if end else default[1]
    if last <= first:
        raise InvalidInputError(
            f"the window ends ({last:%Y-%m-%d %H:%M}) before it begins ({first:%Y-%m-%d %H:%M}); "
            "--to has to be later than --from"
        )
    return first, last


def parse_time(option: str, text: str) -> datetime:
    """Read a date (its midnight, UTC) or a time, UTC unless it has an offset, given as an option.

    Raises InvalidInputError for what is neither.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInputError(
            f'{option} "{text}" is not a time; write 2025-06-30 or 2025-06-30T09:00+05:00'
        ) from None
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
