"""The settings of mail: read together, with errors that say what would be right."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from calfeed.delivery.mail.configuration import read_mail_settings
from calfeed.delivery.mail.replies import Stage, explain_reply, scrub
from calfeed.delivery.mail.server_urls import read_server_url
from calfeed.errors import InvalidInputError, SettingsError
from calfeed.reminders.retry import Fault
from calfeed.settings import Settings

URL = "smtps://ada:p%40ss@mail.example.org"


def settings(url: str | None = URL, **others: object) -> Settings:
    return Settings(mail_url=SecretStr(url) if url else None, **others)


def test_server_and_sender_are_enough() -> None:
    mail = read_mail_settings(settings(mail_from="Key dates <calendar@example.org>"))
    assert mail is not None
    assert (mail.server.host, mail.server.port) == ("mail.example.org", 465)
    assert (mail.server.user, mail.server.password) == ("ada", "p@ss")
    assert (mail.sender.name, mail.sender.address) == ("Key dates", "calendar@example.org")
    assert mail.bounces == "calendar+b-*@example.org"
    assert "p@ss" not in repr(mail)


def test_without_any_there_are_no_mails() -> None:
    assert read_mail_settings(settings(None)) is None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"url": URL}, "CALFEED_MAIL_URL is set, but not CALFEED_MAIL_FROM"),
        ({"url": None, "mail_from": "a@example.org"}, "not CALFEED_MAIL_URL"),
        ({"url": None, "mail_bounce_address": "a*@example.org"}, "CALFEED_MAIL_BOUNCE_ADDRESS is"),
        ({"mail_from": "calendar"}, "CALFEED_MAIL_FROM: it has to be a mail address"),
        ({"mail_from": "a@example.org", "mail_bounce_address": "b@example.org"}, r"with one \*"),
        ({"mail_from": f"{'a' * 40}@example.org"}, "a short name before it"),
        ({"mail_from": "a@example.org", "mail_dkim_selector": "x"}, "need each other"),
        (
            {"mail_from": "a@example.org", "mail_bounces_url": SecretStr("imaps://h")},
            "CALFEED_MAIL_BOUNCES_URL: it has to be imaps",
        ),
    ],
)
def test_what_is_missing_or_wrong_is_said(given: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        read_mail_settings(settings(**given))  # type: ignore[arg-type]  # of several types


@pytest.mark.parametrize(
    "url",
    [
        "mail.example.org",
        "https://mail.example.org",
        "smtps://",
        "smtps://hunter2@mail.example.org",
        "smtps://ada:hunter2@mail.example.org/path",
        "smtps://ada:hunter2@mail.example.org?x=1",
        "smtps://ada:hunter2@mail.example.org:port",
        "smtps://ada:hunter2@mail.example.org?tls=none",
    ],
)
def test_a_url_that_is_no_mail_server_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        read_server_url(url)
    assert "hunter2" not in str(caught.value)


def test_smtp_is_encrypted_unless_the_url_says_otherwise() -> None:
    assert read_server_url("smtp://mail.example.org").tls
    assert not read_server_url("smtp://127.0.0.1:25?tls=none").tls


@pytest.mark.parametrize(
    ("code", "reply", "stage", "fault"),
    [
        (550, "5.1.1 no such user", Stage.RECIPIENT, Fault.RECEIVER),
        (550, "no such user", Stage.RECIPIENT, Fault.RECEIVER),
        (550, "5.7.1 blocked by policy", Stage.RECIPIENT, None),
        (554, "relay access denied", Stage.RECIPIENT, None),
        (552, "5.2.2 mailbox full", Stage.RECIPIENT, None),
        (450, "4.2.0 greylisted", Stage.RECIPIENT, None),
        (550, "5.1.1 no such user", Stage.CONTENT, None),
        (530, "5.7.0 authentication required", Stage.RECIPIENT, Fault.SITE),
        (553, "5.7.1 sender rejected", Stage.SENDER, Fault.SITE),
        (552, "5.3.4 message too big", Stage.SENDER, None),
        (451, "4.3.0 busy", Stage.SENDER, None),
        (421, "too many connections", Stage.OPEN, Fault.SITE),
        (535, "5.7.8 wrong password", Stage.OPEN, Fault.SITE),
    ],
)
def test_only_a_missing_mailbox_blames_the_receiver(
    code: int, reply: str, stage: int, fault: Fault | None
) -> None:
    assert explain_reply(code, reply, stage).fault is fault


def test_no_reply_keeps_an_address() -> None:
    text = scrub("550 <Ada.L@example.net>: ADA.L is unknown; try postmaster@example.net", "ada.l@x")
    assert text == "550 …: … is unknown; try …"
