"""Report that a publish was refused."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from calfeed.errors import CalfeedError, DefinitionError, Problem, PublishRefusedError, StoreError
from calfeed.store.database import Database
from calfeed.store.notices import notify_listeners
from calfeed.store.watching.refusals import record_refusal


def report_refusal(database: Database, error: CalfeedError, now: datetime) -> None:
    """Record why a publish was refused, and report it to the endpoints that ask for it.

    Does nothing if the reason is the database itself, or if it cannot be written to.
    """
    if isinstance(error, StoreError):
        return
    why, problems = "error", tuple[Problem, ...]()
    if isinstance(error, DefinitionError):
        why, problems = "problems", error.problems
    elif isinstance(error, PublishRefusedError):
        why = "removals"
    with suppress(StoreError), database.write_exclusive() as connection:
        record_refusal(connection, why, problems, "" if problems else str(error), now)
        notify_listeners(connection)
