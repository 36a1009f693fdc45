"""The other shapes of the published state."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree

import icalendar
import pytest

from calfeed.publish.announce import announce_due
from tests.web.published import BASE, Published, make_site

DESK = """
name: {en: Desk, ur: ڈیسک}
time_zone: Asia/Karachi
events:
  stay:
    summary: {en: "The stay, extended", ur: قیام}
    start: 2027-06-30
    kind: deadline
  sum: {summary: "=1+1", start: 2027-01-01 10:00}
"""
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Published]:
    site = make_site(tmp_path)
    site.publish({"desk": DESK})
    site.now += timedelta(hours=1)
    moved = DESK.replace("06-30", "07-31\n    note: extended again")
    site.publish({"desk": moved})
    yield site
    site.database.close()


def test_json_tells_every_language_and_the_history_of_a_move(site: Published) -> None:
    found = json.loads(site.get("/calendars/desk.json").text)
    stay = next(event for event in found["events"] if event["slug"] == "stay")
    assert stay["start"] == "2027-07-31"
    assert stay["texts"]["summary"] == {"en": "The stay, extended", "ur": "قیام"}
    assert stay["history"] == [
        {
            "start": "2027-06-30",
            "end": "2027-07-01",
            "moved_on": "2026-11-23",
            "note": "extended again",
        }
    ]


def test_jcal_is_the_feed(site: Published) -> None:
    feed = icalendar.Calendar.from_ical(site.get("/calendars/desk.ics").data)
    assert json.loads(site.get("/calendars/desk.jcal").text) == feed.to_jcal()


def test_csv_has_a_line_for_each_event_and_no_formulas(site: Published) -> None:
    rows = list(csv.DictReader(io.StringIO(site.get("/calendars/desk.csv").text)))
    assert [row["summary"] for row in rows] == ["The stay, extended", "'=1+1"]
    assert rows[0]["kind"] == "deadline"


@pytest.mark.parametrize("path", ["/changes.atom", "/calendars/desk/changes.atom"])
def test_atom_tells_what_moved_with_both_times_newest_first(site: Published, path: str) -> None:
    feed = ElementTree.fromstring(site.get(path).text)
    entries = feed.findall(f"{ATOM}entry")
    assert len(entries) == 3
    told = entries[0].findtext(f"{ATOM}content") or ""
    assert "31 July 2027" in told
    assert "30 June 2027" in told
    assert "extended again" in told
    assert len({entry.findtext(f"{ATOM}id") for entry in entries}) == 3


def test_what_waits_to_be_announced_has_not_moved_anywhere_but_has_its_new_date(
    site: Published,
) -> None:
    atom = site.get("/changes.atom").text
    later = DESK.replace("06-30", "08-31\n    note: and again")
    site.publish({"desk": later}, grace=timedelta(minutes=2))
    page = site.get("/calendars/desk/stay/").text
    assert "31 August 2027" in page
    assert "and again" not in page
    stay = json.loads(site.get("/calendars/desk.json").text)["events"][0]
    assert (stay["start"], len(stay["history"])) == ("2027-08-31", 1)
    assert site.get("/changes.atom").text == atom
    site.now += timedelta(minutes=2)
    assert announce_due(site.database, site.now, BASE) == 1
    assert site.state.refresh()
    assert "and again" in site.get("/calendars/desk/stay/").text
    stay = json.loads(site.get("/calendars/desk.json").text)["events"][0]
    assert len(stay["history"]) == 2
    told = site.get("/changes.atom").text
    assert "Moved from 31 July 2027 to 31 August 2027: and again" in told


def test_why_it_was_cancelled_is_on_its_page(site: Published) -> None:
    cancelled = DESK.replace("kind: deadline", "status: cancelled\n    note: The law changed")
    site.publish({"desk": cancelled})
    assert "The law changed" in site.get("/calendars/desk/stay/").text


def test_an_event_page_carries_its_date_for_search_engines(site: Published) -> None:
    page = site.get("/calendars/desk/stay/").text
    start = page.index('<script type="application/ld+json">') + 35
    found = json.loads(page[start : page.index("</script>", start)])
    assert found["startDate"] == found["endDate"] == "2027-07-31"
    assert found["previousStartDate"] == "2027-06-30"
    assert found["eventStatus"].endswith("EventRescheduled")


def test_shapes_are_answered_like_feeds_and_change_with_the_state(site: Published) -> None:
    tag = site.get("/calendars/desk.json").headers["ETag"]
    assert site.get("/calendars/desk.json", If_None_Match=tag).status_code == 304
    site.publish({"desk": DESK})
    assert site.get("/calendars/desk.json", If_None_Match=tag).status_code == 200
