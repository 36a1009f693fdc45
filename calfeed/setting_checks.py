"""Check the texts of settings, and write URLs of databases.

Error messages describe the valid form to the operator.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

from pydantic import AnyHttpUrl, BeforeValidator, TypeAdapter

# The syntax of a bearer token (RFC 6750, 2.1).
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]{20,198}={0,2}")

# Push services refuse tokens without a contact that they can use (RFC 8292, 2.1).
_CONTACT = re.compile(r"mailto:[^\s@]+@[^\s@]+\.[^\s@]+|https://[^\s/]+\.[^\s]+")

_HOST = re.compile(r"\[[0-9a-f:.]+\]|[A-Za-z0-9._-]+")

# Only characters that nobody percent-encodes, so that a path cannot be written in two ways.
_PATH = re.compile(r"/|(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+/?")

# With socks5h, the proxy resolves host names, as http and https proxies do; with socks5, it does
# not.
_PROXY_SCHEMES = ("http", "https", "socks5h")


def check_path(value: Any) -> Any:
    """Return a path as written. Raises ValueError if it is empty: that is the working directory."""
    if value == "":
        raise ValueError("is empty; leave it out")
    return value


SettingPath = Annotated[Path, BeforeValidator(check_path)]
"""The type of a setting that is a path."""


def check_public_url(value: str) -> str:
    """Return the public URL in normal form: an ASCII host in lower case, no default port, no slash
    at the end.

    Raises ValueError unless it is a scheme, a host and optionally a port and a path.
    """
    url = TypeAdapter(AnyHttpUrl).validate_python(value)
    others = (url.query, url.fragment, url.username, url.password)
    fits = _PATH.fullmatch(url.path or "/") and others == (None,) * 4 and url.port != 0
    if not fits or not _HOST.fullmatch(url.host or ""):
        raise ValueError(
            "it has to be a scheme, a host and optionally a port and a path, such as "
            "https://calendar.example.org or https://example.org/dates; a path may have letters, "
            "digits and -._~"
        )
    return str(url).rstrip("/")


def check_time_zone(value: str) -> str:
    """Return the name of a time zone; "" means none. Raises ValueError for any other text."""
    try:
        return ZoneInfo(value).key if value else ""
    except (ValueError, OSError, LookupError):
        raise ValueError(
            "it has to be the name of a time zone, such as Asia/Karachi or UTC"
        ) from None


def check_contact(value: str) -> str:
    """Return the contact for push services. Raises ValueError unless push services can use it."""
    if not _CONTACT.fullmatch(value):
        raise ValueError("it has to be a mailto: or https: URL, such as mailto:desk@example.org")
    return value


def check_admin_token(value: str) -> str:
    """Return the admin token. Raises ValueError for one that is too short or cannot be sent."""
    if not _TOKEN.fullmatch(value):
        raise ValueError(
            "it has to be from 20 to 200 letters, digits and -._~+/=; "
            "`openssl rand -hex 32` makes one"
        )
    return value


def check_listen_address(value: str) -> str:
    """Return an address to listen at. Raises ValueError unless it is a host and a port."""
    if not _HOST.fullmatch(value.rpartition(":")[0]) or not 0 < split_address(value)[1] < 65536:
        raise ValueError("it has to be a host and a port, such as 127.0.0.1:9464 or [::1]:9464")
    return value


def split_address(value: str) -> tuple[str, int]:
    """Split a host, in brackets if it is an IPv6 address, and a port; port 0 if it is invalid."""
    host, _, port = value.rpartition(":")
    digits = port.isascii() and port.isdecimal() and len(port) < 6
    return host.removeprefix("[").removesuffix("]"), int(port) if digits else 0


def check_ping_url(value: str) -> str:
    """Return the URL of a dead man's switch.

    Raises ValueError if it is not an http or https URL; the message does not quote it.
    """
    try:
        parts = urlsplit(value)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname or not value.isascii():
        raise ValueError("it has to be an http or https URL, such as https://ping.example.org/id")
    return value


def check_collector_url(value: str) -> str:
    """Return the URL of a collector of traces.

    Raises ValueError if it is not an http or https URL, or contains credentials or a query, because
    OpenTelemetry may log it.
    """
    check_ping_url(value)
    if urlsplit(value).username is not None or urlsplit(value).query:
        raise ValueError(
            "it must have no password and no query; put a token into OTEL_EXPORTER_OTLP_HEADERS"
        )
    return value


def check_proxy_url(value: str) -> str:
    """Return the URL of a proxy. Raises ValueError if it is not complete.

    The port is required, because libcurl would use 1080 without it. The message of the error does
    not quote the URL.
    """
    if not _is_proxy_url(value):
        raise ValueError(
            "it has to be a scheme (http, https or socks5h), a host and a port, such as "
            "http://proxy.example.org:3128; add a user name and a password percent-encoded, "
            "such as http://user:password@proxy.example.org:3128"
        )
    return value


def _is_proxy_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:  # the message of this error may quote part of a password
        return False
    return (
        parts.scheme in _PROXY_SCHEMES
        and bool(parts.hostname)
        and bool(port)
        and parts.path in ("", "/")
        and not parts.query
        and not parts.fragment
        and text.isascii()
        and not any(character.isspace() or not character.isprintable() for character in text)
    )


def make_sqlite_url(file: Path) -> str:
    """Return the URL of a SQLite database. Its path may have any characters."""
    return f"sqlite:///{quote(str(file))}"
