"""The content of mails and of the calendar entries in them, as people and apps read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Any

import icalendar
import pytest

from calfeed.reminders.mail.compose import Envelope, Sender, compose
from calfeed.reminders.mail.content import Content, Footer
from calfeed.store.people.links import make_links
from calfeed.store.people.records import load_people_key
from tests.ical.clients import CLIENTS, Window, check_lines
from tests.ical.parsers import parsers_required
from tests.mail.branch import Follower, MailBranch
from tests.publish.dated import publish_events
from tests.publish.desk import BASE, STAY

pytestmark = pytest.mark.parametrize("engine", ["sqlite"])

HEARING = """
hearing:
  summary: {{en: Hearing, ur: سماعت}}
  start: {start}
  duration: 90 minutes
  location: Court 2
  sources: [{{title: Order, url: "https://court.example/order", date: 2025-05-01}}]
  {more}
"""
WEEKLY = """
meeting:
  summary: Meeting
  start: 2025-06-10 10:00
  duration: 1 hour
  repeat: {{rule: FREQ=WEEKLY;COUNT=6{more}}}
"""
ADA = "ada@example.net"
YEARS = Window(2025, 2027)
VOID = {"meta", "br"}


def hearing(start: str, more: str = "") -> str:
    return HEARING.format(start=start, more=more)


def tell(branch: MailBranch, *texts: str, allow_removals: bool = False) -> None:
    """Publish, and send all mails about it."""
    branch.publish(*texts, allow_removals=allow_removals)
    branch.deliver()


def newest(branch: MailBranch, address: str = ADA) -> EmailMessage:
    branch.deliver()
    return branch.post.to(address)[-1].mail


def calendar_of(mail: EmailMessage) -> bytes | None:
    """The calendar part of a mail, which its attachment repeats."""
    found = [part for part in mail.walk() if part.get_content_type() == "text/calendar"]
    if not found:
        assert not list(mail.iter_attachments())
        return None
    (part,) = found
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    assert mail.get_content_type() == "multipart/mixed"
    (attachment,) = mail.iter_attachments()
    assert attachment.get_content_type() == "application/ics"
    assert attachment.get_payload(decode=True) == content
    calendar = icalendar.Calendar.from_ical(content)
    # Outlook rejects a method in the header that is not that of the calendar.
    assert part.get_param("method") == calendar["METHOD"]
    check_lines(content)
    return content


def events_of(mail: EmailMessage) -> list[Any]:
    content = calendar_of(mail)
    assert content is not None
    events = icalendar.Calendar.from_ical(content).walk("VEVENT")
    assert len({event["UID"] for event in events}) == 1
    return list(events)


def method_of(mail: EmailMessage) -> str:
    content = calendar_of(mail)
    assert content is not None
    return str(icalendar.Calendar.from_ical(content)["METHOD"])


def plain(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def html(mail: EmailMessage) -> str:
    part = mail.get_body(("html",))
    assert part is not None
    return str(part.get_content())


class Checker(HTMLParser):
    """Finds what a mail must not have: scripts, things from elsewhere, tags that do not match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in {"script", "img", "link", "form", "iframe", "object", "svg"}
        names = dict(attrs)
        assert not any(name.startswith("on") or name == "src" for name in names)
        assert "url(" not in (names.get("style") or "")
        if tag == "a":
            self.links.append(names["href"] or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_a_move_says_the_old_and_the_new_date_why_and_the_source(branch: MailBranch) -> None:
    branch.follow(Follower(ADA))
    tell(branch, hearing("2025-06-30 10:00"))
    tell(branch, hearing("2025-08-31 11:30", "note: the judge is ill"))
    mail = newest(branch)
    assert mail["Subject"] == (
        "Moved: Hearing, now 31 August 2025, 11:30 to 13:00 PKT (was 30 June 2025, 10:00 to 11:30 "
        "PKT)"
    )
    with branch.database.write() as connection:
        links = make_links(BASE, load_people_key(connection), "per_1")
    assert plain(mail) == (
        "Moved: Hearing\n\n"
        "Now: 31 August 2025, 11:30 to 13:00 PKT\n"
        "Was: 30 June 2025, 10:00 to 11:30 PKT\n"
        "Why: the judge is ill\n"
        "Where: Court 2\n"
        "Source: Order, 1 May 2025, https://court.example/order\n\n"
        f"Open the event's page:\n{BASE}/calendars/desk/hearing/\n\n"
        "-- \n"
        "You get this mail because you follow dates of Desk.\n"
        f"Change what you get:\n{links.page}\n"
        f"Leave, and get no more mails:\n{links.leave}\n"
    )
    assert mail["List-Unsubscribe"] == f"<{links.leave}>"
    # As one line: a URL in several lines or encoded words is none to Gmail.
    line = f"List-Unsubscribe: <{links.leave}>\r\n".encode()
    assert line in branch.post.to(ADA)[-1].content
    written = Checker(html(mail))
    for link in (links.page, links.leave, f"{BASE}/calendars/desk/hearing/"):
        assert link in written.links
    for text in ("31 August 2025, 11:30", "30 June 2025, 10:00", "the judge is ill", "Court 2"):
        assert text in html(mail)


def test_an_entry_is_a_request_to_its_reader_from_the_sender(branch: MailBranch) -> None:
    """SEQUENCE is that of the ledger, and grows with a move; DTSTAMP is that of the mail."""
    branch.follow(Follower(ADA))
    tell(branch, hearing("2025-06-30 10:00"))
    (first,) = events_of(newest(branch))
    tell(branch, hearing("2025-08-31 11:30"))
    mail = newest(branch)
    (second,) = events_of(mail)
    assert method_of(mail) == "REQUEST"
    assert (first["SEQUENCE"], second["SEQUENCE"]) == (0, 1)
    assert first["UID"] == second["UID"]
    assert second["DTSTAMP"].dt == branch.now
    assert first["DTSTAMP"].dt < second["DTSTAMP"].dt
    assert second["DTSTART"].dt.astimezone(UTC) == datetime(2025, 8, 31, 6, 30, tzinfo=UTC)
    assert second["ORGANIZER"] == "mailto:calendar@example.org"
    assert not second["ORGANIZER"].params
    assert second["ATTENDEE"] == f"mailto:{ADA}"
    assert dict(second["ATTENDEE"].params) == {
        "CUTYPE": "INDIVIDUAL",
        "ROLE": "REQ-PARTICIPANT",
        "PARTSTAT": "NEEDS-ACTION",
        "RSVP": "FALSE",
    }
    assert not second.walk("VALARM")


@pytest.mark.parametrize("client", CLIENTS)
def test_calendar_apps_read_the_entries(branch: MailBranch, client: str) -> None:
    """Of a timed event, with its zone, of a day, and of a series with a moved occurrence."""
    branch.follow(Follower(ADA))
    tell(
        branch,
        hearing("2025-06-30 10:00"),
        STAY.format(start="2025-06-30"),
        WEEKLY.format(more=", changes: {2025-06-17 10:00: {start: 2025-06-18 12:00}}"),
    )
    branch.deliver()
    seen: set[str] = set()
    for one in branch.post.to(ADA):
        content = calendar_of(one.mail)
        assert content is not None
        with parsers_required():
            found = CLIENTS[client](content, YEARS)
        seen |= {f"{start:%Y-%m-%d %H:%M}" for _, start in found}
    mondays = [f"2025-{month}-{day} 05:00" for month, day in MEETINGS]
    assert seen == {"2025-06-30 05:00", "2025-06-30 00:00", "2025-06-18 07:00", *mondays}


MEETINGS = [("06", "10"), ("06", "24"), ("07", "01"), ("07", "08"), ("07", "15")]
"""The days of the weekly meeting, but for the one that is moved."""


@pytest.mark.parametrize(
    ("start", "more", "kicker"),
    [
        ("2025-06-30 10:00", "status: cancelled", "Cancelled"),
        ("postponed", "", "Postponed"),
    ],
)
def test_what_has_no_date_any_more_goes_from_calendars(
    branch: MailBranch, start: str, more: str, kicker: str
) -> None:
    branch.follow(Follower(ADA))
    publish_events(branch, hearing("2025-06-30 10:00"))
    (first,) = events_of(newest(branch))
    later = hearing(start, more)
    publish_events(branch, later.replace("duration: 90 minutes", "") if not more else later)
    mail = newest(branch)
    (event,) = events_of(mail)
    assert str(mail["Subject"]).startswith(f"{kicker}: Hearing")
    assert "30 June 2025" in plain(mail)
    assert method_of(mail) == "CANCEL"
    assert (event["STATUS"], event["SEQUENCE"], event["UID"]) == ("CANCELLED", 1, first["UID"])
    assert "RRULE" not in event


def test_a_withdrawn_event_goes_and_one_that_comes_back_is_asked_for_again(
    branch: MailBranch,
) -> None:
    other = STAY.format(start="2025-09-01")
    branch.follow(Follower(ADA))
    tell(branch, other, hearing("2025-06-30 10:00"))
    tell(branch, other, allow_removals=True)
    assert method_of(newest(branch)) == "CANCEL"
    tell(branch, other, hearing("2025-06-30 10:00"))
    mail = newest(branch)
    assert method_of(mail) == "REQUEST"
    assert events_of(mail)[0]["SEQUENCE"] == 2


def test_a_moved_occurrence_is_sent_alone_to_who_has_the_series(branch: MailBranch) -> None:
    """Outlook reads it only so; who follows since later gets the whole series."""
    branch.follow(Follower(ADA))
    tell(branch, WEEKLY.format(more=""))
    branch.deliver()
    branch.now += timedelta(minutes=1)
    late = Follower("late@example.net", confirmed_at=branch.now)
    branch.follow_later(late)
    tell(branch, WEEKLY.format(more=", changes: {2025-06-17 10:00: {start: 2025-06-18 12:00}}"))
    mail = newest(branch)
    (alone,) = events_of(mail)
    assert method_of(mail) == "REQUEST"
    assert alone["RECURRENCE-ID"].dt.astimezone(UTC) == datetime(2025, 6, 17, 5, tzinfo=UTC)
    assert alone["DTSTART"].dt.astimezone(UTC) == datetime(2025, 6, 18, 7, tzinfo=UTC)
    assert (alone["SEQUENCE"], "RRULE" in alone) == (1, False)
    assert mail["Subject"] == (
        "Moved: Meeting, now 18 June 2025, 12:00 to 13:00 PKT (was 17 June 2025, 10:00 to 11:00 "
        "PKT)"
    )
    whole = events_of(newest(branch, late.address))
    assert ["RRULE" in event for event in whole] == [True, False]


def test_a_cancelled_occurrence_goes_alone(branch: MailBranch) -> None:
    branch.follow(Follower(ADA))
    tell(branch, WEEKLY.format(more=""))
    tell(branch, WEEKLY.format(more=", except: [2025-06-17 10:00]"))
    mail = newest(branch)
    (alone,) = events_of(mail)
    assert method_of(mail) == "CANCEL"
    assert alone["RECURRENCE-ID"].dt.astimezone(UTC) == datetime(2025, 6, 17, 5, tzinfo=UTC)
    assert (alone["STATUS"], alone["SEQUENCE"]) == ("CANCELLED", 1)


def test_a_series_that_begins_later_is_sent_whole(branch: MailBranch) -> None:
    branch.follow(Follower(ADA))
    tell(branch, WEEKLY.format(more=""))
    (before,) = events_of(newest(branch))
    first, second = before["DTSTART"].dt, before["DTSTART"].dt + timedelta(weeks=1)
    shorter = WEEKLY.replace("COUNT=6", "COUNT=5").format(more="")
    tell(branch, shorter.replace(f"{first:%Y-%m-%d}", f"{second:%Y-%m-%d}"))
    mail = newest(branch)
    (whole,) = events_of(mail)
    assert method_of(mail) == "REQUEST"
    assert (whole["DTSTART"].dt, "RRULE" in whole) == (second, True)
    assert mail["Subject"].startswith(f"Cancelled: Meeting, {first.day} June 2025")


def test_an_uncertain_date_is_entered_as_feeds_show_it(branch: MailBranch) -> None:
    branch.follow(Follower(ADA))
    tell(branch, hearing("2025-09").replace("  duration: 90 minutes\n", ""))
    (event,) = events_of(newest(branch))
    assert (event["STATUS"], event["DTSTART"].dt.isoformat()) == ("TENTATIVE", "2025-09-01")
    assert "September 2025" in event["SUMMARY"]
    tell(branch, hearing("2025-09-12 10:00"))
    mail = newest(branch)
    (event,) = events_of(mail)
    assert str(mail["Subject"]).startswith("More exact: Hearing, 12 September 2025")
    assert (event["STATUS"], event["SEQUENCE"]) == ("CONFIRMED", 1)


def test_who_wants_no_entries_gets_none_and_reminders_have_none(branch: MailBranch) -> None:
    branch.follow(Follower(ADA, entries=False), Follower("bo@example.net"))
    tell(branch, STAY.format(start="2025-06-30"))
    assert calendar_of(newest(branch)) is None
    branch.now = datetime(2025, 6, 23, 4, 0, tzinfo=UTC)
    mail = newest(branch, "bo@example.net")
    assert mail["Subject"] == "Reminder: The stay ends, in 7 days (30 June 2025)"
    assert calendar_of(mail) is None


def test_mails_are_in_the_readers_language_and_direction(branch: MailBranch) -> None:
    """Dates and texts of the event too, where it has them."""
    expected = {
        "en": ("ltr", "31 August 2025", "Hearing"),
        "ur": ("rtl", "31 اگست 2025", "سماعت"),
        "ps": ("rtl", "31 اګست 2025", "Hearing"),
        "fa-AF": ("rtl", "31 اگست 2025", "Hearing"),
        "fr": ("ltr", "31 août 2025", "Hearing"),
        "ar": ("rtl", "31 أغسطس 2025", "Hearing"),
    }
    branch.follow(*(Follower(f"{tag}@example.net", tag) for tag in expected))
    tell(branch, hearing("2025-08-31 10:00"))
    branch.deliver()
    for tag, (direction, date, title) in expected.items():
        mail = newest(branch, f"{tag}@example.net")
        assert mail["Content-Language"] == tag
        assert f'<html lang="{tag}" dir="{direction}">' in html(mail)
        Checker(html(mail))
        for text in (plain(mail), html(mail)):
            assert date in text
            assert title in text
        assert events_of(mail)[0]["SUMMARY"] == title


def test_nothing_that_a_definition_says_breaks_out_of_a_mail(branch: MailBranch) -> None:
    """Markup in a title becomes no part of the mail's own."""
    branch.follow(Follower(ADA))
    title = '"<script>x</script> Bcc: eve@example.net \\"quoted\\" & more"'
    tell(branch, hearing("2025-08-31 10:00").replace("{en: Hearing, ur: سماعت}", title))
    mail = newest(branch)
    assert mail["Bcc"] is None
    assert "<script>" not in html(mail)
    assert "&lt;script&gt;x&lt;/script&gt;" in html(mail)
    Checker(html(mail))


@pytest.mark.parametrize(
    "address", ["زید@example.net", "ada@münchen.example", "o'ada+b@example.net"]
)
def test_any_address_can_be_written(branch: MailBranch, address: str) -> None:
    """Those with letters outside ASCII as they are (RFC 6532)."""
    sender = Sender("calendar@example.org", "Desk")
    envelope = Envelope(sender, address, "<1@example.org>", branch.now, "desk.example.org")
    mail = compose(Content("Subject", "Moved", "Title"), Footer(""), "en", envelope)
    assert f"\r\nTo: {address}\r\n" in mail.decode()


@pytest.mark.parametrize("language", ["xx", "tlh-Latn", "", "../../etc"])
def test_a_language_that_is_no_longer_there_is_english(branch: MailBranch, language: str) -> None:
    branch.follow(Follower(ADA, language=language))
    tell(branch, hearing("2025-08-31 10:00"))
    mail = newest(branch)
    assert mail["Content-Language"] == "en"
    assert "Open the event's page" in plain(mail)
