"""DKIM signatures, as a receiving server verifies them."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from calfeed.delivery.mail.signing import make_signer
from calfeed.errors import SettingsError
from calfeed.services.doctor.sending import check_mail
from calfeed.settings import Settings
from tests.mail.branch import Follower, MailBranch
from tests.ports import free_port
from tests.publish.desk import STAY


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def key_file(key: rsa.RSAPrivateKey, tmp_path: Path) -> Path:
    text = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    file = tmp_path / "dkim.pem"
    file.touch(0o600)
    file.write_bytes(text)
    return file


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_mail_is_signed_with_its_unsubscribe_headers(
    branch: MailBranch, key: rsa.RSAPrivateKey, key_file: Path
) -> None:
    """What arrives is verified with the key in the DNS, and no longer if a header was changed."""
    branch.sign(make_signer(key_file, "cal1", "example.org"))
    branch.follow(Follower("ada@example.net", "ur"))
    branch.publish(STAY.format(start="2025-06-30"))
    branch.deliver()
    (one,) = branch.post.received
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    record = b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)

    def look_up(name: bytes, timeout: int = 5) -> bytes:
        assert name == b"cal1._domainkey.example.org."
        return record

    assert dkim.verify(one.content, dnsfunc=look_up)
    signed = re.search(rb"h=([^;]+);", one.content)
    assert signed is not None
    names = {name.strip().lower() for name in signed[1].split(b":")}
    assert {b"list-unsubscribe", b"list-unsubscribe-post", b"from", b"date", b"subject"} <= names
    changed = one.content.replace(b"\r\nList-Unsubscribe: <https:", b"\r\nList-Unsubscribe: <http:")
    assert changed != one.content
    assert not dkim.verify(changed, dnsfunc=look_up)


def test_the_doctor_leaves_the_mode_of_a_key_to_those_who_sign_with_it(key_file: Path) -> None:
    key_file.chmod(0o644)
    settings = Settings.model_validate(
        {
            "mail_url": f"smtp://127.0.0.1:{free_port()}?tls=none",
            "mail_from": "a@example.org",
            "mail_dkim_key": key_file,
            "mail_dkim_selector": "cal1",
        }
    )
    assert [finding.subject for finding in check_mail(settings)] == ["mail"]
    assert key_file.stat().st_mode & 0o777 == 0o644
    make_signer(key_file, "cal1", "example.org")
    assert key_file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", ["", "not a key\n", "-----BEGIN RSA PRIVATE KEY-----\nAA==\n"])
def test_a_key_that_cannot_be_used_is_said_at_once(tmp_path: Path, text: str) -> None:
    file = tmp_path / "dkim.pem"
    file.touch(0o600)
    file.write_text(text)
    with pytest.raises(SettingsError, match=r"dkim\.pem"):
        make_signer(file, "cal1", "example.org")
