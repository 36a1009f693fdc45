"""A feed's jCal equals icalendar's reading of the feed, and keeps texts as written."""

from __future__ import annotations

import json
from typing import Any

import icalendar
import pytest
from hypothesis import given

from calfeed.definitions.reader import read_definitions
from calfeed.ical.feed import Heading, join_feed
from calfeed.ical.jcal import render_jcal
from tests.acceptance.site import SHIPPED
from tests.ical.clients import render_feed
from tests.ical.corpus import make_part
from tests.ical.defining import define_event, render_first
from tests.ical.test_escaping import lines, render
from tests.ical.test_rich_events import RICH


def read_by_icalendar(feed: bytes) -> Any:
    """A feed's jCal by icalendar, but that it takes the wall times of Iceland and Ghana for UTC."""
    read = json.loads(json.dumps(icalendar.Calendar.from_ical(feed).to_jcal()))
    for _, properties, _ in read[2]:
        for one in properties:
            if "tzid" in one[1]:
                one[3:] = [moment.removesuffix("Z") for moment in one[3:]]
    return read


@pytest.mark.parametrize("number", range(4))
def test_jcal_is_what_icalendar_reads(number: int) -> None:
    feed = render_feed(make_part(1, number)[0])
    assert json.loads(render_jcal(feed)) == read_by_icalendar(feed)


def test_jcal_of_everything_that_an_event_can_say_is_what_icalendar_reads() -> None:
    files = {f"events/{path.name}": path.read_bytes() for path in SHIPPED.glob("*.yaml")}
    for calendar in read_definitions({**files, "events/rich.yaml": RICH.encode()}).calendars:
        feed = render_feed(calendar)
        assert json.loads(render_jcal(feed)) == read_by_icalendar(feed)


@given(lines)
def test_texts_are_in_jcal_as_they_were_written(text: str) -> None:
    feed = join_feed(Heading("It", None), [], [render(text)])
    (event,) = json.loads(render_jcal(feed))[2]
    said = {name: value for name, _, _, value in event[1]}
    assert said["summary"] == said["location"] == said["contact"] == text
    assert said["description"] == f"{text}\n{text}"
    assert said["categories"] == text


def test_jcal_of_an_empty_feed_is_an_empty_calendar() -> None:
    feed = join_feed(Heading("It", None), [], [])
    assert json.loads(render_jcal(feed)) == read_by_icalendar(feed)


def test_a_wall_time_in_a_zone_without_an_offset_is_not_in_utc() -> None:
    event = define_event("time_zone: Atlantic/Reykjavik\nstart: 2027-02-11 10:30")
    (read,) = json.loads(render_jcal(join_feed(Heading("It", None), [], [render_first(event)])))[2]
    starts = [one for one in read[1] if one[0] == "dtstart"]
    assert starts == [
        ["dtstart", {"tzid": "Atlantic/Reykjavik"}, "date-time", "2027-02-11T10:30:00"]
    ]


def test_a_text_that_names_a_component_divides_nothing() -> None:
    """A folded line of text can end as the first line of an event does."""
    event = define_event("start: 2027-02-11")
    for shift in range(75):
        longer = event.model_copy(
            update={"description": {"en": "x" * shift + "BEGIN:VEVENT " * 60}}
        )
        feed = join_feed(Heading("It", None), [], [render_first(longer)])
        assert len(json.loads(render_jcal(feed))[2]) == 1
