"""A refused publish is recorded until one succeeds, and reported once for the same problems."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from calfeed.errors import (
    CalfeedError,
    DefinitionError,
    Problem,
    PublishRefusedError,
    StoreError,
    UnreadableError,
)
from calfeed.services.doctor.database import check_database
from calfeed.services.watching.metrics import METRICS
from calfeed.services.watching.refusals import report_refusal
from calfeed.services.watching.status import load_status
from calfeed.store.database import Database
from calfeed.store.reports.database_condition import load_condition
from calfeed.store.tables import messages
from calfeed.store.watching.refusals import Refusal, load_refusal
from tests.publish.desk import STAY, Desk

MINUTE = timedelta(minutes=1)
WRONG = Problem("events/desk.yaml", 3, 5, "events.stay.start", "is not a date")
JUNE = STAY.format(start="2025-06-30")
REFUSED = DefinitionError([WRONG])


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


def refuse(desk: Desk, error: CalfeedError) -> None:
    desk.now += MINUTE
    report_refusal(desk.database, error, desk.now)


def reports(desk: Desk) -> list[dict[str, Any]]:
    """The data of the reports, in order."""
    with desk.database.read() as connection:
        query = select(messages.c.body).where(messages.c.subject.contains("publish.refused"))
        bodies = connection.scalars(query.order_by(messages.c.at))
        return [json.loads(body)["data"] for body in bodies]


def refusal(desk: Desk) -> Refusal | None:
    with desk.database.read() as connection:
        return load_refusal(connection)


def count_problems(desk: Desk) -> float:
    (metric,) = [one for one in METRICS if one.name == "calfeed_publish_problems"]
    ((_, value),) = metric.read(load_status(desk.database, desk.now))
    return value


def test_the_same_problems_are_reported_once_and_since_when(desk: Desk) -> None:
    desk.publish(JUNE)
    published = desk.now
    refuse(desk, REFUSED)
    since = desk.now
    refuse(desk, REFUSED)
    (report,) = reports(desk)
    assert (report["why"], report["count"]) == ("problems", 1)
    assert report["published"] == f"{published:%Y-%m-%dT%H:%M:%SZ}"
    assert refusal(desk) == Refusal(since, "problems", 1)
    assert count_problems(desk) == 1
    refuse(desk, DefinitionError([WRONG, WRONG]))
    assert [one["count"] for one in reports(desk)] == [1, 2]
    assert refusal(desk) == Refusal(desk.now, "problems", 2)


def test_a_publish_ends_it_and_the_same_problems_are_then_new(desk: Desk) -> None:
    desk.publish(JUNE)
    refuse(desk, REFUSED)
    desk.publish(JUNE)  # undone: nothing has changed
    assert refusal(desk) is None
    assert count_problems(desk) == 0
    refuse(desk, REFUSED)
    assert len(reports(desk)) == 2


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (PublishRefusedError(["the calendar secret-plans"]), "removals"),
        (UnreadableError([WRONG]), "problems"),
        (CalfeedError("secret-plans is wrong"), "error"),
    ],
)
def test_other_refusals_are_reported_without_names(
    desk: Desk, error: CalfeedError, why: str
) -> None:
    refuse(desk, error)
    (report,) = reports(desk)
    assert (report["why"], report["published"]) == (why, None)
    assert "secret-plans" not in json.dumps(report)
    assert count_problems(desk) == 1


def test_an_error_of_the_database_is_no_refusal(desk: Desk) -> None:
    refuse(desk, StoreError("the database is gone"))
    assert reports(desk) == []
    assert refusal(desk) is None


def test_the_doctor_names_it(desk: Desk) -> None:
    desk.publish(JUNE)
    published = desk.now
    refuse(desk, REFUSED)
    findings = list(check_database("it", load_condition(desk.database)))
    (finding,) = [one for one in findings if one.subject == "publish"]
    assert finding.level == "problem"
    assert f"1 problem; the state of {published:%Y-%m-%d %H:%M} UTC is served" in finding.text
