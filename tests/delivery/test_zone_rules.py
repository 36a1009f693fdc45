"""A new release of the time zone database, between a publish and a reminder."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from calfeed.delivery.due import REVIEW_WINDOW, LateReminderPacer, fire_due, review_plans
from calfeed.ical.comparison.changes import Kind
from calfeed.ical.zones.vtimezones import render_vtimezone
from tests.delivery.releases import forget, put_rules, releases
from tests.publish.desk import BASE, Desk

HOUR = timedelta(hours=1)
TIMED = "it:\n  summary: It\n  start: 2025-06-30 10:00\n  reminders: [1 day]\n"
WHOLE_DAY = "it:\n  summary: It\n  start: 2025-06-30\n  reminders: [1 day]\n"
DAILY = TIMED + "  repeat: {rule: FREQ=DAILY;COUNT=2}\n"


@pytest.fixture
def put_karachi(tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """Give Karachi the rules of another zone from now on, as a process knows them that starts."""
    former = zoneinfo.TZPATH

    def put(other: str) -> None:
        put_rules(tmp_path, "Asia/Karachi", other)
        zoneinfo.reset_tzpath([tmp_path])
        forget()

    yield put
    zoneinfo.reset_tzpath(former)
    forget()


def test_a_reminder_that_is_due_later_by_the_new_rules_waits_for_it(
    desk: Desk, put_karachi: Callable[[str], None]
) -> None:
    desk.publish(WHOLE_DAY)
    (row,) = desk.reminders()
    put_karachi("Asia/Dubai")
    assert fire_due(desk.database, row.due, BASE, LateReminderPacer()) == 1
    (later,) = desk.reminders()
    assert (later.key, later.state, later.due) == (row.key, "planned", row.due + HOUR)
    assert later.until == row.until + HOUR
    assert fire_due(desk.database, later.due - HOUR / 60, BASE, LateReminderPacer()) == 0
    assert fire_due(desk.database, later.due, BASE, LateReminderPacer()) == 1
    assert [state for _, state in desk.states()] == ["sent"]


def test_due_times_are_looked_at_again_before_they_come(
    desk: Desk, put_karachi: Callable[[str], None]
) -> None:
    desk.publish(WHOLE_DAY)
    (row,) = desk.reminders()
    put_karachi("Asia/Dhaka")
    review_plans(desk.database, row.due - REVIEW_WINDOW, row.due + HOUR)
    (earlier,) = desk.reminders()
    assert (earlier.key, earlier.state, earlier.due) == (row.key, "planned", row.due - HOUR)
    assert fire_due(desk.database, earlier.due, BASE, LateReminderPacer()) == 1


def test_nothing_is_written_where_the_rules_are_the_same(desk: Desk) -> None:
    desk.publish(WHOLE_DAY)
    before = desk.everything()
    review_plans(desk.database, datetime(2025, 6, 1, tzinfo=UTC), datetime(2025, 7, 1, tzinfo=UTC))
    assert desk.everything() == before


@pytest.mark.parametrize("text", [TIMED, DAILY])
def test_an_instant_that_was_published_is_reminded_of_until_it_is_published_anew(
    desk: Desk, put_karachi: Callable[[str], None], text: str
) -> None:
    """Its wall time is another by the new rules; what its file says, only a publish knows."""
    desk.publish(text)
    row = desk.reminders()[0]
    put_karachi("Asia/Dhaka")
    assert fire_due(desk.database, row.due, BASE, LateReminderPacer()) == 1
    assert desk.reminders()[0].state == "sent"


def test_a_publish_by_the_new_rules_gives_the_same_reminders_their_new_times(
    desk: Desk, put_karachi: Callable[[str], None]
) -> None:
    desk.publish(TIMED)
    (row,) = desk.reminders()
    put_karachi("Asia/Dhaka")
    desk.publish(TIMED)
    (earlier,) = desk.reminders()
    assert (earlier.key, earlier.due) == (row.key, row.due - HOUR)


def test_what_went_out_before_is_not_told_again_after_a_publish_by_the_new_rules(
    desk: Desk, put_karachi: Callable[[str], None]
) -> None:
    desk.publish(TIMED)
    (row,) = desk.reminders()
    assert fire_due(desk.database, row.due, BASE, LateReminderPacer()) == 1
    put_karachi("Asia/Dhaka")
    desk.publish(TIMED)
    assert [(one.key, one.state) for one in desk.reminders()] == [(row.key, "sent")]


@pytest.mark.parametrize("text", [TIMED, DAILY])
def test_the_same_hour_by_new_rules_is_no_move(
    desk: Desk, put_karachi: Callable[[str], None], text: str
) -> None:
    """A government changes its clocks: the desk meant ten o'clock, and means it still."""
    desk.add_endpoint()
    desk.publish(text)
    put_karachi("Asia/Dhaka")
    plan = desk.publish(text)
    assert [change.kind for change in plan.changes] == [Kind.CHANGED]
    body = desk.messages()[-1]
    assert body["type"] == "event.changed"
    told = body["data"]["text"]
    assert told == "It: still 30 June 2025, 10:00 +06; the clocks' rules have changed"
    assert body["data"]["previous"]["start"] == body["data"]["event"]["start"]
    assert desk.revisions()["it"].history == ()
    assert b"Was" not in desk.vevents()["it"]
    assert desk.publish(text).empty


LONG_AGO = """it:
  summary: It
  start: 2024-01-01 10:00
  reminders: [1 day]
  repeat: {rule: FREQ=WEEKLY}
"""


def test_a_series_that_began_long_ago_is_told_of_by_its_coming_dates(
    desk: Desk, put_karachi: Callable[[str], None]
) -> None:
    """The clocks change from next year on: its start is at the instant at which it was."""
    desk.add_endpoint()
    put_karachi("Asia/Dhaka")
    desk.publish(LONG_AGO)
    row = desk.reminders()[0]
    put_karachi("Asia/Omsk")  # the same offset
    assert not desk.publish(LONG_AGO).messages
    put_karachi("Asia/Almaty")  # UTC+6 until 2024-03-01, then UTC+5
    plan = desk.publish(LONG_AGO)
    assert [change.kind for change in plan.changes] == [Kind.CHANGED]
    told = desk.messages()[-1]["data"]["text"]
    assert told == "It: still at 10:00; the clocks' rules have changed"
    later = desk.reminders()[0]
    assert (later.key, later.due) == (row.key, row.due + HOUR)
    assert desk.revisions()["it"].history == ()
    assert desk.publish(LONG_AGO).empty


def test_new_rules_that_are_taken_back_within_the_grace_time_are_told_to_nobody(
    desk: Desk, put_karachi: Callable[[str], None]
) -> None:
    desk.add_endpoint()
    put_karachi("Asia/Dhaka")
    desk.publish(LONG_AGO)
    before = len(desk.messages())
    put_karachi("Asia/Almaty")
    assert desk.publish(LONG_AGO, grace=HOUR).waiting
    put_karachi("Asia/Dhaka")
    assert not desk.publish(LONG_AGO, grace=HOUR).waiting
    assert len(desk.messages()) == before


def test_an_edit_after_new_rules_says_what_was_published_and_what_is_new(
    desk: Desk, put_karachi: Callable[[str], None]
) -> None:
    desk.add_endpoint()
    desk.publish(TIMED)
    put_karachi("Asia/Dhaka")
    desk.publish(TIMED.replace("10:00", "11:00"))
    desk.publish(TIMED.replace("10:00", "11:00").replace("summary: It", "summary: Other"))
    assert [body["data"]["text"] for body in desk.messages()[1:]] == [
        "It: moved from 30 June 2025, 10:00 +06 to 30 June 2025, 11:00 +06",
        "Other: changed, 30 June 2025, 11:00 +06",
    ]
    put_karachi("Asia/Dubai")
    (move,) = desk.revisions()["it"].history
    assert f"{move.start:%H:%M}" == "10:00", "what was published stays what it was"


def test_what_is_worked_out_by_other_rules_is_forgotten_with_them() -> None:
    """So that no test leaves the rules it has put in to those that come after it."""
    before = render_vtimezone("Asia/Karachi", 2025, 2026)
    with releases(["Asia/Karachi", "Europe/London"], [1]) as found:
        found.install(1)
        assert b"TZNAME:BST" in render_vtimezone("Asia/Karachi", 2025, 2026)
    assert render_vtimezone("Asia/Karachi", 2025, 2026) == before
