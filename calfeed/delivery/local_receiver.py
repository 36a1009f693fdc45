"""A local webhook receiver for developers, which verifies the signature of each message.

It responds as a receiver should: 204 if the signature is valid or if there is no secret to verify
it with, else 401.
"""

from __future__ import annotations

import errno
import json
import re
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from calfeed.errors import InvalidInputError
from calfeed.reminders.signing import check_receiver_key, verify

_MAX_BODY_BYTES = 1024 * 1024
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_GREEN, _RED, _YELLOW, _RESET = "\x1b[32m", "\x1b[31m", "\x1b[33m", "\x1b[0m"


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """A message that the listener received.

    `id` and `timestamp` are the webhook headers, "" if missing. `json` is the parsed body, None if
    it is not JSON. `verified` is None without a secret. If it is False, `problem` is the reason.
    """

    id: str
    timestamp: str
    body: bytes = field(repr=False)
    json: Any
    verified: bool | None
    problem: str | None


class Listener:
    """A server on 127.0.0.1 that calls `on_message` for each POST, one at a time.

    `port` 0 chooses a free port. Raises InvalidInputError for a port that cannot be opened and for
    an invalid secret.
    """

    def __init__(
        self,
        on_message: Callable[[ReceivedMessage], None],
        *,
        port: int = 0,
        secret: str | None = None,
    ) -> None:
        self.secret = None if secret is None else check_receiver_key(secret)
        self._on_message = on_message
        self._lock = threading.Lock()
        try:
            self._server = _Server(("127.0.0.1", port), _Handler)
        except (OSError, OverflowError) as error:
            raise InvalidInputError(_explain_port_error(port, error)) from error
        self._server.listener = self

    @property
    def url(self) -> str:
        """The listener's own URL."""
        return f"http://127.0.0.1:{self._server.server_port}/"

    def serve(self) -> None:
        """Serve until `stop` is called from another thread, or KeyboardInterrupt."""
        self._server.serve_forever(poll_interval=0.05)

    def stop(self) -> None:
        """Make `serve`, on another thread, return."""
        self._server.shutdown()

    def close(self) -> None:
        """Close the port, after `serve` has returned."""
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def receive(self, message: ReceivedMessage) -> None:
        """Call `on_message`, one call at a time, though each connection has a thread of its own."""
        with self._lock:
            self._on_message(message)


class _Server(ThreadingHTTPServer):
    request_queue_size = 128  # by default the sixth concurrent connection waits for a second
    daemon_threads = True
    listener: Listener

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client that disconnects is not an error.
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # keeps connections open
    disable_nagle_algorithm = True
    timeout = 60  # seconds without a request, or in the middle of one
    server: _Server

    def do_POST(self) -> None:
        length = self.headers.get("content-length", "")
        if not (length.isascii() and length.isdigit()):
            self._respond(HTTPStatus.LENGTH_REQUIRED, close=True)
            return
        if len(length) > 9 or int(length) > _MAX_BODY_BYTES:
            self._respond(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, close=True)
            return
        message = self._read_message(int(length))
        self.server.listener.receive(message)
        rejected = message.verified is False
        self._respond(HTTPStatus.UNAUTHORIZED if rejected else HTTPStatus.NO_CONTENT)

    def do_GET(self) -> None:
        self._respond(HTTPStatus.METHOD_NOT_ALLOWED)

    def _read_message(self, length: int) -> ReceivedMessage:
        body = self.rfile.read(length)
        if len(body) < length:
            raise ConnectionAbortedError("the sender disconnected")
        secret, problem = self.server.listener.secret, None
        if secret is not None:
            try:
                verify(dict(self.headers.items()), body, secret)
            except InvalidInputError as error:
                problem = str(error)
        try:
            parsed = json.loads(body)
        except (ValueError, RecursionError):
            parsed = None
        return ReceivedMessage(
            id=self.headers.get("webhook-id", ""),
            timestamp=self.headers.get("webhook-timestamp", ""),
            body=body,
            json=parsed,
            verified=None if secret is None else problem is None,
            problem=problem,
        )

    def _respond(self, status: HTTPStatus, *, close: bool = False) -> None:
        self.send_response(status)
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "POST")
        if status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", "0")
        if close:
            self.send_header("Connection", "close")  # because the body was not read
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Do not log requests: `on_message` shows them."""


def escape_surrogates(text: str) -> str:
    """Return a text that can be encoded: JSON may contain halves of surrogate pairs."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def format_message(message: ReceivedMessage, *, color: bool) -> str:
    """Format a message for a terminal: type, result of the verification, body.

    Escapes control characters, since the input is untrusted.
    """
    data = message.json if isinstance(message.json, dict) else {}
    if message.verified is None:
        code, result = _YELLOW, "signature not verified: no secret was given"
    elif message.verified:
        code, result = _GREEN, "the signature is valid"
    else:
        code, result = _RED, message.problem or "the signature is not valid"
    kind = data.get("type") if isinstance(data.get("type"), str) else "a message of unknown type"
    head = f"{kind}  {message.id or 'without webhook-id'}"
    if message.json is None:
        body = message.body.decode("utf-8", "backslashreplace")
    else:
        body = json.dumps(message.json, ensure_ascii=False, indent=2)
    result, head, body = (_escape(text) for text in (result, head, body))
    if color:
        result = f"{code}{result}{_RESET}"
    return f"{head}\n{result}\n{body}\n"


def _escape(text: str) -> str:
    text = escape_surrogates(text)
    return _CONTROLS.sub(lambda match: f"\\x{ord(match[0]):02x}", text)


def _explain_port_error(port: int, error: Exception) -> str:
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return f"port {port} is in use by another program; choose another, or 0 for any free one"
    if isinstance(error, OSError) and error.errno == errno.EACCES:
        return f"port {port} requires more privileges; choose one from 1024 to 65535"
    return f"port {port} cannot be opened; choose one from 1024 to 65535, or 0 for any free one"
