"""Apprise's services, with a real mail server and a real HTTP receiver behind them."""

from __future__ import annotations

import inspect
import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from apprise.manager_plugins import NotificationManager

from calfeed.delivery.channels.apprise_service import Service
from calfeed.errors import InvalidInputError
from calfeed.reminders.plain_text import Notification
from tests.delivery.mailbox import Mailbox, read_text
from tests.delivery.receiver import Receiver

# Apprise imports it with its mail plugin.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

TOKEN = "hunter2-hunter2"
NOTE = Notification(
    "Moved: The stay", "The stay & <more>: 30 June 2025\nhttps://calendar.example.org/"
)


def json_url(receiver: Receiver, path: str) -> str:
    return f"json://desk:{TOKEN}@127.0.0.1:{receiver.port}{path}"


def test_a_mail_has_a_short_subject_and_plain_text() -> None:
    with Mailbox() as mailbox:
        assert Service(mailbox.url).send(NOTE) is None
        (mail,) = mailbox.mails
    assert mail["subject"] == NOTE.title
    assert mail["to"] == "desk@example.org"
    assert read_text(mail).splitlines()[:2] == NOTE.text.splitlines()


def test_a_mail_that_is_not_taken_is_told_of() -> None:
    with Mailbox() as mailbox:
        mailbox.full = True
        error = Service(mailbox.url).send(NOTE)
    assert error is not None
    assert error.startswith("E-Mail did not accept the message: ")
    assert mailbox.mails == []


def test_an_http_service_gets_title_and_text() -> None:
    with Receiver() as receiver:
        service = Service(json_url(receiver, "/status/200"))
        assert service.send(NOTE) is None
        (post,) = receiver.posts
    assert service.kind == "JSON"
    body = json.loads(post.body)
    assert (body["title"], body["message"]) == (NOTE.title, NOTE.text)


@pytest.mark.parametrize("path", ["/status/500", "/moved", "/closed", "/garbage"])
def test_what_a_service_does_not_take_is_told_in_words_without_its_address(
    path: str, caplog: pytest.LogCaptureFixture
) -> None:
    with Receiver() as receiver, caplog.at_level(logging.DEBUG):
        error = Service(json_url(receiver, f"{path}/{TOKEN}")).send(NOTE)
    assert error is not None
    assert error.startswith("JSON did not accept the message: ")
    assert TOKEN not in caplog.text
    for secret in (TOKEN, "desk", "127.0.0.1", str(receiver.port)):
        assert secret not in error


def test_no_redirect_is_followed() -> None:
    """The error is that of the redirect, not that of where it leads."""
    with Receiver() as receiver:
        error = Service(json_url(receiver, "/moved")).send(NOTE)
    assert "302" in str(error)


def test_the_time_a_service_gives_an_answer_is_limited() -> None:
    with Receiver() as receiver:
        error = Service(json_url(receiver, "/hang") + "?rto=0.2").send(NOTE)
    assert error is not None


def test_what_is_too_long_for_a_service_is_cut_and_not_sent_in_parts() -> None:
    with Receiver() as receiver:
        url = json_url(receiver, "/status/200")
        assert Service(url).send(Notification("Long", "x" * 100_000)) is None
        (post,) = receiver.posts
    assert 1000 < len(json.loads(post.body)["message"]) < 100_000


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("hunter2", "is not an Apprise URL"),
        ("slak://hunter2/b/c", "did you mean slack://"),
        ("https://example.org/hunter2", "jsons://"),
        ("slack://hunter2", "not a complete URL of Slack"),
        ("slack://T1JJ3T3L2/A1BRTD4JD/hunter2!", "not a complete URL of Slack"),
        ("syslog://hunter2", "not a network service"),
        ("dbus://hunter2", "not a network service"),
        ("gnome://hunter2", "not a network service"),
        ("windows://hunter2", "not a network service"),
        ("vapid://hunter2@example.org", "not a network service"),
        ("discord://hunter2/b?template=/etc/hosts", "names a file"),
        ("mailto://hunter2:x@example.org?pgppub=/etc/hosts", "names a file"),
    ],
)
def test_a_url_that_leads_to_no_network_service_is_refused_without_being_repeated(
    url: str, words: str
) -> None:
    with pytest.raises(InvalidInputError, match=words) as caught:
        Service(url)
    assert "hunter2" not in str(caught.value)


def test_a_service_is_recognised_by_the_address_it_hands_out() -> None:
    url = f"https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/{TOKEN.replace('-', '')}ABCDEFGHIJ"
    assert Service(url).kind == "Slack"


def test_no_service_shows_its_url() -> None:
    service = Service(f"json://desk:{TOKEN}@example.org/")
    assert TOKEN not in repr(service) + str(service)


def test_every_plugin_that_is_allowed_speaks_to_a_network() -> None:
    """A plugin that is new in Apprise and talks to the machine alone makes this fail."""
    plugins = NotificationManager()  # type: ignore[no-untyped-call]  # Apprise's
    libraries = "requests|socket|smtplib|smpplib|paho|slixmpp|gntp|proton"
    for schema in plugins.schemas():  # type: ignore[no-untyped-call]  # Apprise's
        source = "".join(_sources(plugins[schema]))
        if not re.search(rf"^\s*(import|from) \S*({libraries})", source, re.MULTILINE):
            with pytest.raises(InvalidInputError, match="not a network service"):
                Service(f"{schema}://localhost/")


def _sources(plugin: type) -> Iterator[str]:
    """The code of a plugin and of the plugins that it is made of."""
    for each in plugin.__mro__:
        name = each.__module__
        if name.startswith("apprise.plugins.") and name != "apprise.plugins.base":
            file = Path(inspect.getfile(each))
            files = [file] if file.parent.name == "plugins" else file.parent.glob("*.py")
            yield from (one.read_text("utf-8") for one in files)
