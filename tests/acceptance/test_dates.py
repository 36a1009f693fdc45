"""Uncertain and counted dates, from the file to the feed and the webhook, with real processes."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import icalendar
import pytest

from tests.acceptance.receiver import Receiver
from tests.acceptance.site import Site, until

DESK = """\
name: Desk
time_zone: Asia/Karachi
working_days: {holidays: [PK]}
events:
  ruling: {summary: Ruling, start: 2030-06}
  appeal: {summary: Appeal, kind: deadline, start: 14 days after ruling, roll: next}
  papers: {summary: Papers, start: 3 working days before appeal, at: "17:00"}
"""
FEED = "/calendars/desk.ics"


def read_feed(site: Site) -> dict[str, Any]:
    """The events of the desk's feed by their titles, without what leads these."""
    calendar = icalendar.Calendar.from_ical(site.get(FEED)[0])
    return {
        str(event["SUMMARY"]).rpartition(": ")[2].removeprefix("✓ "): event
        for event in calendar.walk("VEVENT")
    }


def change(site: Site, old: str, new: str) -> None:
    """Edit the desk's file, and wait until it is served."""
    before = site.etag(FEED)
    site.edit("desk.yaml", old, new)
    until(lambda: site.etag(FEED) != before, "the change is served")


def wait_for(receiver: Receiver, kind: str, titles: set[str]) -> dict[str, Any]:
    """Wait for one message of a type about each of these, and return their data by title."""

    def look() -> list[Any]:
        posts = receiver.of_type(kind)
        return (
            posts if {post.message["data"]["event"]["summary"] for post in posts} == titles else []
        )

    messages = [post.message["data"] for post in until(look, f"{kind} of {sorted(titles)}")]
    assert len(messages) == len(titles), "each is told once"
    receiver.posts.clear()
    return {message["event"]["summary"]: message for message in messages}


def test_a_date_becomes_known_moves_and_is_postponed_with_all_that_is_counted_from_it(
    site: Site, receiver: Receiver
) -> None:
    site.environment["CALFEED_GRACE"] = "0"
    site.write("desk.yaml", DESK)
    with site.serving("--processes", "1"):
        site.do("endpoint", "add", receiver.url, "--type", "event.moved", "--calendar", "desk")
        found = read_feed(site)
        assert str(found["Ruling"]["SUMMARY"]) == "June 2030, day open: Ruling"
        assert {str(event["STATUS"]) for event in found.values()} == {"TENTATIVE"}
        assert {event["DTSTART"].dt for event in found.values()} == {
            *(date(2030, 6, 1), date(2030, 6, 17), date(2030, 6, 12))
        }
        change(site, "start: 2030-06}", "start: 2030-06-12}")
        found = read_feed(site)
        assert found["Appeal"]["DTSTART"].dt == date(2030, 6, 26)
        assert found["Papers"]["DTSTART"].dt.astimezone(UTC) == datetime(
            2030, 6, 21, 12, tzinfo=UTC
        )
        told = wait_for(receiver, "event.moved", {"Ruling", "Appeal", "Papers"})
        assert {message["change"] for message in told.values()} == {"firmed"}
        assert told["Papers"]["cause"]["event"] == "appeal"
        change(site, "start: 2030-06-12}", "start: postponed}")
        found = read_feed(site)
        assert {str(event["STATUS"]) for event in found.values()} == {"CANCELLED"}
        assert str(found["Papers"]["SUMMARY"]) == "Waiting for Appeal: Papers"
        told = wait_for(receiver, "event.moved", {"Ruling", "Appeal", "Papers"})
        assert {message["change"] for message in told.values()} == {"postponed"}
        assert told["Ruling"]["event"]["on_hold"] == {"why": "postponed"}
        assert told["Papers"]["event"]["on_hold"]["why"] == "waiting"


def test_a_proclaimed_holiday_in_the_folders_file_moves_the_dates_of_every_calendar(
    site: Site, receiver: Receiver
) -> None:
    events = """\
name: {name}
time_zone: Asia/Karachi
events:
  hearing: {{summary: Hearing, start: 2030-06-14}}
  papers: {{summary: Papers of {name}, start: 3 working days before hearing}}
"""
    site.environment["CALFEED_GRACE"] = "0"
    site.write("working_days.yaml", "holidays: [PK]\n")
    for name in ("desk", "court"):
        site.write(f"{name}.yaml", events.format(name=name))
    with site.serving("--processes", "1"):
        site.do("endpoint", "add", receiver.url, "--type", "event.moved")
        before = site.etag(FEED)
        closed = "closed: [{date: 2030-06-12, title: Gazetted}]"
        site.write("working_days.yaml", f"holidays: [PK]\n{closed}\n")
        until(lambda: site.etag(FEED) != before, "the change is served")
        told = wait_for(receiver, "event.moved", {"Papers of desk", "Papers of court"})
        for message in told.values():
            assert message["event"]["start"] == "2030-06-10"
            assert message["cause"]["added"] == [
                {"date": "2030-06-12", "name": "Gazetted", "estimated": False}
            ]


def test_an_event_appears_when_its_embargo_is_lifted_without_an_edit(site: Site) -> None:
    lift = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=20)
    site.write(
        "desk.yaml",
        f"""\
name: Desk
time_zone: UTC
events:
  other: {{summary: Other, start: 2030-06-01}}
  report: {{summary: Report, start: 2030-06-28, embargo: "{lift:%Y-%m-%d %H:%M:%S}"}}
  reply: {{summary: Reply, start: 3 days after report}}
""",
    )
    with site.serving("--processes", "1"):

        def look() -> bool:
            titles = set(read_feed(site))
            # Read after the feed: only of an answer before the moment it is sure what is right.
            if datetime.now(UTC) < lift:
                assert titles == {"Other"}
            return titles == {"Other", "Report", "Reply"}

        until(look, "the embargo is lifted")


@pytest.mark.parametrize("command", ["check", "diff"])
def test_a_command_names_the_whole_cycle_with_its_lines(site: Site, command: str) -> None:
    site.write(
        "desk.yaml",
        "name: Desk\ntime_zone: UTC\nevents:\n"
        "  one: {summary: One, start: 1 day after two}\n"
        "  two: {summary: Two, start: 1 day after one}\n",
    )
    run = site.run(command)
    assert run.returncode != 0
    said = run.stdout + run.stderr
    assert "desk/one ← desk/two ← desk/one" in said
    assert "desk/two in events/desk.yaml, line 5" in said
    assert "Traceback" not in said


def test_diff_shows_what_moves_with_a_cause_and_why(site: Site) -> None:
    site.write("desk.yaml", DESK.replace("start: 2030-06}", "start: 2030-06-12}"))
    site.do("publish")
    site.edit("desk.yaml", "2030-06-12}", "2030-06-19}")
    said = site.do("diff")
    assert "desk/ruling: moved from 12 June 2030 to 19 June 2030" in said
    assert (
        "desk/appeal: moved from 26 June 2030 to 3 July 2030, because Ruling moved from 12 June "
        "2030 to 19 June 2030" in said
    )
    events = json.loads(site.do("diff", "--json"))["events"]
    causes = {event["event"]: event.get("cause", {}).get("event") for event in events}
    assert causes == {"ruling": None, "appeal": "ruling", "papers": "appeal"}
