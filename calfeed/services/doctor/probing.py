"""Ask a web server whether it is this installation."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlsplit

from calfeed import __version__
from calfeed.errors import CalfeedError

LINEAGE_HEADER = "calfeed-lineage"
"""The header of `/readyz` that distinguishes this installation from others; it is not secret."""

FORWARDED_HEADER = "calfeed-forwarded"
"""The header of `/readyz` with the number of addresses that X-Forwarded-For had on arrival."""

_TIMEOUT_SECONDS = 4.0
_MAX_BYTES = 1_000


class UnreachableError(CalfeedError):
    """A web server cannot be reached, or its certificate cannot be trusted."""


@dataclass(frozen=True)
class Answer:
    """The response of a web server; the names of its headers are in lower case.

    `certificate` is the period (UTC) in which the server's certificate is valid, if it has one.
    """

    status: int
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    certificate: tuple[datetime, datetime] | None = None


def probe(url: str) -> Answer:
    """Send a GET request without following redirects. Raises UnreachableError."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port
    connection: http.client.HTTPConnection = (
        http.client.HTTPSConnection(host, port, timeout=_TIMEOUT_SECONDS)
        if parts.scheme == "https"
        else http.client.HTTPConnection(host, port, timeout=_TIMEOUT_SECONDS)
    )
    try:
        connection.connect()
        validity = _read_validity(connection.sock)
        connection.request("GET", parts.path, headers={"User-Agent": f"calfeed/{__version__}"})
        response = connection.getresponse()
        body = response.read(_MAX_BYTES).decode("utf-8", "replace").strip()
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status, body, headers, validity)
    except (OSError, http.client.HTTPException) as error:
        raise UnreachableError(_explain(error)) from None
    finally:
        connection.close()


def _read_validity(connection: socket.socket) -> tuple[datetime, datetime] | None:
    """Return the period in which a server's certificate is valid; None without TLS."""
    certificate = connection.getpeercert() if isinstance(connection, ssl.SSLSocket) else None
    if not certificate:
        return None
    begin, end = (
        datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate[name])), UTC)
        for name in ("notBefore", "notAfter")
    )
    return begin, end


def _explain(error: Exception) -> str:
    match error:
        case ssl.SSLCertVerificationError():
            return f"its certificate is not trusted ({error.verify_message})"
        case ssl.SSLError():
            return f"no TLS connection ({error.reason or 'closed'})"
        case socket.gaierror():
            return "its name cannot be resolved"
        case ConnectionRefusedError():
            return "nothing accepts connections there"
        case TimeoutError():
            return f"no response within {_TIMEOUT_SECONDS:.0f} seconds"
        case OSError():
            return (error.strerror or type(error).__name__).lower()
    return "what answers there does not speak HTTP"
