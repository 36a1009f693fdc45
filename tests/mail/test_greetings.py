"""The mails about following itself: confirm, known already, welcome; and digests."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest

from calfeed.model.states import EndpointState
from calfeed.reminders.filters import Subject
from calfeed.reminders.messages import Message, make_body, make_id
from calfeed.reminders.option_values import Digest
from calfeed.reminders.options import Options
from calfeed.store.outbox.messages import add_delivery
from calfeed.store.people.links import confirm_link, make_links
from calfeed.store.people.records import load_people_key
from tests.ical.defining import define
from tests.mail.branch import Follower, MailBranch
from tests.mail.test_contents import Checker, calendar_of, events_of, html, method_of, newest, plain
from tests.publish.desk import BASE, STAY

pytestmark = pytest.mark.parametrize("engine", ["sqlite"])

ADA = "ada@example.net"


def greet(branch: MailBranch, message_type: str) -> None:
    """Send a message about the request `req_1` to the first person."""
    body = make_body(message_type, branch.now, {"request": "req_1", "text": "-"})
    subject = Subject(type=message_type, calendar="", event="")
    message = Message(make_id(message_type), subject, branch.now, body, text="-")
    with branch.database.write() as connection:
        add_delivery(connection, message, "per_1")


@pytest.mark.parametrize("message_type", ["follow.confirm", "follow.known"])
def test_a_mail_that_asks_has_the_link_to_confirm_and_nothing_to_leave(
    branch: MailBranch, message_type: str
) -> None:
    """Whoever has not confirmed yet has no page; the mail has no text that a visitor typed."""
    branch.follow(Follower(ADA, follows=(), confirmed_at=None, state=EndpointState.UNVERIFIED))
    greet(branch, message_type)
    mail = newest(branch)
    with branch.database.write() as connection:
        link = confirm_link(BASE, load_people_key(connection), "req_1")
    assert link in plain(mail)
    assert Checker(html(mail)).links == [link]
    assert mail["List-Unsubscribe"] is None
    assert mail["From"] == "Key dates <calendar@example.org>"
    assert calendar_of(mail) is None


def test_who_follows_one_event_gets_its_entry_with_the_welcome(branch: MailBranch) -> None:
    branch.publish(STAY.format(start="2025-06-30"))
    branch.follow(Follower(ADA, follows=("desk/stay",)))
    greet(branch, "follow.welcome")
    mail = newest(branch)
    (event,) = events_of(mail)
    assert (method_of(mail), event["SUMMARY"], event["SEQUENCE"]) == ("REQUEST", "The stay ends", 0)
    assert "You follow: The stay ends, Desk\n" in plain(mail)
    with branch.database.write() as connection:
        links = make_links(BASE, load_people_key(connection), "per_1")
    assert mail["List-Unsubscribe"] == f"<{links.leave}>"
    branch.publish(STAY.format(start="2025-08-31"))
    (moved,) = events_of(newest(branch))
    assert (moved["UID"], moved["SEQUENCE"]) == (event["UID"], 1)


def test_who_follows_more_gets_no_entry_with_the_welcome(branch: MailBranch) -> None:
    """A mail has the entry of one event only, as Outlook takes the first of several."""
    branch.publish(STAY.format(start="2025-06-30"))
    branch.follow(Follower(ADA, follows=("desk", "desk#urgent", "nowhere/event")))
    greet(branch, "follow.welcome")
    mail = newest(branch)
    assert calendar_of(mail) is None
    assert "You follow: Desk\nurgent, Desk\nevent, nowhere\n" in plain(mail)


@pytest.mark.parametrize("message_type", ["follow.confirm", "follow.welcome"])
def test_a_mail_says_nothing_of_a_calendar_that_became_private(
    branch: MailBranch, message_type: str
) -> None:
    """Somebody asked while it was public; what it says now is not for them."""
    branch.publish(STAY.format(start="2025-06-30"))
    branch.follow(Follower(ADA, follows=("desk/stay",)))
    secret = STAY.format(start="2025-07-31").replace("The stay ends", "The secret ends")
    branch.publish_calendars(define(secret, head="visibility: private"))
    greet(branch, message_type)
    mail = newest(branch)
    assert calendar_of(mail) is None
    assert "follow: stay, desk\n" in plain(mail)


def test_the_reminders_of_a_week_come_in_one_mail(branch: MailBranch) -> None:
    """Nearest first, each with its page."""
    other = "other:\n  summary: Other\n  start: 2025-07-01\n  reminders: [1 week]\n"
    branch.publish(STAY.format(start="2025-06-30"), other)
    weekly = Options(digest=Digest(at=time(8), weekday=1))
    branch.follow(Follower(ADA, options=weekly))
    for day in (23, 24):
        branch.now = datetime(2025, 6, day, 4, 0, tzinfo=UTC)
        branch.deliver()
    assert not branch.post.received
    branch.now = datetime(2025, 6, 24, 8, 0, tzinfo=UTC) + timedelta(seconds=1)
    mail = newest(branch)
    assert mail["Subject"] == "2 dates ahead"
    assert (
        "- The stay ends\n"
        "  30 June 2025 (in 6 days)\n"
        f"  {BASE}/calendars/desk/stay/\n\n"
        "- Other\n"
        "  1 July 2025 (in 7 days)\n"
        f"  {BASE}/calendars/desk/other/\n"
    ) in plain(mail)
    assert f"{BASE}/calendars/desk/other/" in Checker(html(mail)).links
