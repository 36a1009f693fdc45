"""Each kind of date through the whole flow: file, check, publish, feed, page, message, reminder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import icalendar
import pytest
from playwright.sync_api import Browser

from tests.acceptance.receiver import Receiver
from tests.acceptance.site import Site, until
from tests.browser.conftest import Visit, visiting
from tests.ical.parsers import PARSERS, Feed, parsers_required, read_feeds

HEAD = "name: Court\ntime_zone: Asia/Karachi\nworking_days: {holidays: [PK]}\nevents:\n"
WINDOW = datetime(2029, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Row:
    """A kind of date: its definition before and after an edit, and what is said of it then.

    `lead` leads the title in the feed. `first` is the day in the feed, None for none that is shown.
    `reminders` are the due times, in the event's zone.
    """

    before: str
    after: str
    status: str
    first: str
    lead: str
    page: str
    message: str
    change: str | None
    reminders: tuple[str, ...] = ()


ROWS = {
    "range": Row(
        *(
            "start: 2030-06, reminders: [1 day]",
            "start: 2030-06-03..2030-06-07, reminders: [1 day]",
        ),
        *("TENTATIVE", "2030-06-03", "", "One of 3 to 7 June 2030", "event.moved", "firmed"),
        ("2030-06-02T09:00:00+05:00",),
    ),
    "month": Row(
        *("start: 2030-06-12, reminders: [1 day]", "start: 2030-06, reminders: [1 day]"),
        *("TENTATIVE", "2030-06-01", "June 2030, day open: ", "June 2030, day not yet known"),
        *("event.moved", "loosened"),
        ("2030-04-02T09:00:00+05:00",),  # the desk is asked for the date
    ),
    "time-open": Row(
        *("start: 2030-06-15 10:00", "start: 2030-06-15 time to be confirmed, reminders: [1 day]"),
        *("TENTATIVE", "2030-06-15", "", "15 June 2030, time to be confirmed"),
        *("event.moved", "loosened"),
        ("2030-06-14T09:00:00+05:00",),
    ),
    "postponed": Row(
        *("start: 2030-06-12, reminders: [1 day]", "start: postponed, reminders: [1 day]"),
        *("CANCELLED", "2030-06-12", "Postponed: ", "Postponed", "event.moved", "postponed"),
    ),
    "counted": Row(
        *("start: 3 working days before cause", "start: 2 working days before cause"),
        *("CONFIRMED", "2030-06-12", "", "2 working days before", "event.moved", "moved"),
    ),
    "working-reminder": Row(
        "start: 2030-06-18, reminders: [3 working days]",
        "start: 2030-06-19, reminders: [3 working days]",
        *("CONFIRMED", "2030-06-19", "", "19 June 2030", "event.moved", "moved"),
        ("2030-06-14T09:00:00+05:00",),
    ),
    "done": Row(
        "start: 2030-06-12, kind: deadline, reminders: [1 day]",
        "start: 2030-06-12, kind: deadline, reminders: [1 day], done: 2030-06-10",
        *("CONFIRMED", "2030-06-12", "✓ ", "10 June 2030", "event.changed", None),
    ),
    "correction": Row(
        "start: 2030-06-12",
        "start: 2030-06-21, correction: 2030-06-12",
        *("CONFIRMED", "2030-06-21", "", "12 June 2030", "event.corrected", None),
    ),
}
CAUSE = "  cause: {summary: Cause, start: 2030-06-14}\n"


def write(*, after: bool) -> str:
    lines = [
        f"  {slug}: {{summary: {slug}, {row.after if after else row.before}}}\n"
        for slug, row in ROWS.items()
    ]
    return HEAD + CAUSE + "".join(lines)


@dataclass(frozen=True)
class Seen:
    """What came of the edit, everywhere."""

    base_url: str
    feed: bytes
    events: dict[str, Any]
    messages: dict[str, Any]
    reminders: dict[str, tuple[str, ...]]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    site = Site(tmp_path_factory.mktemp("rows") / "site")
    site.environment["CALFEED_GRACE"] = "0"
    site.write("court.yaml", write(after=False))
    with Receiver() as receiver, site.serving("--processes", "1"):
        site.do("endpoint", "add", receiver.url, "--calendar", "court")
        etag = site.etag("/calendars/court.ics")
        site.write("court.yaml", write(after=True))
        assert "valid" in site.do("check")
        until(lambda: site.etag("/calendars/court.ics") != etag, "the edit is served")
        until(lambda: len(receiver.posts) >= len(ROWS), "each is told")
        planned = json.loads(
            site.do("reminders", "--from", "2029-01-01", "--to", "2031-01-01", "--json")
        )
        feed = site.get("/calendars/court.ics")[0]
        calendar = icalendar.Calendar.from_ical(feed)
        yield Seen(
            base_url=site.url,
            feed=feed,
            events={str(event["SUMMARY"]): event for event in calendar.walk("VEVENT")},
            messages={
                post.message["data"]["event"]["slug"]: post.message for post in receiver.posts
            },
            reminders=_group(planned),
        )


def _group(planned: Any) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for one in planned["reminders"] if isinstance(planned, dict) else planned:
        slug = str(one["event"]).rpartition("/")[2]
        found[slug] = (*found.get(slug, ()), str(one["due"]))
    return found


@pytest.fixture
def visit(seen: Seen, chromium: Browser) -> Iterator[Visit]:
    with visiting(chromium, seen.base_url) as open_page:
        yield open_page


@pytest.mark.parametrize("slug", ROWS)
def test_the_feed_shows_it_as_what_it_is(seen: Seen, slug: str) -> None:
    row = ROWS[slug]
    event = seen.events[f"{row.lead}{slug}"]
    assert event["STATUS"] == row.status
    assert event["DTSTART"].dt.isoformat() == row.first
    assert event["TRANSP"] == "TRANSPARENT"


@pytest.mark.parametrize("parser", PARSERS)
def test_a_parser_in_another_language_reads_every_one_of_them(seen: Seen, parser: str) -> None:
    with parsers_required():
        (reading,) = read_feeds(parser, [Feed(seen.feed, *WINDOW)])
    assert reading.errors == []
    starts = {str(event["UID"]): event["DTSTART"].dt for event in seen.events.values()}
    read = {one.uid: one.start for one in reading.occurrences}
    assert read == starts


@pytest.mark.parametrize("slug", ROWS)
def test_the_page_says_what_is_known(visit: Visit, slug: str) -> None:
    assert ROWS[slug].page in visit(f"/calendars/court/{slug}/").locator("main").inner_text()


@pytest.mark.parametrize("slug", ROWS)
def test_the_message_says_what_happened(seen: Seen, slug: str) -> None:
    message = seen.messages[slug]
    assert (message["type"], message["data"].get("change")) == (
        ROWS[slug].message,
        ROWS[slug].change,
    )


@pytest.mark.parametrize("slug", ROWS)
def test_reminders_are_due_when_they_can_be_known(seen: Seen, slug: str) -> None:
    assert seen.reminders.get(slug, ()) == ROWS[slug].reminders
