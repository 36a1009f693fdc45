"""Fan-out of corrections."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import text

from calfeed.delivery.due import LateReminderPacer, fan_out, fire_due
from calfeed.model.states import DeliveryState
from calfeed.reminders.filters import Filters
from calfeed.store.database import Database
from calfeed.store.endpoints.records import add_endpoint
from calfeed.store.outbox import claims, fanout
from tests.delivery.office import wait_until
from tests.patience import PATIENCE
from tests.publish.desk import BASE, OTHERS, STAY, Desk
from tests.store.keeping import make_endpoint, read_deliveries

JUNE, AUGUST = STAY.format(start="2025-06-30"), STAY.format(start="2025-08-31")


@pytest.fixture
def desk(database: Database) -> Desk:
    """A desk with one endpoint that wants only reminders."""
    with database.write() as connection:
        add_endpoint(connection, make_endpoint("end_1", filters=Filters(types=("reminder.due",))))
        add_endpoint(connection, make_endpoint("end_2", filters=Filters(types=("event.added",))))
    return Desk(database)


def remind(
    desk: Desk, *, number: int = 0, state: DeliveryState | None = DeliveryState.DELIVERED
) -> None:
    """Send a reminder, by default the first, with this result; None: it was never claimed."""
    now = desk.reminders()[number].due
    fire_due(desk.database, now, BASE, LateReminderPacer())
    fan_all(desk)
    if state is not None:
        with desk.database.write() as connection:
            claims.settle(connection, claims.claim(connection, now, 9), state, now)


def fan_all(desk: Desk) -> None:
    while fan_out(desk.database, desk.now):
        pass


def told(desk: Desk, name: str = "end_1") -> list[str]:
    fan_all(desk)
    return [row.type for row in read_deliveries(desk.database) if row.endpoint_id == name]


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (AUGUST, "event.moved"),
        (AUGUST + "  correction: 2025-06-30\n", "event.corrected"),
        (JUNE + "  status: cancelled\n", "event.cancelled"),
        ("", "event.cancelled"),
    ],
)
def test_a_reminded_endpoint_gets_the_correction_despite_its_filter(
    desk: Desk, edit: str, message: str
) -> None:
    desk.publish(JUNE, OTHERS)
    remind(desk)
    desk.publish(edit, OTHERS)
    assert told(desk) == ["reminder.due", message]
    assert set(told(desk, "end_2")) == {"event.added"}


def test_a_reminded_endpoint_gets_later_moves_too(desk: Desk) -> None:
    desk.publish(JUNE, OTHERS)
    remind(desk)
    desk.publish(AUGUST, OTHERS)
    desk.publish(AUGUST.replace("08-31", "09-30"), OTHERS)
    assert told(desk) == ["reminder.due", "event.moved", "event.moved"]


def test_other_endpoints_get_the_correction_only_by_their_filter(desk: Desk) -> None:
    desk.publish(JUNE, OTHERS)
    remind(desk, state=None)
    desk.publish(AUGUST, OTHERS)
    assert told(desk) == ["reminder.due"]
    assert [row.state for row in read_deliveries(desk.database) if row.endpoint_id == "end_1"] == [
        "superseded"
    ]


def test_other_changes_are_sent_only_by_filter(desk: Desk) -> None:
    desk.publish(JUNE, OTHERS)
    remind(desk)
    desk.publish(JUNE.replace("The stay ends", "The stay is over"), OTHERS)
    assert told(desk) == ["reminder.due"]


SERIES = """course:
  summary: Course
  start: 2025-06-30 10:00
  reminders: [1 day]
  repeat:
    rule: {rule}
"""
WEEKLY = SERIES.format(rule="FREQ=WEEKLY;COUNT=4")


@pytest.mark.parametrize(
    "edit",
    [
        WEEKLY + "    changes: {2025-06-30 10:00: {status: cancelled}}\n",
        WEEKLY + "    except: [2025-06-30 10:00]\n",
        SERIES.format(rule="FREQ=WEEKLY;COUNT=3").replace("06-30", "07-07"),
    ],
)
def test_a_reminded_endpoint_learns_that_the_occurrence_is_cancelled(desk: Desk, edit: str) -> None:
    desk.publish(WEEKLY, OTHERS)
    remind(desk)
    desk.publish(edit, OTHERS)
    assert told(desk) == ["reminder.due", "event.changed"]
    assert set(told(desk, "end_2")) == {"event.added"}
    desk.publish(edit.replace("Course", "The course"), OTHERS)
    assert told(desk) == ["reminder.due", "event.changed"]


@pytest.mark.parametrize("rule", ["FREQ=WEEKLY;UNTIL=20250630", "FREQ=WEEKLY;COUNT=1", None])
def test_a_reminded_endpoint_learns_that_a_later_occurrence_is_cancelled(
    desk: Desk, rule: str | None
) -> None:
    desk.publish(WEEKLY, OTHERS)
    remind(desk)
    remind(desk, number=1)
    single = SERIES.partition("  repeat:")[0]
    desk.publish(SERIES.format(rule=rule) if rule else single, OTHERS)
    assert told(desk) == ["reminder.due", "reminder.due", "event.changed"]


def test_an_endpoint_without_a_reminder_of_the_occurrence_gets_no_correction(desk: Desk) -> None:
    desk.publish(WEEKLY, OTHERS)
    remind(desk)
    desk.publish(WEEKLY + "    except: [2025-07-14 10:00]\n", OTHERS)
    assert told(desk) == ["reminder.due"]


def test_a_failed_delivery_of_an_outdated_message_cannot_be_retried(desk: Desk) -> None:
    desk.publish(JUNE, OTHERS)
    remind(desk, state=DeliveryState.FAILED)
    desk.publish(AUGUST, OTHERS)
    states = {row.type: row.state for row in read_deliveries(desk.database)}
    assert states["reminder.due"] == "superseded"


def test_a_publish_supersedes_deliveries_of_a_fan_out_in_progress(desk: Desk) -> None:
    if desk.database.is_sqlite:
        return  # there is one writer, whatever it does
    desk.publish(JUNE, OTHERS)
    fire_due(desk.database, desk.reminders()[0].due, BASE, LateReminderPacer())
    publishing = threading.Thread(target=desk.publish, args=(AUGUST, OTHERS), daemon=True)
    with desk.database.write() as connection:
        while fanout.fan_out(connection, desk.now):
            pass
        publishing.start()
        wait_until(lambda: is_blocked(desk))
    publishing.join(PATIENCE)
    (row,) = [row for row in read_deliveries(desk.database) if row.type == "reminder.due"]
    assert row.state == "superseded"


def is_blocked(desk: Desk) -> bool:
    """Whether a transaction waits for a lock."""
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    with desk.database.read() as connection:
        return bool(connection.scalar(waiting))
