"""Real clients subscribe to the shipped calendars and show what their files say."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import icalendar
import pytest
import vobject
from ical.calendar_stream import IcsCalendarStream

from tests.acceptance.site import BIN, Site, split_feed

CALENDARS = {
    "calendars": 10,
    "calendars/afghan-refugees-pakistan": 1,
    "calendars/pakistan-unga-2024": 3,
    "calendars/security-council-term": 2,
    "calendars/un-observances": 4,
}
"""Every feed, and how many events it has."""

KHAL = """
[calendars]
[[all]]
path = {folder}
[locale]
timeformat = %H:%M
dateformat = %Y-%m-%d
longdateformat = %Y-%m-%d
datetimeformat = %Y-%m-%d %H:%M
longdatetimeformat = %Y-%m-%d %H:%M
local_timezone = UTC
default_timezone = UTC
firstweekday = 0
[sqlite]
path = {folder}.khal
"""


Shown = set[tuple[str, str]]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("clients") / "site")
    with site.serving():
        yield site


@pytest.fixture(scope="module")
def subscriber(served: Site) -> Subscriber:
    one = Subscriber(served)
    one.vdirsyncer("discover")
    one.vdirsyncer("sync")
    return one


class Subscriber:
    """vdirsyncer with a pair for each feed, and khal on what it stores."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.folder = site.folder / "subscriber"
        config = [f'[general]\nstatus_path = "{self.folder}/status/"']
        for path in CALENDARS:
            name = self.name_of(path)
            self.folder_of(path).mkdir(parents=True)
            config += [
                f'[pair {name}]\na = "{name}_web"\nb = "{name}_disk"\ncollections = null',
                f'[storage {name}_web]\ntype = "http"\nurl = "{site.url}/{path}.ics"',
                f'[storage {name}_disk]\ntype = "filesystem"\nfileext = ".ics"',
                f'path = "{self.folder_of(path)}"',
            ]
        self.folder.joinpath("vdirsyncer").write_text("\n".join(config))
        self.folder.joinpath("khal").write_text(KHAL.format(folder=self.folder_of("calendars")))

    def name_of(self, path: str) -> str:
        return path.rpartition("/")[2].replace("-", "_")

    def folder_of(self, path: str) -> Path:
        return self.folder / self.name_of(path)

    def vdirsyncer(self, word: str) -> str:
        return self._run("vdirsyncer", "-vINFO", "-c", str(self.folder / "vdirsyncer"), word)

    def khal(self, begin: str, end: str) -> set[tuple[str, str]]:
        """What khal lists from one day to another, inclusive: a day and a title each."""
        config = str(self.folder / "khal")
        listed = self._run(
            *("khal", "-c", config, "list", "--day-format", "# {date}", "--format", "{title}"),
            *(begin, end),
        )
        found, day = set(), ""
        for line in listed.splitlines():
            if line.startswith("# "):
                day = line.removeprefix("# ")
            else:
                found.add((day, line))
        return found

    def stored(self, path: str) -> dict[str, tuple[str, int]]:
        """The stored items: the hash and the time of change (nanoseconds) of each file."""
        return {
            file.name: (hashlib.sha256(file.read_bytes()).hexdigest(), file.stat().st_mtime_ns)
            for file in self.folder_of(path).iterdir()
        }

    def _run(self, *words: str) -> str:
        done = subprocess.run(
            [BIN / words[0], *words[1:]],
            env=self.site.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr


@pytest.mark.parametrize("path", CALENDARS)
def test_vdirsyncer_stores_every_event_of_a_feed_it_subscribes_to(
    subscriber: Subscriber, path: str
) -> None:
    assert len(subscriber.stored(path)) == CALENDARS[path]


def test_a_second_sync_copies_nothing(subscriber: Subscriber) -> None:
    before = {path: subscriber.stored(path) for path in CALENDARS}
    said = subscriber.vdirsyncer("sync")
    assert {path: subscriber.stored(path) for path in CALENDARS} == before
    assert all(line.startswith("Syncing ") for line in said.splitlines()), said


def test_khal_shows_the_debate_on_each_of_its_days_and_the_address_on_its_own(
    subscriber: Subscriber,
) -> None:
    debate = {(f"2024-09-{day}", "General debate of the General Assembly") for day in range(24, 29)}
    arrival = ("2024-09-21", "Prime Minister arrives in New York")
    address = ("2024-09-27", "Prime Minister addresses the General Assembly")
    assert subscriber.khal("2024-09-15", "2024-10-05") == {*debate, arrival, address}


def test_khal_shows_where_the_council_term_begins_and_ends_and_when_the_stay_does(
    subscriber: Subscriber,
) -> None:
    def shown(day: str) -> Shown:
        return subscriber.khal(day, day)

    begins = "Pakistan's eighth term on the Security Council begins"
    ends = "Pakistan's eighth term on the Security Council ends"
    stay = "Permitted stay of 1.45 million Afghan refugees ends"
    assert shown("2025-01-01") == {("2025-01-01", begins)}
    assert shown("2026-12-31") == {("2026-12-31", ends)}
    assert shown("2025-06-30") == {("2025-06-30", stay)}


def test_khal_shows_this_years_observances(subscriber: Subscriber) -> None:
    year = datetime.now(UTC).year
    shown = subscriber.khal(f"{year}-01-01", f"{year}-12-31")
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
