"""The mailbox of bounces, on a real IMAP server."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from pydantic import SecretStr

from calfeed.delivery.mail.bounces.mailbox import (
    Mailbox,
    MailboxPoller,
)
from calfeed.delivery.mail.server_urls import read_mailbox_url
from calfeed.errors import InvalidInputError
from calfeed.model.states import EndpointState
from calfeed.services.mail.bounces import poll_bounces
from calfeed.settings import Settings
from tests.delivery.office import wait_until
from tests.mail.branch import MailBranch
from tests.mail.dovecot import MailFolder, find_dovecot, run_dovecot
from tests.mail.test_returned import bounce_to, senders_of, state_of
from tests.ports import free_port


@pytest.fixture
def mails() -> Iterator[MailFolder]:
    program = find_dovecot()
    if program is None:
        # Under CI a missing part is a failure, not a skip.
        assert not os.environ.get("CI"), "Dovecot is not installed"
        pytest.skip("needs Dovecot; `make parts` installs it")
    # The names of its sockets have to be short.
    with TemporaryDirectory(prefix="dc-") as name, run_dovecot(program, Path(name)) as folder:
        yield folder


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_worker_takes_bounces_from_the_mailbox_and_leaves_the_rest(
    branch: MailBranch, mails: MailFolder
) -> None:
    """A mail that is not a bounce of this site is not even marked as read."""
    for number, sender in enumerate(senders_of(branch, 3)):
        mails.put(f"bounce{number}", bounce_to(sender))
    mails.put("letter", b"To: calendar@example.org\r\nSubject: A question\r\n\r\nWhen is it?\r\n")
    settings = Settings(
        mail_url=SecretStr(branch.post.url),
        mail_from="calendar@example.org",
        mail_bounces_url=SecretStr(mails.url),
    )
    with poll_bounces(branch.database, settings, lambda: branch.now):
        wait_until(lambda: mails.left() == {"letter"})
    assert state_of(branch) is EndpointState.DISABLED


def test_what_was_left_is_not_read_again(mails: MailFolder) -> None:
    mails.put("first", b"Subject: 1\r\n\r\n")
    read: list[bytes] = []

    def take(content: bytes) -> bool:
        read.append(content)
        return False

    mailbox = Mailbox(read_mailbox_url(mails.url), take)
    assert mailbox.read() == 0
    mails.put("second", b"Subject: 2\r\n\r\n")
    assert mailbox.read() == 0
    assert [content.split(b"\r\n")[0] for content in read] == [b"Subject: 1", b"Subject: 2"]


def test_what_somebody_else_has_marked_as_deleted_stays(mails: MailFolder) -> None:
    """Who reads the mailbox too may still want it back."""
    mails.put("theirs", b"Subject: 1\r\n\r\n")
    mails.mark_deleted("theirs")
    mails.put("bounce", b"Subject: 2\r\n\r\n")
    assert Mailbox(read_mailbox_url(mails.url), lambda _: True).read() == 1
    assert mails.left() == {"theirs"}


def test_a_mailbox_that_cannot_be_read_is_said_without_its_password(
    caplog: pytest.LogCaptureFixture,
) -> None:
    address = read_mailbox_url(f"imap://ada:hunter2@127.0.0.1:{free_port()}/?tls=none")
    with caplog.at_level(logging.ERROR), MailboxPoller(Mailbox(address, lambda _: True), address):
        wait_until(lambda: bool(caplog.records))
    assert "CALFEED_MAIL_BOUNCES_URL" in caplog.text
    assert "hunter2" not in caplog.text + repr(address)


@pytest.mark.parametrize(
    "url",
    [
        "https://mail.example.org",
        "imaps://mail.example.org",
        "imaps://ada@mail.example.org",
        "imaps://ada:hunter2@mail.example.org?tls=none",
        "imaps://ada:hunter2@mail.example.org:port/",
    ],
)
def test_a_url_that_is_no_mailbox_is_refused(url: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        read_mailbox_url(url)
    assert "hunter2" not in str(caught.value)
