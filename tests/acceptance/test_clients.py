"""Real clients subscribe to the shipped calendars and show what their files say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import icalendar
import pytest
import vobject
from ical.calendar_stream import IcsCalendarStream

from tests.acceptance.site import Site, split_feed
from tests.acceptance.subscriber import Subscriber

CALENDARS = {
    "calendars": 12,
    "calendars/afghan-refugees-pakistan": 1,
    "calendars/pakistan-unga-2024": 4,
    "calendars/security-council-term": 3,
    "calendars/un-observances": 4,
}
"""Every feed, and how many events it has."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("clients") / "site")
    site.remind()
    with site.serving():
        yield site


@pytest.fixture(scope="module")
def subscriber(served: Site) -> Subscriber:
    one = Subscriber(served.folder / "subscriber", served.environment)
    for path in CALENDARS:
        one.subscribe(name_of(path), f"{served.url}/{path}.ics")
    one.sync()
    return one


def name_of(path: str) -> str:
    """A feed's path as vdirsyncer takes it for a name."""
    return path.rpartition("/")[2].replace("-", "_")


@pytest.mark.parametrize("path", CALENDARS)
def test_vdirsyncer_stores_every_event_of_a_feed_it_subscribes_to(
    subscriber: Subscriber, path: str
) -> None:
    assert len(subscriber.stored(name_of(path))) == CALENDARS[path]


def test_a_second_sync_copies_nothing(subscriber: Subscriber) -> None:
    before = {path: subscriber.stored(name_of(path)) for path in CALENDARS}
    said = subscriber.sync()
    assert {path: subscriber.stored(name_of(path)) for path in CALENDARS} == before
    assert all(line.startswith("Syncing ") for line in said.splitlines()), said


def test_khal_shows_the_debate_on_each_of_its_days_and_the_address_on_its_own(
    subscriber: Subscriber,
) -> None:
    debate = {(f"2024-09-{day}", "General debate of the General Assembly") for day in range(24, 29)}
    arrival = ("2024-09-21", "Prime Minister arrives in New York")
    address = ("2024-09-27", "Prime Minister addresses the General Assembly")
    # Its day is not known, so it stands on the first possible one, and says so.
    reception = "late September 2024, day open: Prime Minister at the US President's reception"
    shown = subscriber.days("calendars", "2024-09-15", "2024-10-05")
    assert shown == {*debate, arrival, address, ("2024-09-21", reception)}


def test_khal_shows_where_the_council_term_begins_and_ends_and_when_the_stay_does(
    subscriber: Subscriber,
) -> None:
    def shown(day: str) -> set[tuple[str, str]]:
        return subscriber.days("calendars", day, day)

    begins = "Pakistan's eighth term on the Security Council begins"
    ends = "Pakistan's eighth term on the Security Council ends"
    stay = "Permitted stay of 1.45 million Afghan refugees ends"
    assert shown("2025-01-01") == {("2025-01-01", begins)}
    assert shown("2026-12-31") == {("2026-12-31", ends)}
    assert shown("2025-06-30") == {("2025-06-30", stay)}


def test_khal_shows_this_years_observances(subscriber: Subscriber) -> None:
    year = datetime.now(UTC).year
    shown = subscriber.days("calendars", f"{year}-01-01", f"{year}-12-31")
    assert shown >= {
        (f"{year}-06-20", "World Refugee Day"),
        (f"{year}-10-24", "United Nations Day"),
        (f"{year}-12-10", "Human Rights Day"),
        (f"{year}-12-18", "International Migrants Day"),
    }


@pytest.mark.parametrize("path", CALENDARS)
def test_ical_vobject_and_icalendar_read_every_feed_without_complaint(
    served: Site, path: str
) -> None:
    feed, _ = served.get(f"/{path}.ics")
    text = feed.decode()
    uids = set(split_feed(feed)[1])
    assert len(uids) == CALENDARS[path]
    assert {event.uid for event in IcsCalendarStream.calendar_from_ics(text).events} == uids
    read = vobject.readOne(text)
    assert read.validate(raiseException=True)
    assert {vevent.uid.value for vevent in read.vevent_list} == uids
    calendar = icalendar.Calendar.from_ical(feed)
    assert {str(event["UID"]) for event in calendar.events} == uids
    assert [component.errors for component in calendar.walk() if component.errors] == []
