"""One POST at a time on one libcurl handle, kept for the next: options, guard, outcome."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Hashable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, NamedTuple

import pycurl

from calfeed.delivery.transport.guard import refusal, refuse_address
from calfeed.reminders.retry import Outcome

_log = logging.getLogger(__name__)

_READ_AT_MOST = 64 * 1024  # bytes of a response's body; the rest is not waited for
_KEPT = 1024  # bytes of it that an outcome carries

_ERRORS = {
    pycurl.E_URL_MALFORMAT: "the URL cannot be read",
    pycurl.E_COULDNT_RESOLVE_HOST: "the host name cannot be resolved",
    pycurl.E_COULDNT_RESOLVE_PROXY: "the egress proxy's host name cannot be resolved",
    pycurl.E_COULDNT_CONNECT: "no connection: nothing accepts one at this address and port",
    pycurl.E_GOT_NOTHING: "the connection was closed without an answer",
    pycurl.E_SEND_ERROR: "the connection broke while the message was sent",
    pycurl.E_RECV_ERROR: "the connection broke before the answer was complete",
    pycurl.E_PARTIAL_FILE: "the connection was closed before the answer was complete",
    pycurl.E_UNSUPPORTED_PROTOCOL: "the answer is not HTTP",
    pycurl.E_FTP_WEIRD_SERVER_REPLY: "the answer is not HTTP",  # the old name of code 8
    97: "the egress proxy made no connection",  # CURLE_PROXY, which pycurl has no name for
}
_TLS_ERRORS = {
    pycurl.E_PEER_FAILED_VERIFICATION: "the server's certificate is not trusted",
    pycurl.E_SSL_CONNECT_ERROR: "no TLS connection",
    pycurl.E_SSL_CACERT_BADFILE: "the certificate authorities cannot be read",
}


class Request(NamedTuple):
    """A POST to make; `key` is the caller's own and comes back in the outcome.

    `sign` makes the headers that say when it left. It is called when the request's turn comes,
    which in a line before a slow receiver may be minutes after it was handed in.

    `url` is one that `check_url` returned. URL, headers and body can hold tokens and signatures,
    so they are in no repr.
    """

    key: Hashable
    url: str
    headers: Mapping[str, str]
    body: bytes
    sign: Callable[[], Mapping[str, str]] | None = None

    def __repr__(self) -> str:
        return f"Request({self.key!r})"


def fail(request: Request, error: str) -> Outcome:
    """Make the outcome of a request that was never posted, or not to its end."""
    return Outcome(request.key, None, error, 0, None, "", datetime.now(UTC))


class Transfer:
    """A libcurl handle (`curl`) and what it is doing now.

    `options` (libcurl's, by number) hold for every request; where `guarded`, each connection's
    address has to pass `refuse_address`.
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
        """Set the handle up for a request; ValueError or pycurl.error for one that cannot be."""
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
        # A body cut short by `_receive` changes nothing about the answer before it.
        if code == pycurl.E_OK or self._body_length > _READ_AT_MOST:
            status = self.curl.getinfo(pycurl.RESPONSE_CODE)
            if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
                retry_after = self._find_retry_after()
        else:
            error = self._explain(code, message)
        seconds = self.curl.getinfo(pycurl.TOTAL_TIME)
        text = ""
        if self._body_start:
            # No database keeps a NUL in a text.
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
        )

    def _explain(self, code: int, message: str) -> str:
        """Say in our own words what went wrong: libcurl's can quote the URL."""
        if self._refusal is not None:
            return self._refusal
        if code == pycurl.E_OPERATION_TIMEDOUT:
            connected = self.curl.getinfo(pycurl.PRETRANSFER_TIME) > 0
            missing = "complete answer" if connected else "connection"
            return f"no {missing} after {self.curl.getinfo(pycurl.TOTAL_TIME):.1f} seconds"
        if (answer := self.curl.getinfo(pycurl.HTTP_CONNECTCODE)) not in (0, HTTPStatus.OK):
            return f"the egress proxy made no connection (it answered {answer})"
        if code in _TLS_ERRORS:
            return f"{_TLS_ERRORS[code]} ({message})"
        return _ERRORS.get(code) or f"the message could not be posted (libcurl error {code})"

    def _find_retry_after(self) -> str | None:
        for line in reversed(self._headers):
            name, _, value = line.partition(b":")
            if name.lower() == b"retry-after":
                return value.strip()[:100].decode("latin-1")
        return None

    def _receive(self, chunk: bytes) -> int:
        self._body_length += len(chunk)
        self._body_start += chunk[: _KEPT - len(self._body_start)]
        return len(chunk) if self._body_length <= _READ_AT_MOST else 0

    def _open_socket(self, _purpose: int, address: Any) -> socket.socket | int:
        try:
            host = str(address.addr[0])
            reason = refuse_address(host)
            if reason is None:
                return _LentSocket(address.family, address.socktype, address.protocol)
            self._refusal = refusal(host, reason)
        except Exception as error:  # libcurl would only see that there is no socket
            _log.exception("no socket could be opened")
            self._refusal = f"no socket could be opened ({type(error).__name__})"
        return int(pycurl.SOCKET_BAD)


class _LentSocket(socket.socket):
    """A socket that closes as soon as it is let go of: pycurl makes its own duplicate."""

    def __del__(self) -> None:
        self.close()
