"""The database: whether it can be reached, has this version's schema, and may be written to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from calfeed.counting import count
from calfeed.errors import StoreError
from calfeed.services.doctor.findings import Finding, ok, problem, warning
from calfeed.store.database import Database
from calfeed.store.migrate import HEAD
from calfeed.store.reports.database_condition import Condition, load_condition
from calfeed.store.watching.refusals import Refusal

_DATABASE, _PUBLISH = "database", "publish"


def look_at(database: Database) -> Condition | StoreError | None:
    """Return the condition of a database, or the error that prevents this; None if it has no file.

    Closes the database.
    """
    try:
        return load_condition(database) if database.exists else None
    except StoreError as error:
        return error
    finally:
        database.close()


def check_database(name: str, condition: Condition | StoreError | None) -> Iterator[Finding]:
    """Judge the condition of the database `name`, or report the error of `look_at`."""
    if isinstance(condition, StoreError):
        yield problem(_DATABASE, str(condition), "look at CALFEED_DATABASE_URL, and at the server")
    else:
        yield judge_condition(name, condition)
        if condition is not None and condition.refusal is not None:
            yield judge_refusal(condition.refusal, condition.last_publish)


def judge_condition(name: str, condition: Condition | None) -> Finding:
    """Judge the schema of a database, and whether it can be written to."""
    if condition is None or condition.revision is None:
        advice = "`calfeed publish` or `calfeed serve` makes them"
        return warning(_DATABASE, f"{name} has no tables yet", advice)
    if not condition.is_current:
        older = condition.revision < HEAD
        return problem(
            _DATABASE,
            f"{name} has the schema {condition.revision}, and this calfeed needs {HEAD}",
            "`calfeed publish` brings it up to date; make a backup before"
            if older
            else "it was made by a newer calfeed: install that one",
        )
    if not condition.writable:
        return problem(
            _DATABASE,
            f"{name} can only be read by this role, or is a replica",
            "grant the rights that docs/operating.md names, or name the primary",
        )
    if condition.last_publish is None:
        return warning(_DATABASE, f"nothing is published in {name}", "run `calfeed publish`")
    return ok(
        _DATABASE,
        f"{name}, schema {HEAD}, last published {condition.last_publish:%Y-%m-%d %H:%M} UTC",
    )


def judge_refusal(refusal: Refusal, published: datetime | None) -> Finding:
    """Report why the last publish was refused, and which state (`published`, in UTC) is served."""
    reason = {
        "problems": count(refusal.problems, "problem"),
        "removals": "it would withdraw too much",
    }.get(refusal.why, "an error")
    state = (
        "nothing is published"
        if published is None
        else f"the state of {published:%Y-%m-%d %H:%M} UTC is served"
    )
    return problem(
        _PUBLISH,
        f"refused since {refusal.at:%Y-%m-%d %H:%M} UTC: {reason}; {state}",
        "`calfeed diff` says why; correct the definitions, then publish",
    )
