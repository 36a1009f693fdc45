"""Connections to the SMTP server: TLS, login, and their errors."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword

from calfeed.delivery.mail.replies import MailError
from calfeed.delivery.mail.server import Connection
from calfeed.delivery.mail.server_urls import read_server_url
from calfeed.reminders.retry import Fault
from tests.delivery.receiver import make_certificate, needs_openssl
from tests.mail.post_office import PostOffice

MAIL = b"Subject: Hello\r\n\r\nHello\r\n"


def check_login(
    _server: object, _session: object, _envelope: object, _how: str, given: object
) -> AuthResult:
    assert isinstance(given, LoginPassword)
    known = (given.login, given.password) == (b"ada", b"p@ss")
    return AuthResult(success=known, handled=known)  # what is not handled is refused


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """The TLS of a server whose certificate this process trusts."""
    certificate, context = make_certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    return context


def send(url: str) -> tuple[int, str]:
    connection = Connection(read_server_url(url))
    try:
        return connection.send("calendar@example.org", "ada@example.net", MAIL)
    finally:
        connection.close()


@needs_openssl
def test_starttls_and_login(trusted: ssl.SSLContext) -> None:
    """The server takes no login and no mail without TLS."""
    options = {
        "tls_context": trusted,
        "require_starttls": True,
        "authenticator": check_login,
        "auth_required": True,
    }
    with PostOffice(**options) as post:
        assert send(f"smtp://ada:p%40ss@127.0.0.1:{post.port}") == (250, "2.0.0 taken")
        with pytest.raises(MailError, match="535") as caught:
            send(f"smtp://ada:hunter2@127.0.0.1:{post.port}")
        assert caught.value.fault is Fault.SITE
        assert "hunter2" not in caught.value.error
    assert len(post.received) == 1


@needs_openssl
@pytest.mark.usefixtures("trusted")
def test_a_certificate_of_somebody_else_is_not_trusted(tmp_path: Path) -> None:
    """Nor is a server used that offers no TLS, unless the URL says so."""
    folder = tmp_path / "other"
    folder.mkdir()
    with PostOffice(tls_context=make_certificate(folder)[1]) as post:
        with pytest.raises(MailError, match="certificate is not trusted") as caught:
            send(f"smtp://ada:p%40ss@127.0.0.1:{post.port}")
        assert caught.value.fault is Fault.SITE
    with PostOffice() as post:
        with pytest.raises(MailError, match="no such login or TLS") as caught:
            send(f"smtp://ada:p%40ss@127.0.0.1:{post.port}")
        assert caught.value.fault is Fault.SITE
        assert send(post.url) == (250, "2.0.0 taken")


@needs_openssl
def test_tls_from_the_start(trusted: ssl.SSLContext) -> None:
    with PostOffice(ssl_context=trusted) as post:
        assert send(f"smtps://127.0.0.1:{post.port}") == (250, "2.0.0 taken")


def test_a_connection_that_was_idle_too_long_is_replaced() -> None:
    """The server ended it meanwhile; the mail is sent once, and nobody sees an error."""
    with PostOffice() as post:
        connection = Connection(read_server_url(post.url))
        connection.send("calendar@example.org", "ada@example.net", MAIL)
        post.close()
        post.open()
        connection.send("calendar@example.org", "bo@example.net", MAIL)
        connection.close()
    assert [one.recipient for one in post.received] == ["ada@example.net", "bo@example.net"]


def test_an_address_with_other_letters_needs_a_server_that_takes_it() -> None:
    with PostOffice(enable_SMTPUTF8=True) as post:
        connection = Connection(read_server_url(post.url))
        connection.send("calendar@example.org", "زید@example.net", MAIL)
        connection.send("calendar@example.org", "ada@example.net", MAIL)
        connection.close()
    assert [one.recipient for one in post.received] == ["زید@example.net", "ada@example.net"]
    with PostOffice(enable_SMTPUTF8=False) as post:
        connection = Connection(read_server_url(post.url))
        with pytest.raises(MailError, match="outside ASCII") as caught:
            connection.send("calendar@example.org", "زید@example.net", MAIL)
        assert caught.value.fault is Fault.RECEIVER
        connection.close()
