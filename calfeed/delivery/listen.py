"""A receiver for developers: takes messages on this machine and says whether each one holds.

It answers as a good receiver would: 204 once the signature holds or where no secret was given
to check it with, 401 where it does not.
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
from calfeed.reminders.signing import check_secret, verify

_LONGEST_BODY = 1024 * 1024  # bytes
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_GREEN, _RED, _YELLOW, _PLAIN = "\x1b[32m", "\x1b[31m", "\x1b[33m", "\x1b[0m"


@dataclass(frozen=True, slots=True)
class Received:
    """One message as it came in.

    `id` and `timestamp` are the webhook headers, "" where they are missing. `json` is the parsed
    body, None where it is no JSON. `verified` is None where there was no secret to check with;
    `problem` says why it is False.
    """

    id: str
    timestamp: str
    body: bytes = field(repr=False)
    json: Any
    verified: bool | None
    problem: str | None


class Listener:
    """A server on 127.0.0.1 that calls `on_message` for each POST, one at a time.

    `port` 0 takes a free one. Raises InvalidInputError for a port that cannot be had and for
    what is no secret.
    """

    def __init__(
        self, on_message: Callable[[Received], None], *, port: int = 0, secret: str | None = None
    ) -> None:
        self.secret = None if secret is None else check_secret(secret)
        self._on_message = on_message
        self._one_at_a_time = threading.Lock()
        try:
            self._server = _Server(("127.0.0.1", port), _Handler)
        except (OSError, OverflowError) as error:
            raise InvalidInputError(_explain(port, error)) from error
        self._server.listener = self

    @property
    def url(self) -> str:
        """Where to post to."""
        return f"http://127.0.0.1:{self._server.server_port}/"

    def serve(self) -> None:
        """Serve until `stop` is called from another thread, or KeyboardInterrupt."""
        self._server.serve_forever(poll_interval=0.05)

    def stop(self) -> None:
        """Make `serve`, on another thread, return."""
        self._server.shutdown()

    def close(self) -> None:
        """Give the port back; `serve` has to have returned."""
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def receive(self, received: Received) -> None:
        """Hand a message on; connections are threads, their messages take turns."""
        with self._one_at_a_time:
            self._on_message(received)


class _Server(ThreadingHTTPServer):
    request_queue_size = 128  # five, the default, makes the sixth sender at once wait a second
    daemon_threads = True
    listener: Listener

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A sender that goes away in the middle is no news.
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
            self._answer(HTTPStatus.LENGTH_REQUIRED, close=True)
            return
        if len(length) > 9 or int(length) > _LONGEST_BODY:
            self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, close=True)
            return
        received = self._read(int(length))
        self.server.listener.receive(received)
        held = received.verified is not False
        self._answer(HTTPStatus.NO_CONTENT if held else HTTPStatus.UNAUTHORIZED)

    def do_GET(self) -> None:
        self._answer(HTTPStatus.METHOD_NOT_ALLOWED)

    def _read(self, length: int) -> Received:
        body = self.rfile.read(length)
        if len(body) < length:
            raise ConnectionAbortedError("the sender went away")
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
        return Received(
            id=self.headers.get("webhook-id", ""),
            timestamp=self.headers.get("webhook-timestamp", ""),
            body=body,
            json=parsed,
            verified=None if secret is None else problem is None,
            problem=problem,
        )

    def _answer(self, status: HTTPStatus, *, close: bool = False) -> None:
        self.send_response(status)
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "POST")
        if status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", "0")
        if close:
            self.send_header("Connection", "close")  # the body is left unread
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing: `on_message` says what came."""


def format_message(received: Received, *, color: bool) -> str:
    """Write a message out for a terminal: whether it holds, what it is, and its body.

    Control characters in it are escaped, since whoever posts to the listener writes them.
    """
    data = received.json if isinstance(received.json, dict) else {}
    if received.verified is None:
        paint, verdict = _YELLOW, "no secret to check the signature with"
    elif received.verified:
        paint, verdict = _GREEN, "the signature holds"
    else:
        paint, verdict = _RED, received.problem or "the signature does not hold"
    kind = data.get("type") if isinstance(data.get("type"), str) else "a message of no known type"
    head = f"{kind}  {received.id or 'without webhook-id'}"
    if received.json is None:
        body = received.body.decode("utf-8", "backslashreplace")
    else:
        body = json.dumps(received.json, ensure_ascii=False, indent=2)
    verdict, head, body = (_escape(text) for text in (verdict, head, body))
    if color:
        verdict = f"{paint}{verdict}{_PLAIN}"
    return f"{head}\n{verdict}\n{body}\n"


def _escape(text: str) -> str:
    return _CONTROLS.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def _explain(port: int, error: Exception) -> str:
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return f"port {port} is in use by another program; choose another, or 0 for any free one"
    if isinstance(error, OSError) and error.errno == errno.EACCES:
        return f"port {port} needs more rights than this; choose one from 1024 to 65535"
    return f"port {port} cannot be listened on; choose one from 1024 to 65535, or 0 for a free one"
