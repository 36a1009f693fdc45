"""A reusable libcurl handle: options, the address guard at connect time, outcome."""

from __future__ import annotations

import logging
import socket
import ssl
from collections.abc import Callable, Hashable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, NamedTuple

import pycurl

from calfeed.delivery.transport.guard import find_refusal, format_refusal
from calfeed.reminders.retry import Outcome

_log = logging.getLogger(__name__)

_MAX_RESPONSE_BYTES = 64 * 1024  # the transfer ends there
_KEPT_RESPONSE_BYTES = 1024

_ERRORS = {
    pycurl.E_URL_MALFORMAT: "the URL is not valid",
    pycurl.E_COULDNT_RESOLVE_HOST: "the host name cannot be resolved",
    pycurl.E_COULDNT_RESOLVE_PROXY: "the egress proxy's host name cannot be resolved",
    pycurl.E_COULDNT_CONNECT: "no connection: nothing accepts one at this address and port",
    pycurl.E_GOT_NOTHING: "the connection was closed without a response",
    pycurl.E_SEND_ERROR: "the connection broke while the message was sent",
    pycurl.E_RECV_ERROR: "the connection broke before the response was complete",
    pycurl.E_PARTIAL_FILE: "the connection was closed before the response was complete",
    pycurl.E_UNSUPPORTED_PROTOCOL: "the response is not HTTP",
    pycurl.E_FTP_WEIRD_SERVER_REPLY: "the response is not HTTP",  # the old name of code 8
    97: "the egress proxy made no connection",  # CURLE_PROXY, which pycurl has no name for
}
_TLS_ERRORS = {
    pycurl.E_PEER_FAILED_VERIFICATION: "the server's certificate is not trusted",
    pycurl.E_SSL_CONNECT_ERROR: "no TLS connection",
    pycurl.E_SSL_CACERT_BADFILE: "the certificate authorities cannot be read",
}


class Request(NamedTuple):
    """A POST request; `key` is the caller's, and is returned in the outcome.

    `sign` makes the headers that depend on the time. It is called when sending begins, because a
    request may be queued for minutes. `url` must be a result of `check_url`. The repr leaves out
    URL, headers and body, which can contain tokens and signatures. For a mail, the URL is the
    address (`mailto:`), the header Return-Path is the envelope sender, and `write` makes the body
    when sending begins.
    """

    key: Hashable
    url: str
    headers: Mapping[str, str]
    body: bytes
    sign: Callable[[], Mapping[str, str]] | None = None
    write: Callable[[], bytes] | None = None

    def __repr__(self) -> str:
        return f"Request({self.key!r})"


def fail(request: Request, error: str) -> Outcome:
    """Make the outcome of a request that was not sent completely."""
    return Outcome(request.key, None, error, 0, None, "", datetime.now(UTC))


class Transfer:
    """A libcurl handle (`curl`) and its current request.

    `options` (libcurl's, by number) apply to every request. If `guarded`, connections to addresses
    that `find_refusal` refuses are not opened.
    """

    def __init__(self, options: Mapping[int, Any], guarded: bool) -> None:
        self.curl = pycurl.Curl()
        self.request: Request
        self._started_at: datetime
        self._headers: list[bytes] = []
        self._body_start = bytearray()
        self._body_length = 0
        self._refusal: str | None = None
        for option, value in options.items():
            self.curl.setopt(option, value)
        self.curl.setopt(pycurl.HEADERFUNCTION, self._headers.append)
        self.curl.setopt(pycurl.WRITEFUNCTION, self._receive)
        if guarded:
            self.curl.setopt(pycurl.OPENSOCKETFUNCTION, self._open_socket)

    def prepare(self, request: Request) -> None:
        """Set the handle up; raises ValueError or pycurl.error for an invalid request."""
        headers = {**request.headers, **(request.sign() if request.sign else {})}
        lines = [f"{name}: {value}" for name, value in headers.items()]
        text = "".join(lines)
        if "\n" in text or "\r" in text:
            raise ValueError("a header has a line break in it")
        lines.append("Expect:")  # no "100-continue" before a large body
        self.curl.setopt(pycurl.URL, request.url)
        self.curl.setopt(pycurl.HTTPHEADER, lines)
        self.curl.setopt(pycurl.POSTFIELDS, request.body)
        self.request = request
        self._started_at = datetime.now(UTC)
        self._headers.clear()
        self._body_start.clear()
        self._body_length = 0
        self._refusal = None

    def outcome(self, code: int = pycurl.E_OK, message: str = "") -> Outcome:
        """Make the outcome once libcurl is done, with its result code and message."""
        status: int | None = None
        error: str | None = None
        retry_after: str | None = None
        # `_receive` aborts the transfer of a long body; the status is still valid.
        if code == pycurl.E_OK or self._body_length > _MAX_RESPONSE_BYTES:
            status = self.curl.getinfo(pycurl.RESPONSE_CODE)
            if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
                retry_after = self._find_retry_after()
        else:
            error = self._explain(code, message)
        seconds = self.curl.getinfo(pycurl.TOTAL_TIME)
        text = ""
        if self._body_start:
            # PostgreSQL cannot store NUL in a text.
            text = self._body_start.decode("utf-8", "replace").replace(
                "\0", "\N{REPLACEMENT CHARACTER}"
            )
        return Outcome(
            self.request.key,
            status,
            error,
            round(seconds * 1000),
            retry_after,
            text,
            self._started_at,
            certificate_until=self._find_certificate_until(),
        )

    def _explain(self, code: int, message: str) -> str:
        """Describe an error without libcurl's own text, which can quote the URL."""
        if self._refusal is not None:
            return self._refusal
        if code == pycurl.E_OPERATION_TIMEDOUT:
            connected = self.curl.getinfo(pycurl.PRETRANSFER_TIME) > 0
            missing = "complete answer" if connected else "connection"
            return f"no {missing} after {self.curl.getinfo(pycurl.TOTAL_TIME):.1f} seconds"
        if (status := self.curl.getinfo(pycurl.HTTP_CONNECTCODE)) not in (0, HTTPStatus.OK):
            return f"the egress proxy made no connection (it responded with {status})"
        if code in _TLS_ERRORS:
            return f"{_TLS_ERRORS[code]} ({message})"
        return _ERRORS.get(code) or f"the message could not be sent (libcurl error {code})"

    def _find_certificate_until(self) -> datetime | None:
        """Return when the server's certificate expires, if it has one that is trusted.

        None for a connection that is reused, and for a certificate that cannot be parsed.
        """
        if not self.request.url.startswith("https:"):
            return None
        if self.curl.getinfo(pycurl.SSL_VERIFYRESULT) != 0:
            return None
        with suppress(ValueError):
            for fields in self.curl.getinfo_raw(pycurl.INFO_CERTINFO)[:1]:
                for name, value in fields:
                    if name == b"Expire date":
                        seconds = ssl.cert_time_to_seconds(value.decode("ascii"))
                        return datetime.fromtimestamp(seconds, UTC)
        return None

    def _find_retry_after(self) -> str | None:
        for line in reversed(self._headers):
            name, _, value = line.partition(b":")
            if name.lower() == b"retry-after":
                return value.strip()[:100].decode("latin-1")
        return None

    def _receive(self, chunk: bytes) -> int:
        self._body_length += len(chunk)
        self._body_start += chunk[: _KEPT_RESPONSE_BYTES - len(self._body_start)]
        return len(chunk) if self._body_length <= _MAX_RESPONSE_BYTES else 0

    def _open_socket(self, _purpose: int, address: Any) -> socket.socket | int:
        try:
            host = str(address.addr[0])
            reason = find_refusal(host)
            if reason is None:
                return _TemporarySocket(address.family, address.socktype, address.protocol)
            self._refusal = format_refusal(host, reason)
        except Exception as error:  # pycurl would hide it from libcurl
            _log.exception("no socket could be opened")
            self._refusal = f"no socket could be opened ({type(error).__name__})"
        return int(pycurl.SOCKET_BAD)


class _TemporarySocket(socket.socket):
    """A socket that is closed when it is garbage collected, because pycurl duplicates it."""

    def __del__(self) -> None:
        self.close()
