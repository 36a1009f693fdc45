"""Mails in the outbox, with the guarantees of webhooks, and what servers reply."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest

from calfeed.delivery.mail.bounces.counting import MAX_BOUNCES
from calfeed.model.states import EndpointState
from calfeed.reminders.retry import SCHEDULE
from calfeed.store.endpoints.records import load_endpoints
from calfeed.store.outbox.deliveries import load_attempts
from tests.delivery.test_worker import WEEK_BEFORE
from tests.mail.branch import Follower, MailBranch
from tests.publish.desk import STAY

JUNE = STAY.format(start="2025-06-30")
AUGUST = STAY.format(start="2025-08-31")
SEPTEMBER = STAY.format(start="2025-09-01")
MINUTE = timedelta(minutes=1)


def state_of(branch: MailBranch, name: str = "per_1") -> EndpointState:
    with branch.database.read() as connection:
        return load_endpoints(connection, [name])[name].state


def test_an_announced_change_reaches_a_person_as_a_mail(branch: MailBranch) -> None:
    """One mail for one person, from the sender, with an envelope to which it bounces."""
    branch.follow(Follower("ada@example.net"), Follower("bo@example.net"))
    branch.publish(JUNE)
    rows = branch.deliver()
    assert [row.state for row in rows] == ["delivered"] * 2
    assert [len(branch.post.to(f"{name}@example.net")) for name in ("ada", "bo")] == [1, 1]
    (one,) = branch.post.to("ada@example.net")
    assert one.mail["From"] == "Desk <calendar@example.org>"
    assert one.mail["To"] == "ada@example.net"
    assert one.mail["Subject"] == "New: The stay ends, 30 June 2025"
    assert one.mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert one.mail["Auto-Submitted"] == "auto-generated"
    assert one.sender.startswith("calendar+b-")
    assert len({mail.sender for mail in branch.post.received}) == 2


def test_a_greylisted_mail_comes_again_under_the_same_message_id(branch: MailBranch) -> None:
    """A mail whose connection was lost may have been taken, so it comes twice, as one message."""
    branch.follow(Follower("grey@example.net"), Follower("drop@example.net"))
    branch.publish(JUNE)
    rows = branch.deliver()
    assert [(row.state, row.attempts) for row in rows] == [("pending", 1)] * 2
    assert {row.next_at for row in rows} == {branch.now + SCHEDULE[1]}
    branch.now = rows[0].next_at
    assert [row.state for row in branch.deliver()] == ["delivered"] * 2
    assert len(branch.post.to("grey@example.net")) == 1
    twice = branch.post.to("drop@example.net")
    assert len(twice) == 2
    assert len({one.message_id for one in twice}) == 1
    assert len({one.message_id for one in branch.post.received}) == 2


def test_who_has_no_mailbox_is_paused_after_three_mails(
    branch: MailBranch, caplog: pytest.LogCaptureFixture
) -> None:
    """Each of these mails is given up at once; no attempt, reason or log names the address."""
    branch.follow(Follower("gone.girl@example.net"), Follower("ada@example.net"))
    with caplog.at_level(logging.DEBUG, "calfeed"):
        for number, text in enumerate((JUNE, AUGUST, SEPTEMBER), 1):
            assert state_of(branch) is EndpointState.ACTIVE
            branch.publish(text)
            rows = [row for row in branch.deliver() if row.endpoint_id == "per_1"]
            assert [row.state for row in rows] == ["failed"] * number
    assert MAX_BOUNCES == 3
    assert state_of(branch) is EndpointState.DISABLED
    assert state_of(branch, "per_2") is EndpointState.ACTIVE
    with branch.database.read() as connection:
        (attempt,) = load_attempts(connection, rows[0].id)
    assert attempt.status == 550
    assert attempt.error == "there is no such mailbox: 550 5.1.1 …: … is not a user here"
    logged = [one.getMessage() for one in caplog.records if one.name.startswith("calfeed")]
    kept = repr(branch.everything()) + repr(logged)
    assert "gone.girl" not in kept
    assert "ada@example" not in kept


def test_a_refusal_by_policy_pauses_nobody(branch: MailBranch) -> None:
    """It is the site's to mend, and tried again on the schedule until that ends."""
    branch.follow(Follower("blocked@example.net"))
    branch.publish(JUNE)
    for attempt in range(1, len(SCHEDULE) + 1):
        (row,) = branch.deliver()
        assert row.attempts == attempt
        branch.now = row.next_at
    assert row.state == "failed"
    assert state_of(branch) is EndpointState.ACTIVE


@pytest.mark.parametrize("fault", ["closed", "refuses senders"])
def test_an_outage_of_the_mail_server_loses_nothing_and_pauses_nobody(
    branch: MailBranch, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    """However long it lasts, it uses up no attempts; it is said once, with the settings' names."""
    branch.follow(*(Follower(f"p{number}@example.net") for number in range(3)))
    if fault == "closed":
        branch.post.close()
    else:
        branch.post.refuses_senders = True
    branch.publish(JUNE)
    for _ in range(3):
        rows = branch.deliver()
        assert [(row.state, row.attempts) for row in rows] == [("pending", 0)] * 3
        branch.now += timedelta(days=3)
    errors = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert len(errors) == 1
    assert "CALFEED_MAIL_URL" in errors[0]
    if fault == "closed":
        branch.post.open()
    else:
        branch.post.refuses_senders = False
    branch.renew_sender()  # as a restart does; a running worker tries again after a minute
    assert [row.state for row in branch.deliver()] == ["delivered"] * 3
    assert {state_of(branch, f"per_{number}") for number in (1, 2, 3)} == {EndpointState.ACTIVE}


def test_webhooks_go_on_while_the_mail_server_fails(branch: MailBranch) -> None:
    branch.follow(Follower("ada@example.net"))
    branch.subscribe()
    branch.post.close()
    branch.publish(JUNE)
    states = {row.endpoint_id: row.state for row in branch.deliver()}
    assert states == {"per_1": "pending", "end_1": "delivered"}
    branch.post.open()


def test_a_reminder_of_a_date_that_has_moved_is_not_sent(branch: MailBranch) -> None:
    """Who could not be reached in time gets the move only."""
    branch.publish(JUNE)
    branch.follow(Follower("ada@example.net"))
    branch.post.close()
    branch.now = WEEK_BEFORE
    (row,) = branch.deliver()
    assert (row.type, row.state) == ("reminder.due", "pending")
    branch.publish(AUGUST)
    branch.post.open()
    branch.renew_sender()
    branch.now += MINUTE
    branch.deliver()
    (one,) = branch.post.received
    assert one.mail["Subject"] == "Moved: The stay ends, now 31 August 2025 (was 30 June 2025)"


def test_connections_are_used_for_many_mails(branch: MailBranch) -> None:
    branch.follow(*(Follower(f"p{number}@example.net") for number in range(40)))
    branch.publish(JUNE)
    branch.deliver()
    assert len(branch.post.received) == 40
    assert len(branch.post.sessions) <= 4


def test_the_rate_of_a_domain_holds_back_only_that_domain(branch: MailBranch) -> None:
    """At 5 mails a minute one may be sent at once, and the others have their turns."""
    branch.limit(5, lambda: 0.0)
    crowd = [Follower(f"p{number}@example.net") for number in range(4)]
    branch.follow(*crowd, Follower("ada@elsewhere.example"))
    branch.publish(JUNE)
    rows = branch.deliver()
    waiting = sorted(row.next_at - branch.now for row in rows if row.state == "pending")
    assert waiting == [timedelta(seconds=12 * number) for number in (1, 2, 3)]
    assert len(branch.post.to("ada@elsewhere.example")) == 1


def test_a_mail_that_cannot_be_written_is_logged_without_its_address(
    branch: MailBranch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(content: bytes) -> bytes:
        raise ValueError(content.decode())

    branch.sign(refuse)
    branch.follow(Follower("ada@example.net"))
    branch.publish(JUNE)
    branch.deliver()
    assert "a mail could not be written (ValueError)" in caplog.text
    assert "in refuse" in caplog.text
    assert "ada@" not in caplog.text
