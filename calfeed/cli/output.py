"""Helpers of the commands: open the database, print, parse times."""

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
from calfeed.model.dates.years import FIRST_YEAR, LAST_YEAR

if TYPE_CHECKING:
    from calfeed.settings import Settings
    from calfeed.store.database import Database

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


def now() -> datetime:
    """The current time, in UTC."""
    return datetime.now(UTC)


@contextmanager
def opened(settings: Settings, *, pinned: bool = False) -> Iterator[Database]:
    """Open the database of the settings, and check its schema; `pinned` is as for Database."""
    from calfeed.store.database import Database
    from calfeed.store.migrate import check_schema

    database = Database(settings.database, settings.keys, pinned=pinned)
    try:
        check_schema(database)
        yield database
    finally:
        database.close()


def describe_new_keys(database: Database) -> Iterator[str]:
    """Yield lines about the key file and its backup, if this process has created the file."""
    keyring = database.keyring
    if keyring is not None and keyring.file.made:
        yield f"keys     {keyring.file.path}"
        yield "         is new; back it up apart from the database. Without it secrets are lost"


def echo(text: str) -> None:
    """Print a line, and ignore errors, so that a command continues after the loss of its output."""
    with suppress(OSError):  # on a full disk the line stays buffered until the next one
        try:
            click.echo(text)
        except BrokenPipeError:
            # Flushing the buffer would fail again at the end of the process.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


NUMBER = click.IntRange(1, 2**63 - 1)
"""The type of an argument that is the number of a row; databases have no larger ones."""


def print_findings(findings: Iterable[Problem | DefinitionWarning]) -> None:
    """Print problems and warnings on standard error, one per line."""
    for finding in findings:
        click.echo(str(finding), err=True)


def print_json(value: Any) -> None:
    """Print a value as indented JSON."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def print_table(head: list[str], rows: list[list[str]]) -> None:
    """Print rows in aligned columns."""
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    for row in [head, *rows]:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


def parse_window(
    begin: str | None, end: str | None, default: tuple[datetime, datetime]
) -> tuple[datetime, datetime]:
    """Parse `--from` and `--to` as `parse_time` does; `default` is for those that are missing.

    Raises InvalidInputError for an invalid time, and for a period that ends before it begins.
    """
    first = parse_time("--from", begin) if begin else default[0]
    last = parse_time("--to", end) if end else default[1]
    if last <= first:
        raise InvalidInputError(
            f"the period ends ({last:%Y-%m-%d %H:%M}) before it begins ({first:%Y-%m-%d %H:%M}); "
            "--to must be later than --from"
        )
    return first, last


def parse_time(option: str, text: str) -> datetime:
    """Parse the value of an option: a date (midnight, UTC), or a time, in UTC if it has no offset.

    Raises InvalidInputError for anything else, and for a year that no definition may have.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInputError(
            f'{option} "{text}" is not a time; write 2025-06-30 or 2025-06-30T09:00+05:00'
        ) from None
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise InvalidInputError(
            f'{option} "{text}" is not supported; the year must be from {FIRST_YEAR} to {LAST_YEAR}'
        )
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
