"""Deadlines as tasks, as icalendar reads them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import icalendar

from calfeed.ical.feed import Heading
from calfeed.ical.vtodo import render_tasks
from calfeed.model.revision import Revision
from tests.ical.defining import define

CALENDAR = define(
    """
    plain: {summary: Plain, start: 2026-06-12, kind: deadline}
    timed: {summary: Timed, start: 2026-06-12 10:00, kind: deadline}
    done: {summary: Done, start: 2026-06-12, kind: deadline, done: 2026-06-10}
    held: {summary: Held, start: postponed from 2026-06-12, kind: deadline}
    month: {summary: Month, start: 2026-06, kind: deadline}
    range: {summary: Range, start: 2026-06-03..2026-06-05, kind: deadline}
    yearly: {summary: Yearly, start: 2026-06-12, kind: deadline, repeat: {rule: FREQ=YEARLY}}
    event: {summary: Event, start: 2026-06-12}
    """
)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def read_tasks() -> dict[str, Any]:
    revisions = [
        Revision(event=event, sequence=0, created=NOW, modified=NOW) for event in CALENDAR.events
    ]
    calendar = icalendar.Calendar.from_ical(render_tasks(Heading("Desk", None), revisions))
    return {str(task["SUMMARY"]): task for task in calendar.walk("VTODO")}


def test_each_deadline_is_a_task_that_is_due_when_that_is_known() -> None:
    due = {title: task["DUE"].dt if "DUE" in task else None for title, task in read_tasks().items()}
    day = date(2026, 6, 12)
    assert due == {
        "Plain": day,
        "Timed": datetime(2026, 6, 12, 5, tzinfo=UTC),
        "Done": day,
        "Postponed: Held": None,
        "June 2026, day open: Month": None,
        "Range": date(2026, 6, 3),
        "Yearly": day,
    }


def test_a_task_says_what_became_of_it() -> None:
    tasks = read_tasks()
    states = {title: str(task["STATUS"]) for title, task in tasks.items()}
    assert states.pop("Done") == "COMPLETED"
    assert states.pop("Postponed: Held") == "CANCELLED"
    assert set(states.values()) == {"NEEDS-ACTION"}
    assert tasks["Done"]["COMPLETED"].dt.date() == date(2026, 6, 10)
    assert tasks["Yearly"]["RRULE"]["FREQ"] == ["YEARLY"]


def test_a_task_has_another_uid_than_its_event() -> None:
    uids = {str(task["UID"]) for task in read_tasks().values()}
    assert len(uids) == len(CALENDAR.events) - 1
    assert uids.isdisjoint(event.uid for event in CALENDAR.events)
