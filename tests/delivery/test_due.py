"""What time brings about, without a worker around it."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

from calfeed.delivery.due import extend_plans, fan_out, fire_due, retire_events
from calfeed.publish.compare import KEPT
from calfeed.publish.plan import HORIZON
from calfeed.store import catalog
from tests.publish.desk import BASE, NOW, OTHERS, STAY, Desk

JUNE = STAY.format(start="2025-06-30")
MONTHLY = (
    "monthly:\n  summary: M\n  start: 2025-01-15\n  reminders: [1 day]\n"
    "  repeat: {rule: FREQ=MONTHLY}\n"
)


def test_a_reminder_fires_once(desk: Desk) -> None:
    desk.publish(JUNE)
    due = desk.reminders()[0].due
    assert fire_due(desk.database, due - timedelta(seconds=1), BASE) == 0
    assert fire_due(desk.database, due, BASE) == 1
    assert fire_due(desk.database, due, BASE) == 0
    assert [subject.type for subject in desk.told()] == ["reminder.due"]


def test_without_endpoints_a_message_waits_for_nobody(desk: Desk) -> None:
    desk.publish(JUNE)
    assert fire_due(desk.database, desk.reminders()[0].due, BASE) == 1
    assert fan_out(desk.database, NOW)
    assert not fan_out(desk.database, NOW)


def test_plans_are_extended_as_time_goes_by_without_gap_or_repetition(desk: Desk) -> None:
    desk.publish(MONTHLY)
    first = {row.key for row in desk.reminders()}
    assert extend_plans(desk.database, NOW + timedelta(days=1)) == 0, "it is far enough"
    now = NOW
    while now < NOW + timedelta(days=800):
        now += timedelta(days=30)
        while extend_plans(desk.database, now):
            pass
        last = max(row.due for row in desk.reminders())
        assert last > now + HORIZON / 2 - timedelta(days=35)
    rows = desk.reminders()
    assert first < {row.key for row in rows}
    days = [row.begins for row in rows]
    assert len(days) == len(set(days))
    gaps = {(late - early).days for early, late in pairwise(days)}
    assert gaps <= {28, 29, 30, 31}


def test_what_has_an_end_is_planned_to_its_end_and_then_left_alone(desk: Desk) -> None:
    desk.publish(MONTHLY.replace("FREQ=MONTHLY", "FREQ=MONTHLY;COUNT=30"))
    now = NOW
    for _ in range(40):
        now += timedelta(days=30)
        extend_plans(desk.database, now)
    assert len(desk.reminders()) == 30 - 5
    assert extend_plans(desk.database, now + timedelta(days=4000)) == 0


def test_withdrawn_events_are_retired_after_their_time(desk: Desk) -> None:
    desk.publish(JUNE, OTHERS)
    desk.publish(OTHERS)
    withdrawn = desk.now
    assert retire_events(desk.database, withdrawn + KEPT - timedelta(seconds=1)) == 0
    assert retire_events(desk.database, withdrawn + KEPT) == 1
    assert retire_events(desk.database, withdrawn + KEPT) == 0
    assert "stay" not in desk.vevents()
    with desk.database.read() as connection:
        assert catalog.load_calendars(connection)["desk"].publish_id == 3
