"""A plan as people and programs read it."""

from __future__ import annotations

import json

from calfeed.publish.show import show_json, show_markdown, show_text, summarize
from tests.publish.desk import OTHERS, STAY, Desk

JUNE = STAY.format(start="2025-06-30")
MOVED = STAY.format(start="2025-08-31") + "  note: extended\n"


def test_text_says_what_happens_to_each_event_and_sums_it_up(desk: Desk) -> None:
    assert show_text(desk.publish(JUNE)).splitlines() == [
        "calendar desk: new or changed",
        "+ desk/stay: added, 30 June 2025 (The stay ends)",
        "1 event added, 1 calendar new or changed; 2 reminders planned, 0 withdrawn",
    ]
    assert show_text(desk.publish(MOVED, OTHERS)).splitlines()[-2:] == [
        "> desk/stay: moved from 30 June 2025 to 31 August 2025",
        "4 events added, 1 event moved; 2 reminders planned, 2 withdrawn",
    ]
    cancelled = OTHERS.replace("Other 1", "Other one") + MOVED + "  status: cancelled\n"
    lines = show_text(desk.publish(cancelled)).splitlines()
    assert lines[0].startswith("~ desk/other-1: changed")
    assert lines[1].startswith("x desk/stay: cancelled")
    assert show_text(desk.publish(OTHERS)).splitlines()[-2].startswith("- desk/stay: withdrawn")


def test_nothing_to_publish_is_said_in_one_line(desk: Desk) -> None:
    desk.publish(JUNE)
    plan = desk.publish(JUNE)
    assert show_text(plan) == summarize(plan)
    assert show_text(plan).startswith("nothing to publish")
    assert show_markdown(plan).startswith("Nothing to publish")


def test_markdown_is_a_table_whatever_a_title_holds(desk: Desk) -> None:
    desk.publish(JUNE)
    table = show_markdown(desk.publish(MOVED.replace("The stay ends", "'Stay | ends'")))
    assert table.splitlines() == [
        "| | event | when | was |",
        "|---|---|---|---|",
        "| moved | Stay \\| ends (`desk/stay`) | 31 August 2025 | 30 June 2025 |",
        "",
        "**1 event moved; 2 reminders planned, 2 withdrawn**",
    ]


def test_json_has_the_old_time_of_what_moved_and_every_reminder(desk: Desk) -> None:
    desk.add_endpoint()
    desk.publish(JUNE)
    shown = json.loads(json.dumps(show_json(desk.publish(MOVED))))
    (event,) = shown["events"]
    assert (event["change"], event["calendar"], event["event"]) == ("moved", "desk", "stay")
    assert (event["start"], event["previous"]["start"]) == ("2025-08-31", "2025-06-30")
    assert event["sequence"] == 1
    assert [one["due"] for one in shown["reminders"]["planned"]] == [
        "2025-08-24T09:00:00+05:00",
        "2025-08-30T09:00:00+05:00",
    ]
    assert len(shown["reminders"]["withdrawn"]) == 2
    assert [message["type"] for message in shown["messages"]] == ["event.moved"]
