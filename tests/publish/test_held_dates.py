"""Changes of dates: firmed, loosened, moved, postponed, corrected, done, under embargo."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from calfeed.ical.comparison.changes import Kind
from calfeed.model.dates.dating import Hold
from calfeed.model.dates.uncertainty import Precision
from calfeed.publish.held_dates import next_lift
from tests.definitions.counted import read, write_calendar
from tests.publish.dated import publish, publish_events, publish_start, tell
from tests.publish.desk import Desk

# From one start to another: what the message calls it, and its text after the title.
SHIFTS = {
    ("2030-06", "2030-06-12"): ("firmed", "firmed from June 2030 to 12 June 2030"),
    ("2030-06", "mid-June 2030"): ("firmed", "firmed from June 2030 to mid-June 2030"),
    ("2030", "2030-Q3"): ("firmed", "firmed from 2030 to third quarter of 2030"),
    ("2030-06", "2030-06-12 17:00"): (
        *("firmed", "firmed from June 2030 to 12 June 2030, 17:00 BST"),
    ),
    ("2030-06-12 time to be confirmed", "2030-06-12 17:00"): (
        *("firmed", "firmed from 12 June 2030, time to be confirmed to 12 June 2030, 17:00 BST"),
    ),
    ("2030-06-12", "2030-06"): ("loosened", "loosened from 12 June 2030 to June 2030"),
    ("2030-06", "2030-H1"): ("loosened", "loosened from June 2030 to first half of 2030"),
    ("2030-06-12", "2030-06-12 time to be confirmed"): (
        *("loosened", "loosened from 12 June 2030 to 12 June 2030, time to be confirmed"),
    ),
    ("2030-06-12", "2030-06-14"): ("moved", "moved from 12 June 2030 to 14 June 2030"),
    ("2030-06", "2030-07"): ("moved", "moved from June 2030 to July 2030"),
    ("2030-06", "2030-07-03"): ("moved", "moved from June 2030 to 3 July 2030"),
    ("2030-06-12", "2030-07"): ("moved", "moved from 12 June 2030 to July 2030"),
    ("2030-Q2", "2030-06-20..2030-07-03"): ("moved", None),
    ("2030-06-12", "postponed"): ("postponed", "postponed; it was 12 June 2030"),
    ("2030-06", "postponed"): ("postponed", "postponed; it was June 2030"),
}


@pytest.mark.parametrize(("before", "after"), SHIFTS)
def test_a_move_says_what_it_did_to_what_is_known(desk: Desk, before: str, after: str) -> None:
    desk.add_endpoint()
    assert publish_start(desk, before)["type"] == "event.added"
    message = publish_start(desk, after)
    shift, text = SHIFTS[before, after]
    assert (message["type"], message["change"]) == ("event.moved", shift)
    if text is not None:
        assert message["text"] == f"It: {text}"
    (move,) = desk.revisions()["it"].history
    assert (move.on, move.corrected, move.held) == (desk.now.date(), False, None)
    assert "cause" not in message


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("2030-06", "2030-06-01..2030-06-30"),
        ("2030-06-01..2030-06-30", "2030-06"),
        ("2030-H1", "2030-01..2030-06"),
    ],
)
def test_other_words_for_the_same_days_are_no_move(desk: Desk, before: str, after: str) -> None:
    desk.add_endpoint()
    publish_start(desk, before)
    message = publish_start(desk, after)
    assert message["type"] == "event.changed"
    assert "change" not in message
    assert desk.revisions()["it"].history == ()


def test_a_message_has_the_days_precision_and_edtf_of_an_uncertain_date(desk: Desk) -> None:
    desk.add_endpoint()
    event = publish_start(desk, "2030-Q3")["event"]
    assert (event["start"], event["end"]) == ("2030-07-01", "2030-10-01")
    quarter = {
        "earliest": "2030-07-01",
        "latest": "2030-09-30",
        "precision": "quarter",
        "edtf": "2030-35",
        "text": "third quarter of 2030",
    }
    assert event["when"] == quarter
    message = publish_start(desk, "2030-08-05")
    assert "when" not in message["event"]
    assert message["previous"]["when"] == quarter


def test_a_postponed_event_keeps_its_former_date_and_comes_back_with_a_new_one(desk: Desk) -> None:
    desk.add_endpoint()
    publish_start(desk, "2030-06-12 17:00")
    message = publish_start(desk, "postponed")
    assert message["event"]["on_hold"] == {"why": "postponed"}
    assert message["event"]["start"] == "2030-06-12T17:00:00+01:00"
    held = desk.revisions()["it"]
    assert held.event.on_hold is not None
    # Postponed still: nothing to tell, and the date is kept.
    assert publish_start(desk, "postponed") == {}
    back = publish_start(desk, "2030-09-01")
    assert (back["type"], back["change"]) == ("event.moved", "moved")
    assert back["previous"]["on_hold"] == {"why": "postponed"}
    assert "on_hold" not in back["event"]
    assert back["text"] == "It: now 1 September 2030; it was postponed"
    first, second = desk.revisions()["it"].history
    assert (first.held, second.held) == (None, Hold.POSTPONED)
    assert first.start == second.start == held.event.start
    assert desk.ledger("it") == [("added", 0), ("moved", 1), ("moved", 2)]


def test_an_event_may_come_back_on_the_day_it_was_postponed_from(desk: Desk) -> None:
    desk.add_endpoint()
    publish_start(desk, "2030-06-12")
    publish_start(desk, "postponed")
    back = publish_start(desk, "2030-06-12")
    assert (back["type"], back["change"]) == ("event.moved", "moved")
    assert back["text"] == "It: now 12 June 2030; it was postponed"


def test_a_new_event_that_is_postponed_is_shown_only_with_a_former_date(desk: Desk) -> None:
    desk.add_endpoint()
    plan = publish(desk, {"desk": write_calendar("it: {summary: It, start: postponed}")})
    assert desk.revisions() == {}
    (warning,) = plan.warnings
    assert "is postponed, but no date was published before" in str(warning)
    assert str(warning).startswith("events/desk.yaml:4:21: warning:")
    message = publish_start(desk, "postponed from mid-June 2030")
    assert message["type"] == "event.added"
    event = desk.revisions()["it"].event
    assert (event.start, event.precision) == (date(2030, 6, 11), Precision.PART)


def test_a_correction_of_the_last_announced_date_is_no_move(desk: Desk) -> None:
    desk.add_endpoint()
    publish_start(desk, "2030-06-12")
    message = publish_start(desk, "2030-06-21", "correction: {was: 2030-06-12}")
    assert message["type"] == "event.corrected"
    assert "change" not in message
    assert message["previous"]["start"] == "2030-06-12"
    assert message["text"] == (
        "It: corrected from 12 June 2030 to 21 June 2030; the earlier date was wrong"
    )
    (move,) = desk.revisions()["it"].history
    assert move.corrected
    assert desk.ledger("it") == [("added", 0), ("corrected", 1)]
    # The key stays in the file, and does not make a correction of the next move.
    later = publish_start(desk, "2030-06-28", "correction: {was: 2030-06-12}")
    assert (later["type"], later["change"]) == ("event.moved", "moved")
    assert [move.corrected for move in desk.revisions()["it"].history] == [True, False]
    assert publish_start(desk, "2030-06-28") == {}, "nobody is told that the key is gone"


@pytest.mark.parametrize(
    ("before", "was", "corrected"),
    [
        ("2030-06-12", "2030-06-12", True),
        ("2030-06-12", "2030-06-13", False),
        ("2030-06-12 17:00", "2030-06-12 17:00", True),
        ("2030-06-12 17:00", "2030-06-12", True),
        ("2030-06-12 17:00", "2030-06-12 18:00", False),
        ("2030-06", "2030-06", True),
        ("2030-06", "2030-06-01", False),
        ("2030-06-01", "2030-06", False),
        ("2030-06-03..2030-06-07", "2030-06-03..2030-06-07", True),
        ("2030-06-12 time TBC", "2030-06-12 time TBC", True),
    ],
)
def test_a_correction_names_the_last_date_or_has_no_effect(
    desk: Desk, before: str, was: str, corrected: bool
) -> None:
    desk.add_endpoint()
    publish_start(desk, before)
    message = publish_start(desk, "2030-06-21", f'correction: {{was: "{was}"}}')
    assert (message["type"] == "event.corrected") is corrected


def test_a_deadline_that_is_met_is_told_once_and_reminds_nobody(desk: Desk) -> None:
    desk.add_endpoint()
    keys = "kind: deadline, reminders: [1 week]"
    publish_start(desk, "2025-06-30", keys)
    assert [row.state for row in desk.reminders()] == ["planned"]
    message = publish_start(desk, "2025-06-30", f"{keys}, done: 2025-06-12")
    assert message["type"] == "event.changed"
    assert message["event"]["done"] == {"as": "met", "date": "2025-06-12"}
    assert [row.state for row in desk.reminders()] == ["withdrawn"]
    waived = publish_start(desk, "2025-06-30", f"{keys}, done: waived")
    assert waived["event"]["done"] == {"as": "waived", "date": None}
    publish_start(desk, "2025-06-30", keys)
    assert [row.state for row in desk.reminders()] == ["planned"]


@pytest.mark.parametrize(
    ("start", "states"),
    {
        "2025-06-30": ["planned"],
        "2025-06-30..2025-07-03": ["planned"],
        "2025-06-30 time TBC": ["planned"],
        "2025-07": ["withdrawn"],
        "postponed": ["withdrawn"],
    }.items(),
)
def test_reminders_are_planned_only_while_the_day_is_known_to_a_week(
    desk: Desk, start: str, states: list[str]
) -> None:
    publish_start(desk, "2025-06-30", "reminders: [1 week]")
    publish_start(desk, start, "reminders: [1 week]")
    assert [row.state for row in desk.reminders()] == states


EMBARGOED = """
    report: {{summary: Report, start: {start}, embargo: 2025-06-01 20:00}}
    reply: {{summary: Reply, start: 3 days after report}}
    review: {{summary: Review, start: 1 week after reply}}
    other: {{summary: Other, start: 2025-09-01}}
    """


def _publish_embargoed(desk: Desk, start: str) -> dict[str, Any]:
    return publish_events(desk, EMBARGOED.format(start=start))


def test_nothing_shows_an_event_under_embargo_or_a_date_counted_from_it(desk: Desk) -> None:
    desk.add_endpoint()
    told = _publish_embargoed(desk, "2025-07-01")
    assert set(told) == set(desk.revisions()) == {"other"}
    assert "eport" not in str(desk.everything())
    desk.now = datetime(2025, 6, 1, 19, tzinfo=UTC)  # an hour later it is 21:00 in London
    told = _publish_embargoed(desk, "2025-07-01")
    assert {slug: message["type"] for slug, message in told.items()} == dict.fromkeys(
        ("report", "reply", "review"), "event.added"
    )


def test_a_published_event_stays_as_it_is_until_the_embargo_on_its_change_is_lifted(
    desk: Desk,
) -> None:
    desk.add_endpoint()
    publish_events(
        desk, EMBARGOED.format(start="2025-07-01").replace(", embargo: 2025-06-01 20:00", "")
    )
    before = desk.vevents()
    for start in ("2025-07-08", "2025-08", "postponed"):
        assert _publish_embargoed(desk, start) == {}
        assert desk.vevents() == before
    desk.now = datetime(2025, 6, 1, 19, tzinfo=UTC)
    told = _publish_embargoed(desk, "2025-07-08")
    assert {slug: message["type"] for slug, message in told.items()} == dict.fromkeys(
        ("report", "reply", "review"), "event.moved"
    )


def test_the_next_embargo_to_be_lifted_is_known(desk: Desk) -> None:
    events = """
        one: {summary: One, start: 2030-07-01, embargo: 2030-05-02 00:01}
        two: {summary: Two, start: 2030-07-01, embargo: 2030-04-02}
        """
    defined = read({"desk": write_calendar(events)})
    first, second = (
        datetime(2030, 4, 1, 23, tzinfo=UTC),
        datetime(2030, 5, 1, 23, 1, tzinfo=UTC),
    )
    assert next_lift(defined, desk.now) == first
    assert next_lift(defined, first) == second
    assert next_lift(defined, second) is None


def test_publishing_the_same_dates_twice_changes_no_row(desk: Desk) -> None:
    desk.add_endpoint()
    events = """
        certain: {summary: A, start: 2030-06-12}
        vague: {summary: B, start: 2030-Q3}
        held: {summary: C, start: postponed from 2030-06-12}
        counted: {summary: D, start: 3 working days after vague, reminders: [3 working days]}
        waiting: {summary: E, start: 3 days after held}
        done: {summary: F, start: 2030-06-12, done: met, correction: {was: 2030-06-10}}
        """
    head = "working_days: {holidays: [PK]}"
    publish_events(desk, events, head)
    before = desk.everything()
    desk.now += timedelta(days=1)
    plan = publish(desk, {"desk": write_calendar(events, head)})
    assert plan.empty
    assert tell(plan) == {}
    assert plan.count(*Kind) == 0
    assert desk.everything() == before
