"""A real calendar app shows the changes that a publisher makes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from tests.acceptance.site import Site, split_feed, until
from tests.acceptance.subscriber import Subscriber

DESK = """\
name: {en: Desk, ur: ڈیسک}
time_zone: Asia/Karachi
events:
  address:
    summary: {en: Address to the Assembly, ur: اسمبلی سے خطاب}
    start: 2030-09-27 10:30
    duration: 45 minutes
  deadline:
    summary: {en: Permitted stay ends, ur: قیام کی مدت ختم}
    start: 2030-06-30
    kind: deadline
  call:
    summary: Weekly call
    start: 2030-03-04 09:00
    duration: 1 hour
    repeat:
      rule: FREQ=WEEKLY;COUNT=3
"""

ADDRESS, STAY = "2030-09-27 Address to the Assembly", "2030-06-30 Permitted stay ends"
CALLS = [f"2030-03-{day} Weekly call" for day in ("04", "11", "18")]

YEAR = ("2030-01-01", "2030-12-31")

_numbers = count()


@dataclass(frozen=True)
class Desk:
    """A desk of a test's own, with one calendar on the site that all of them share."""

    site: Site
    slug: str

    @property
    def file(self) -> str:
        return f"{self.slug}.yaml"

    @property
    def path(self) -> str:
        return f"/calendars/{self.slug}.ics"

    @property
    def url(self) -> str:
        return self.site.url + self.path

    def change(self, old: str, new: str) -> None:
        """Edit the desk's file, and wait until it is served."""
        before = self.site.etag(self.path)
        self.site.edit(self.file, old, new)
        until(lambda: self.site.etag(self.path) != before, "the change is served")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("scenarios") / "site")
    site.remind()
    # One web process: of two, one can serve a publish a moment before the other.
    with site.serving("--processes", "1"):
        yield site


@pytest.fixture
def desk(served: Site) -> Desk:
    desk = Desk(served, f"desk-{next(_numbers)}")
    served.write(desk.file, DESK.replace("{en: Desk,", f"{{en: Desk {desk.slug},"))
    until(lambda: desk.slug.encode() in served.get("/")[0], "it is served")
    return desk


@pytest.fixture
def reader(tmp_path: Path, desk: Desk) -> Subscriber:
    """Somebody who has subscribed to the desk's calendar, and has it."""
    one = Subscriber(tmp_path / "reader", desk.site.environment)
    one.subscribe("desk", desk.url)
    one.sync()
    assert one.shows("desk", *YEAR) == [*CALLS, STAY, ADDRESS]
    return one


def uids_of(site: Site, path: str) -> set[str]:
    return set(split_feed(site.get(path)[0])[1])


def test_an_event_that_moves_is_on_its_new_day_and_no_longer_on_the_old(
    desk: Desk, reader: Subscriber
) -> None:
    desk.change("start: 2030-06-30", "start: 2030-12-31")
    reader.sync()
    assert reader.shows("desk", *YEAR) == [*CALLS, ADDRESS, "2030-12-31 Permitted stay ends"]
    assert len(reader.stored("desk")) == 3, "the others were left where they are"


def test_one_of_a_series_moves_and_the_others_stay(desk: Desk, reader: Subscriber) -> None:
    rule = "rule: FREQ=WEEKLY;COUNT=3"
    desk.change(rule, f"{rule}\n      changes: {{2030-03-11 09:00: {{start: 2030-03-12 15:00}}}}")
    reader.sync()
    moved = "2030-03-12 Weekly call"
    assert reader.shows("desk", *YEAR) == [CALLS[0], moved, CALLS[2], STAY, ADDRESS]
    starts = sorted(start for start, _ in reader.starts("desk", "2030-03-01", "2030-03-31"))
    assert starts == ["2030-03-04 04:00", "2030-03-12 10:00", "2030-03-18 04:00"], "in UTC"


def test_a_cancelled_event_is_shown_as_cancelled_and_so_is_one_whose_definition_is_gone(
    desk: Desk, reader: Subscriber
) -> None:
    desk.change("    duration: 45 minutes", "    duration: 45 minutes\n    status: cancelled")
    reader.sync()
    cancelled = "2030-09-27 CANCELLED Address to the Assembly"
    assert reader.shows("desk", *YEAR) == [*CALLS, STAY, cancelled]
    desk.change(DESK[DESK.index("  deadline:") : DESK.index("  call:")], "")
    reader.sync()
    gone = "2030-06-30 CANCELLED Permitted stay ends"
    assert reader.shows("desk", *YEAR) == [*CALLS, gone, cancelled]


def test_who_asks_for_it_sees_in_the_title_that_an_event_is_cancelled(
    desk: Desk, reader: Subscriber
) -> None:
    desk.change("    duration: 45 minutes", "    duration: 45 minutes\n    status: cancelled")
    reader.subscribe("desk", f"{desk.url}?cancelled=mark")
    reader.sync()
    marked = "2030-09-27 Cancelled: Address to the Assembly"
    assert reader.shows("desk", *YEAR) == [*CALLS, STAY, marked]


def test_a_calendar_that_is_renamed_goes_on_under_its_old_address(
    desk: Desk, reader: Subscriber
) -> None:
    site = desk.site
    uids = uids_of(site, desk.path)
    text = (site.events / desk.file).read_text("utf-8")
    renamed = text.replace("name: {en: Desk", f"formerly: [{desk.slug}]\nname: {{en: Foreign desk")
    site.folder.joinpath("next").write_text(renamed, "utf-8")
    site.events.joinpath(desk.file).unlink()
    site.folder.joinpath("next").rename(site.events / "foreign-desk.yaml")
    until(lambda: b"Foreign desk" in site.get("/")[0], "the new name is served")
    reader.sync()
    assert reader.shows("desk", *YEAR) == [*CALLS, STAY, ADDRESS]
    assert len(reader.stored("desk")) == 3, "none of them is there twice"
    assert uids_of(site, "/calendars/foreign-desk.ics") == uids


def test_another_language_changes_the_titles_of_the_same_events(
    desk: Desk, reader: Subscriber
) -> None:
    before = {start for start, _ in reader.starts("desk", *YEAR)}
    reader.subscribe("desk", f"{desk.url}?lang=ur")
    reader.sync()
    assert reader.shows("desk", *YEAR) == [
        *CALLS,
        "2030-06-30 قیام کی مدت ختم",
        "2030-09-27 اسمبلی سے خطاب",
    ]
    assert {start for start, _ in reader.starts("desk", *YEAR)} == before
    assert uids_of(desk.site, f"{desk.path}?lang=ur") == uids_of(desk.site, desk.path)
    assert len(reader.stored("desk")) == 3, "none of them is there twice"


def test_a_calendar_made_private_is_kept_by_who_has_it_and_followed_with_a_token(
    desk: Desk, reader: Subscriber, tmp_path: Path
) -> None:
    site = desk.site
    before = reader.stored("desk")
    site.edit(desk.file, "time_zone:", "visibility: private\ntime_zone:")
    until(lambda: desk.slug.encode() not in site.get("/")[0], "it is on no page")
    with pytest.raises(AssertionError, match="Not Found"):
        reader.sync()
    assert reader.stored("desk") == before, "what an app has it does not lose"

    said = site.do("token", "add", desk.slug, "--description", "Amina")
    (address,) = re.findall(r"https?://\S+\.ics", said)
    path = address[address.index("/private/") :]
    reader.subscribe("desk", site.url + path)
    reader.sync()
    assert reader.shows("desk", *YEAR) == [*CALLS, STAY, ADDRESS]
    assert len(reader.stored("desk")) == 3, "none of them is there twice"

    served = site.get(path)[0]
    site.edit(desk.file, "start: 2030-06-30", "start: 2030-12-31")
    until(lambda: site.get(path)[0] != served, "the change is served")
    reader.sync()
    assert reader.shows("desk", *YEAR) == [*CALLS, ADDRESS, "2030-12-31 Permitted stay ends"]

    site.do("token", "revoke", "1")
    stranger = Subscriber(tmp_path / "stranger", site.environment)
    stranger.subscribe("desk", site.url + path)
    with pytest.raises(AssertionError, match="Gone"):
        stranger.sync()
