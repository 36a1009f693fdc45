"""The refusal of the last publish: kept until a publish succeeds, and reported."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, select

from calfeed.errors import Problem
from calfeed.reminders.operational.messages import publish_refused
from calfeed.store.tables import publishes, refusals
from calfeed.store.upsert import upsert
from calfeed.store.watching.operational import add_operational

_ROW = 1


@dataclass(frozen=True)
class Refusal:
    """Why the last publish was refused, since `at` (UTC), with the number of problems.

    `why` is "problems", "removals" or "error"; the last two have no problems.
    """

    at: datetime
    why: str
    problems: int


def record_refusal(
    connection: Connection, why: str, problems: Sequence[Problem], details: str, now: datetime
) -> None:
    """Record that a publish was refused, and report it, once for the same problems in a row.

    `details` distinguish refusals without problems. Two processes must not do this at once.
    """
    text = "\n".join([why, details, *map(str, problems)])
    digest = hashlib.sha256(text.encode()).hexdigest()
    if connection.scalar(select(refusals.c.digest)) == digest:
        return
    row = {"id": _ROW, "at": now, "digest": digest, "why": why, "problems": len(problems)}
    connection.execute(upsert(connection, refusals), row)
    published = connection.scalar(select(func.max(publishes.c.at)))
    add_operational(connection, [publish_refused(why, problems, published, digest, now)])


def clear_refusal(connection: Connection) -> None:
    """Record that a publish succeeded."""
    connection.execute(delete(refusals))


def load_refusal(connection: Connection) -> Refusal | None:
    """Load the refusal of the last publish; None if it succeeded."""
    row = connection.execute(select(refusals)).one_or_none()
    return None if row is None else Refusal(row.at, row.why, row.problems)
