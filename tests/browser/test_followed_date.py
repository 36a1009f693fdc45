"""A person follows a date by mail: page, mail, button, move, own page, cancellation, leaving."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any
from urllib.request import Request, urlopen

import icalendar
import pytest
from playwright.sync_api import Browser, expect

from tests.acceptance.site import Site, until
from tests.acceptance.thunderbird import thunderbird
from tests.browser.conftest import visiting
from tests.mail.post_office import PostOffice, Received

COURT = """
name: Court
time_zone: Asia/Karachi
events:
  hearing: {{summary: Hearing, start: {start}, end: {end}, status: {status}}}
"""
READER = "reader@example.org"
SENDER = "dates@example.net"


@pytest.fixture
def post() -> Iterator[PostOffice]:
    with PostOffice() as office:
        yield office


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory, post: PostOffice) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("following") / "site")
    set_hearing(site, 12)
    mail = {"CALFEED_MAIL_URL": post.url, "CALFEED_MAIL_FROM": SENDER, "CALFEED_GRACE": "0"}
    with site.serving(environment={**mail, "CALFEED_REMOVAL_WAIT": "0"}):
        yield site


def set_hearing(site: Site, day: int, status: str = "confirmed") -> None:
    start, end = (f"2030-06-{day} {hour}:00" for hour in (10, 11))
    site.write("court.yaml", COURT.format(start=start, end=end, status=status))


def text_of(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def part_of(mail: EmailMessage) -> bytes:
    """The calendar part, which is in the mail as an alternative and as a file."""
    (inline, attached) = (
        part.get_payload(decode=True)
        for part in mail.walk()
        if part.get_content_type() in ("text/calendar", "application/ics")
    )
    assert inline == attached
    assert isinstance(inline, bytes)
    return inline


@dataclass(frozen=True)
class Entry:
    """What a calendar part says of its one event."""

    method: str
    uid: str
    sequence: int
    status: str
    start: str
    organizer: str
    attendee: str


def entry_of(mail: EmailMessage) -> Entry:
    calendar: Any = icalendar.Calendar.from_ical(part_of(mail))
    (event,) = calendar.walk("VEVENT")
    return Entry(
        method=str(calendar["METHOD"]),
        uid=str(event["UID"]),
        sequence=int(event["SEQUENCE"]),
        status=str(event["STATUS"]),
        start=event["DTSTART"].dt.isoformat(),
        organizer=str(event["ORGANIZER"]),
        attendee=str(event["ATTENDEE"]),
    )


def link_in(text: str, path: str) -> str:
    found = re.search(rf"http://127\.0\.0\.1:\d+{path}\S*", text)
    assert found is not None, text
    return found[0]


def dump(site: Site) -> bytes:
    """Every byte that the database has, in its files and in a dump."""
    folder = site.folder / "var"
    with closing(sqlite3.connect(folder / "calfeed.sqlite3")) as database:
        database.execute("VACUUM")
        text = "\n".join(database.iterdump())
    files = b"".join(path.read_bytes() for path in folder.glob("calfeed.sqlite3*"))
    return files + text.encode()


def test_a_person_follows_a_date_that_moves_is_cancelled_and_leaves(
    site: Site, post: PostOffice, chromium: Browser
) -> None:
    """Nothing but mails and pages, and Thunderbird: each step is what a person sees and presses."""

    def next_mail(known: list[Received]) -> EmailMessage:
        until(lambda: len(post.received) > len(known), "a mail")
        known.append(post.received[len(known)])
        assert known[-1].recipient == READER
        return known[-1].mail

    known: list[Received] = []
    with (
        thunderbird(site.folder / "thunderbird") as reader,
        visiting(chromium, site.url) as visit,
    ):
        reader.add_mailbox(READER)
        page = visit("/calendars/court/hearing/")
        page.get_by_role("link", name="Follow by mail").click()
        page.get_by_label("Your mail address").fill(READER)
        page.get_by_role("button", name="Send me the mail to confirm").click()
        asked = next_mail(known)
        page.goto(link_in(text_of(asked), "/follow/confirm/"))
        page.get_by_role("button", name="Yes, follow").click()

        welcome = next_mail(known)
        first = entry_of(welcome)
        assert (first.method, first.start) == ("REQUEST", "2030-06-12T10:00:00+05:00")
        assert (first.organizer, first.attendee) == (f"mailto:{SENDER}", f"mailto:{READER}")
        assert reader.take(part_of(welcome), SENDER, READER).starts == ["20300612T100000"]
        own_page = link_in(text_of(welcome), "/follow/per_")

        set_hearing(site, 19)
        moved = next_mail(known)
        assert str(moved["Subject"]).startswith("Moved: Hearing")
        later = entry_of(moved)
        assert (later.uid, later.start) == (first.uid, "2030-06-19T10:00:00+05:00")
        assert later.sequence > first.sequence
        assert reader.take(part_of(moved), SENDER, READER).starts == ["20300619T100000"]
        page.goto(own_page)
        expect(page.get_by_text("Hearing").first).to_be_visible()
        expect(page.locator(".sendings li")).to_have_count(3)

        set_hearing(site, 19, "cancelled")
        cancelled = next_mail(known)
        gone = entry_of(cancelled)
        assert (gone.method, gone.status, gone.uid) == ("CANCEL", "CANCELLED", first.uid)
        assert gone.sequence > later.sequence
        assert reader.take(part_of(cancelled), SENDER, READER).starts == []

    assert cancelled["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    leave = str(cancelled["List-Unsubscribe"]).strip("<>")
    with urlopen(Request(leave, data=b"List-Unsubscribe=One-Click")) as answer:
        assert answer.status == 200
    set_hearing(site, 26)
    feed = "/calendars/court.ics"
    until(lambda: b"20300626" in site.get(feed)[0], "the feed has the last move")
    assert READER.encode() not in dump(site)
    assert "reader" not in (site.folder / "1.err").read_text()
    assert len(post.received) == len(known)
