"""Returned mails: bounces as real servers write them, replies of calendar apps, and others."""

from __future__ import annotations

from datetime import timedelta
from email.message import EmailMessage

import pytest

from calfeed.delivery.mail.bounces.returned import Verdict, take_returned
from calfeed.model.states import EndpointState
from calfeed.reminders.mail.identifiers import make_bounce_token, read_bounce_token
from calfeed.store.endpoints.records import load_endpoints
from calfeed.store.outbox.deliveries import load_attempts
from tests.mail.branch import ADDRESSES, Follower, MailBranch
from tests.publish.desk import STAY

pytestmark = pytest.mark.parametrize("engine", ["sqlite"])

KEY = bytes(range(32))


def bounce_to(envelope_sender: str, status: str = "5.1.1") -> bytes:
    """A delivery status notification (RFC 3464) as Postfix writes it."""
    action = "failed" if status.startswith("5") else "delayed"
    return f"""\
From: MAILER-DAEMON@mx.example.net (Mail Delivery System)
To: {envelope_sender}
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
    boundary="A1.1/mx.example.net"

--A1.1/mx.example.net
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

This is the mail system at host mx.example.net.

--A1.1/mx.example.net
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net
X-Postfix-Sender: rfc822; {envelope_sender}

Final-Recipient: rfc822; ada@example.net
Original-Recipient: rfc822;ada@example.net
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 {status} <ada@example.net>: user unknown

--A1.1/mx.example.net--
""".replace("\n", "\r\n").encode()


def senders_of(branch: MailBranch, mails: int) -> list[str]:
    """Send so many mails to Ada, and return their envelope senders."""
    branch.follow(Follower("ada@example.net"))
    for month in range(7, 7 + mails):
        branch.publish(STAY.format(start=f"2025-{month:02}-01"))
        branch.deliver()
    return [one.sender for one in branch.post.received]


def take(branch: MailBranch, content: bytes) -> Verdict:
    return take_returned(branch.database, content, ADDRESSES.bounces, branch.now)


def state_of(branch: MailBranch) -> EndpointState:
    with branch.database.read() as connection:
        return load_endpoints(connection, ["per_1"])["per_1"].state


def test_three_mails_that_came_back_pause_a_person(branch: MailBranch) -> None:
    """Each counts once, however often it is reported, and is recorded with its delivery."""
    first, second, third = senders_of(branch, 3)
    assert take(branch, bounce_to(first)) is Verdict.PERMANENT
    assert take(branch, bounce_to(first)) is Verdict.KNOWN
    assert take(branch, bounce_to(second.upper())) is Verdict.PERMANENT
    assert state_of(branch) is EndpointState.ACTIVE
    assert take(branch, bounce_to(third)) is Verdict.PERMANENT
    assert state_of(branch) is EndpointState.DISABLED
    with branch.database.read() as connection:
        attempts = load_attempts(connection, branch.deliveries()[0].id)
    assert sorted(str(one.error) for one in attempts) == ["None", "it bounced later: 5.1.1"]
    assert "ada@" not in repr(branch.everything())


def test_what_comes_later_is_kept_for_a_paused_person(branch: MailBranch) -> None:
    for sender in senders_of(branch, 3):
        take(branch, bounce_to(sender))
    branch.now += timedelta(days=1)
    branch.publish(STAY.format(start="2025-12-24"))
    states = [row.state for row in branch.deliver()]
    assert states[-1] == "held"


def test_delays_forgeries_and_mails_of_people_count_for_nothing(branch: MailBranch) -> None:
    (sender,) = senders_of(branch, 1)
    assert take(branch, bounce_to(sender, "4.4.1")) is Verdict.TEMPORARY
    forged = sender.replace("+b-", "+b-9")
    assert take(branch, bounce_to(forged)) is Verdict.OTHER
    assert take(branch, bounce_to("calendar@example.org")) is Verdict.OTHER
    vacation = EmailMessage()
    vacation["To"], vacation["From"], vacation["Subject"] = sender, "ada@example.net", "Away"
    vacation.set_content("I am away until Monday.")
    assert take(branch, vacation.as_bytes()) is Verdict.OTHER
    for hostile in (b"", b"\0" * 1000, b"To: \xff\xfe\r\n\r\n", b"Content-Type: multipart/report"):
        assert take(branch, hostile) is Verdict.OTHER
    assert state_of(branch) is EndpointState.ACTIVE


def test_replies_of_calendar_apps_are_discarded(branch: MailBranch) -> None:
    reply = EmailMessage()
    reply["To"], reply["From"] = "calendar@example.org", "ada@example.net"
    reply.set_content("Accepted")
    text = "BEGIN:VCALENDAR\r\nMETHOD:REPLY\r\nEND:VCALENDAR\r\n"
    reply.add_alternative(text, subtype="calendar", params={"method": "REPLY"})
    assert take(branch, reply.as_bytes()) is Verdict.REPLY


def test_a_token_is_of_one_delivery_and_cannot_be_made_without_the_key(engine: str) -> None:
    """It fits into the local part of an address, and survives a change of case."""
    token = make_bounce_token(KEY, 1_234_567_890_123)
    assert len(f"calendar+b-{token}") <= 64
    assert read_bounce_token(KEY, token.upper()) == 1_234_567_890_123
    assert read_bounce_token(bytes(32), token) is None
    assert read_bounce_token(KEY, "9" + token) is None
    assert read_bounce_token(KEY, "x") is None


@pytest.mark.parametrize(
    "content",
    [
        b'To: "\r\n\r\n',
        b"To: ,a\\=?utf-8?q?=0A?=b\r\n\r\n",
        b"Delivered-To: *0*=@[x=%(\r\n\r\n",
        b"Content-Type: message/rfc822=?utf-8?q?=0A?=;<charset=\r\n\r\n",
        b'Content-Type: text/calendar; method*0*=%; method="\r\nTo: \xff\r\n\r\n',
    ],
)
def test_a_malformed_mail_is_left_alone_and_stops_nothing(
    branch: MailBranch, content: bytes
) -> None:
    """Anybody can write to the mailbox; an error would keep the mails after it from being read."""
    (sender,) = senders_of(branch, 1)
    assert take(branch, content) is Verdict.OTHER
    assert take(branch, content.replace(b"\r\n\r\n", f"\r\nTo: {sender}\r\n\r\n".encode())) is (
        Verdict.OTHER
    )
