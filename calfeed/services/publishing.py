"""Compare definitions with the published state, without publishing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from calfeed.counting import count
from calfeed.definitions.files import load_definitions
from calfeed.definitions.result import Definitions
from calfeed.errors import CalfeedError, DefinitionError, PublishRefusedError
from calfeed.publish import ledger
from calfeed.publish.apply import check_plan, plan_publish
from calfeed.publish.folder import publish_folder
from calfeed.publish.plan import Plan
from calfeed.setting_checks import make_sqlite_url
from calfeed.store.catalog.installation import load_uid_scheme
from calfeed.store.database import Connection, Database
from calfeed.store.migrate import check_schema, is_empty, migrate


class Comparison(NamedTuple):
    """Definitions, their plan, and why a publish would be refused (empty if it would not be)."""

    defined: Definitions
    plan: Plan
    refusal: str


def compare_folder(database: Database, folder: Path, base_url: str, now: datetime) -> Comparison:
    """Compare the definitions in a folder with the published state.

    Raises DefinitionError with every problem of every file.
    """
    with database.read() as connection:
        defined = load_definitions(folder, uids=load_uid_scheme(connection), today=now.date())
        return _compare(connection, defined, base_url, now)


def compare_folders(before: Path, folder: Path, base_url: str, now: datetime) -> Comparison:
    """Compare the definitions in a folder with those in another, without the database.

    Raises DefinitionError with every problem of every file in `folder`, or else CalfeedError if
    there are problems in `before`.
    """
    with _temporary_database() as database:
        with database.read() as connection:
            uids = load_uid_scheme(connection)
        defined = load_definitions(folder, uids=uids, today=now.date())
        try:
            publish_folder(database, before, lambda: now, base_url)
        except DefinitionError as error:
            raise CalfeedError(
                f"the definitions to compare with have {count(len(error.problems), 'problem')}, "
                f"the first of them {error.problems[0]}"
            ) from error
        with database.read() as connection:
            return _compare(connection, defined, base_url, now)


def compare_with_ledger(
    revisions: ledger.Ledger, folder: Path, base_url: str, now: datetime
) -> Comparison:
    """Compare the definitions in a folder with the ledger of an export, without the database.

    Raises DefinitionError with every problem of every file.
    """
    with _temporary_database() as database:
        fill_ledger(database, revisions)
        return compare_folder(database, folder, base_url, now)


def _compare(
    connection: Connection, defined: Definitions, base_url: str, now: datetime
) -> Comparison:
    plan = plan_publish(connection, defined, now, base_url)
    refusal = ""
    try:
        check_plan(connection, plan, now)
    except PublishRefusedError as error:
        refusal = error.with_command("calfeed publish")
    return Comparison(defined, plan, refusal)


@contextmanager
def published_or_nothing(database: Database) -> Iterator[Database]:
    """Yield the database, or if it is empty, a temporary one in which nothing is published."""
    if not is_empty(database):
        check_schema(database)
        yield database
        return
    with _temporary_database() as temporary:
        yield temporary


@contextmanager
def _temporary_database() -> Iterator[Database]:
    with (
        TemporaryDirectory(prefix="calfeed-") as folder,
        closing(Database(make_sqlite_url(Path(folder, "temporary.sqlite3")))) as database,
    ):
        migrate(database)
        yield database


def fill_ledger(database: Database, revisions: ledger.Ledger) -> None:
    """Write the ledger of an export into an empty database."""
    with database.write() as connection:
        ledger.fill(connection, revisions)
