"""DKIM signatures (RFC 6376), by dkimpy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from calfeed.errors import SettingsError
from calfeed.private_files import keep_private, read_text

SIGNED_HEADERS = (
    *(b"from", b"to", b"subject", b"date", b"message-id", b"mime-version", b"content-type"),
    *(b"content-language", b"auto-submitted", b"list-id"),
    # Mail clients offer one-click unsubscribe only if these are signed (RFC 8058, 4).
    *(b"list-unsubscribe", b"list-unsubscribe-post"),
)


def make_signer(
    key_file: Path, selector: str, domain: str, *, protect: bool = True
) -> Callable[[bytes], bytes]:
    """Return a function that signs a mail with an RSA key (PEM) for a domain.

    The file is made private, unless `protect` is false. Raises SettingsError if the key cannot be
    used, or if dkimpy is not installed; FilePermissionsError if other users can read the key and
    that cannot be changed.
    """
    try:
        import dkim
    except ImportError as error:
        raise SettingsError(
            "CALFEED_MAIL_DKIM_KEY is set, but dkimpy, which signs mails, is not installed; "
            "run pip install 'calfeed[mail]'"
        ) from error
    if protect:
        keep_private(key_file)
    key = read_text(key_file).encode()

    def sign(content: bytes) -> bytes:
        present = {line.partition(b":")[0].lower() for line in _head(content).split(b"\r\n")}
        headers = [name for name in SIGNED_HEADERS if name in present]
        signature: bytes = dkim.sign(
            content, selector.encode(), domain.encode("idna"), key, include_headers=headers
        )
        return signature + content

    try:
        sign(b"From: a@example.org\r\n\r\n\r\n")
    except Exception as error:
        raise SettingsError(
            f"CALFEED_MAIL_DKIM_KEY: {key_file} cannot be used ({type(error).__name__}); it has to "
            "be an RSA key in PEM, as `openssl genrsa 2048` makes one"
        ) from error
    return sign


def _head(content: bytes) -> bytes:
    return content.partition(b"\r\n\r\n")[0]
