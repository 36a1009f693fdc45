"""What the doctor connects to: web servers with and without TLS, mail servers, mailboxes."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from pydantic import SecretStr

from calfeed.services.doctor.addresses import check_public_url
from calfeed.services.doctor.findings import Finding
from calfeed.services.doctor.probing import (
    FORWARDED_HEADER,
    LINEAGE_HEADER,
    UnreachableError,
    probe,
)
from calfeed.services.doctor.sending import check_bounces, check_channels, check_mail, check_push
from calfeed.settings import Settings
from tests.delivery.receiver import make_certificate, needs_openssl
from tests.loopback import Handler, Loopback
from tests.mail.dovecot import find_dovecot, run_dovecot
from tests.mail.post_office import PostOffice
from tests.mail.test_server import check_login
from tests.ports import free_port

# Apprise imports it.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

NOW = datetime.now(UTC)


class _Ready(Handler):
    """Answers as calfeed does behind one proxy."""

    def do_GET(self) -> None:  # noqa: N802 - the name is http.server's
        self.server.owner.seen.append((self.path, dict(self.headers)))
        self.send_response(200)
        self.send_header(LINEAGE_HEADER, "cafe0123")
        self.send_header(FORWARDED_HEADER, "1")
        self.send_header("Content-Length", "3")
        self.end_headers()
        self.wfile.write(b"ok\n")


class Site(Loopback):
    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(_Ready, tls)
        self.seen: list[tuple[str, dict[str, str]]] = []


def levels(findings: Iterator[Finding]) -> dict[str, str]:
    return {finding.subject: finding.level.value for finding in findings}


@needs_openssl
def test_a_public_url_is_asked_as_readers_do_and_its_certificate_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, context = make_certificate(tmp_path)
    with Site(context) as site:
        url = f"https://127.0.0.1:{site.port}"
        settings = Settings(public_url=url, trusted_proxies=1, admin_token=SecretStr("t" * 32))
        (refused,) = check_public_url(settings, lambda: "cafe0123", NOW)
        assert "its certificate is not trusted" in refused.text
        assert site.seen == []
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        found = levels(check_public_url(settings, lambda: "cafe0123", NOW))
        assert found == {"public URL": "ok", "certificate": "ok", "proxies": "ok"}
        # It is for two days.
        late = levels(check_public_url(settings, lambda: "beef4567", NOW + timedelta(days=1.8)))
    assert late == {"public URL": "problem", "certificate": "warning", "proxies": "ok"}
    path, headers = site.seen[0]
    assert path == "/readyz"
    assert headers.keys() == {"Host", "Accept-Encoding", "User-Agent"}


def test_what_does_not_answer_says_why() -> None:
    with pytest.raises(UnreachableError, match="nothing accepts connections"):
        probe(f"http://127.0.0.1:{free_port()}/readyz")
    with pytest.raises(UnreachableError, match="cannot be resolved"):
        probe("http://none.invalid/readyz")
    with PostOffice() as post, pytest.raises(UnreachableError, match="does not speak HTTP"):
        probe(f"http://127.0.0.1:{post.port}/readyz")
    with PostOffice() as post, pytest.raises(UnreachableError, match="no TLS connection"):
        probe(f"https://127.0.0.1:{post.port}/readyz")


def mail_settings(url: str, **more: object) -> Settings:
    given = {"mail_url": url, "mail_from": "calendar@example.org", **more}
    return Settings.model_validate(given)


@needs_openssl
def test_the_mail_server_takes_the_login_and_gets_no_mail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, context = make_certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    options = {"tls_context": context, "require_starttls": True, "authenticator": check_login}
    with PostOffice(**options, auth_required=True) as post:
        right = mail_settings(f"smtp://ada:p%40ss@127.0.0.1:{post.port}")
        (finding,) = check_mail(right)
        assert finding.level == "ok"
        assert "takes the login over TLS; mails are not signed" in finding.text
        (refused,) = check_mail(mail_settings(f"smtp://ada:hunter2@127.0.0.1:{post.port}"))
        assert refused.level == "problem"
        assert "535" in refused.text
        assert "hunter2" not in str(refused)
    (away,) = check_mail(right)
    assert "nothing accepts connections" in away.text
    assert post.received == []


def test_a_mail_server_without_tls_is_a_warning_and_none_is_right_too() -> None:
    with PostOffice() as post:
        assert levels(check_mail(mail_settings(post.url))) == {"mail": "warning"}
    assert levels(check_mail(Settings())) == {"mail": "ok"}


def test_the_mailbox_of_bounces_is_read_and_not_changed() -> None:
    program = find_dovecot()
    if program is None:
        # Under CI a missing part is a failure, not a skip.
        assert not os.environ.get("CI"), "Dovecot is not installed"
        pytest.skip("needs Dovecot; `make parts` installs it")
    with TemporaryDirectory(prefix="dc-") as name, run_dovecot(program, Path(name)) as folder:
        folder.put("letter", b"Subject: A question\r\n\r\nWhen?\r\n")
        settings = mail_settings("smtp://127.0.0.1", mail_bounces_url=folder.url)
        assert levels(check_bounces(settings)) == {"bounces": "ok"}
        assert folder.left() == {"letter"}
    (gone,) = check_bounces(settings)
    assert gone.level == "problem"
    assert list(check_bounces(Settings())) == []


def test_the_channels_file_is_read_and_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "channels.toml"
    file.write_text('[chat]\nurl = "json://127.0.0.1:1/"\n')
    file.chmod(0o644)
    (finding,) = check_channels(Settings(channels=file))
    assert str(finding) == f"{file} has 1 channel"
    assert file.stat().st_mode & 0o777 == 0o644
    assert levels(check_channels(Settings())) == {"channels": "ok"}


def test_push_needs_https() -> None:
    contact = "mailto:desk@example.org"
    assert levels(check_push(Settings(push_contact=contact))) == {"push": "warning"}
    public = Settings(push_contact=contact, public_url="https://calendar.example.org")
    assert levels(check_push(public)) == {"push": "ok"}
    assert levels(check_push(Settings())) == {"push": "ok"}
