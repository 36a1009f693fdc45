"""Compare definitions with the published state, without publishing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from calfeed.definitions.files import load_definitions
from calfeed.definitions.result import Definitions
from calfeed.errors import PublishRefusedError
from calfeed.publish import ledger
from calfeed.publish.apply import check_plan, plan_publish
from calfeed.publish.plan import Plan
from calfeed.store.catalog.installation import load_uid_scheme
from calfeed.store.database import Database
from calfeed.store.migrate import check_schema, is_empty, migrate


class Comparison(NamedTuple):
    """Definitions, their plan, and why a publish would be refused; empty if it would not."""

    defined: Definitions
    plan: Plan
    refusal: str


def compare_folder(database: Database, folder: Path, base_url: str, now: datetime) -> Comparison:
    """Compare the definitions in a folder with the published state.

    Raises DefinitionError with every problem of every file.
    """
    with database.read() as connection:
        defined = load_definitions(folder, uids=load_uid_scheme(connection), today=now.date())
        plan = plan_publish(connection, defined, now, base_url)
        refusal = ""
        try:
            check_plan(connection, plan, now)
        except PublishRefusedError as error:
            refusal = error.with_command("calfeed publish")
    return Comparison(defined, plan, refusal)


@contextmanager
def published_or_nothing(database: Database) -> Iterator[Database]:
    """Yield the database to compare with; a temporary one without publishes if it is empty."""
    if not is_empty(database):
        check_schema(database)
        yield database
        return
    with (
        TemporaryDirectory() as folder,
        closing(Database(f"sqlite:///{folder}/nothing.sqlite3")) as temporary,
    ):
        migrate(temporary)
        yield temporary


def fill_ledger(database: Database, revisions: ledger.Ledger) -> None:
    """Write the ledger of an export into an empty database."""
    with database.write() as connection:
        ledger.fill(connection, revisions)
