"""What search engines are told of an event keeps to Google's rules for events."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.web.published import NOW, make_site

Described = dict[str, Any]

_DESK = """
name: Desk
time_zone: Asia/Karachi
events:
  plain: {{summary: Plain, start: {day}, location: Room 4}}
  timed: {{summary: Timed, start: {day} 10:00, duration: 2 hours, location: {{en: Hall}}}}
  online: {{summary: Online, start: {day} 10:00, conference: "https://meet.example.org/1"}}
  both:
    summary: Both
    description: Come here, or listen.
    start: {day} 10:00
    location: Room 4
    geo: 24.86, 67.01
    conference: {{url: "https://meet.example.org/1", label: Meeting}}
    organizer: {{name: The desk, email: desk@example.org}}
  nowhere: {{summary: Nowhere, start: {day}}}
  off: {{summary: Off, start: {day}, location: Room 4, status: cancelled}}
  later: {{summary: Later, start: {later}, location: Room 4}}
"""
ELIGIBLE = ("plain", "timed", "online", "both", "off", "later")


def is_time(text: object) -> bool:
    """A day, or a time with its offset from UTC."""
    if re.fullmatch(r"\d{4}-\d\d-\d\d", str(text)):
        return date.fromisoformat(str(text)) is not None
    return datetime.fromisoformat(str(text)).tzinfo is not None


def list_locations(found: Described) -> list[Described]:
    locations = found.get("location", [])
    return locations if isinstance(locations, list) else [locations]


def is_located(found: Described) -> bool:
    return all(
        one["address"] and one["name"]
        if one["@type"] == "Place"
        else one["@type"] == "VirtualLocation" and one["url"].startswith("https://")
        for one in list_locations(found)
    )


def fits_attendance(found: Described) -> bool:
    kinds = {one["@type"] for one in list_locations(found)}
    fitting = {
        frozenset({"Place"}): "OfflineEventAttendanceMode",
        frozenset({"VirtualLocation"}): "OnlineEventAttendanceMode",
        frozenset({"Place", "VirtualLocation"}): "MixedEventAttendanceMode",
    }
    mode = fitting.get(frozenset(kinds))
    return found.get("eventAttendanceMode") == (mode and f"https://schema.org/{mode}")


STATES = {"EventScheduled", "EventCancelled", "EventPostponed", "EventRescheduled"}
RULES: dict[str, Callable[[Described], bool]] = {
    "it is an event": lambda it: (it["@context"], it["@type"]) == ("https://schema.org", "Event"),
    "name is required, and a text": lambda it: bool(it["name"]),
    "startDate is required, a day or a time with its offset": lambda it: is_time(it["startDate"]),
    "endDate is such a time, and not earlier": lambda it: (
        "endDate" not in it or (is_time(it["endDate"]) and it["endDate"] >= it["startDate"])
    ),
    "a place has an address, and online a URL": is_located,
    "how people attend fits where it is": fits_attendance,
    "eventStatus is one of schema.org's": lambda it: (
        it["eventStatus"].removeprefix("https://schema.org/") in STATES
    ),
    "previousStartDate goes with EventRescheduled, and only with it": lambda it: (
        ("previousStartDate" in it) == it["eventStatus"].endswith("EventRescheduled")
    ),
    "image is a list of absolute URLs": lambda it: (
        "image" not in it or all(url.startswith("https://") for url in it["image"])
    ),
    "an organizer has a type and a name": lambda it: (
        "organizer" not in it or it["organizer"].keys() >= {"@type", "name"}
    ),
    "url is that of its page": lambda it: it["url"].startswith("https://example.org/calendars/"),
    "nothing is empty": lambda it: all(value not in ("", None, [], {}) for value in it.values()),
}


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Described]:
    """What the page of each event says, after one has moved."""
    site = make_site(Path(tmp_path_factory.mktemp("site")))
    site.publish({"desk": _DESK.format(day="2026-12-11", later="2026-12-12")})
    site.now = NOW.replace(day=25)
    site.publish({"desk": _DESK.format(day="2026-12-11", later="2026-12-19")})
    found = {}
    for slug in site.state.snapshot.calendars["desk"].by_slug:
        page = site.get(f"/calendars/desk/{slug}/").text
        (text,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page)
        found[slug] = json.loads(text)
    site.database.close()
    return found


@pytest.mark.parametrize("rule", RULES)
def test_every_event_keeps_the_rule(described: dict[str, Described], rule: str) -> None:
    assert [slug for slug, found in described.items() if not RULES[rule](found)] == []


def test_an_event_with_a_place_or_a_url_has_the_location_that_google_requires(
    described: dict[str, Described],
) -> None:
    assert {slug for slug, found in described.items() if "location" in found} == {*ELIGIBLE}


def test_an_event_says_what_is_known_of_it(described: dict[str, Described]) -> None:
    both = described["both"]
    place, online = both["location"]
    assert place["geo"] == {"@type": "GeoCoordinates", "latitude": 24.86, "longitude": 67.01}
    assert online == {"@type": "VirtualLocation", "url": "https://meet.example.org/1"}
    assert both["organizer"]["name"] == "The desk"
    assert both["description"] == "Come here, or listen."
    later = described["later"]
    assert (later["startDate"], later["previousStartDate"]) == ("2026-12-19", "2026-12-12")
    assert described["off"]["eventStatus"] == "https://schema.org/EventCancelled"
