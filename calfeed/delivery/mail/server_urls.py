"""The URLs of the operator's mail servers: SMTP to send, IMAP for bounces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qs, unquote, urlsplit

from calfeed.errors import InvalidInputError

_SMTP_PORTS = {"smtp": 587, "smtps": 465}
_IMAP_PORTS = {"imap": 143, "imaps": 993}

_SMTP_ADVICE = (
    "it has to be smtps:// or smtp:// with a host, such as "
    "smtps://user:password@mail.example.org; percent-encode user and password"
)
_IMAP_ADVICE = (
    "it has to be imaps:// with a user, a password and a host, such as "
    "imaps://user:password@mail.example.org/INBOX; percent-encode user and password"
)


@dataclass(frozen=True)
class MailServer:
    """How to reach a mail server, and the `folder` of a mailbox on it.

    A scheme that ends with "s" means TLS from the start. Otherwise the connection is encrypted by
    STARTTLS, which is required unless `tls` is false.
    """

    scheme: str
    host: str
    port: int
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    folder: str = ""
    tls: bool = True

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def read_server_url(url: str) -> MailServer:
    """Read the URL of an SMTP server.

    Raises InvalidInputError, whose text does not quote the URL.
    """
    server = _read(url, _SMTP_PORTS, _SMTP_ADVICE)
    if server.folder:
        raise InvalidInputError(_SMTP_ADVICE)
    return server


def read_mailbox_url(url: str) -> MailServer:
    """Read the URL of a mailbox; its folder is INBOX by default.

    Raises InvalidInputError, whose text does not quote the URL.
    """
    server = _read(url, _IMAP_PORTS, _IMAP_ADVICE)
    if server.user is None:
        raise InvalidInputError(_IMAP_ADVICE)
    return replace(server, folder=server.folder or "INBOX")


def _read(url: str, ports: Mapping[str, int], advice: str) -> MailServer:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # its message may quote part of a password
        raise InvalidInputError(advice) from None
    options = parse_qs(parts.query, keep_blank_values=True)
    from_start = parts.scheme.endswith("s")
    expected = ["implicit" if from_start else "starttls"]
    tls = options.pop("tls", expected)
    if parts.scheme not in ports or not parts.hostname or options or parts.fragment:
        raise InvalidInputError(advice)
    if bool(parts.username) != bool(parts.password):
        raise InvalidInputError(advice)
    if tls != expected and (from_start or tls != ["none"]):
        plain = min(ports, key=len)
        raise InvalidInputError(
            f"tls=none is for {plain}:// only, to a server on this machine or in a trusted network"
        )
    return MailServer(
        scheme=parts.scheme,
        host=parts.hostname,
        port=port or ports[parts.scheme],
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        folder=unquote(parts.path.strip("/")),
        tls=tls != ["none"],
    )
