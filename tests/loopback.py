"""A server on loopback for as long as a `with` block lasts: what the tests' receivers share."""

from __future__ import annotations

import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import StreamRequestHandler
from typing import Any, Self

from tests.contract import check_received
from tests.patience import PATIENCE


class Server(ThreadingHTTPServer):
    """Any number of connections at once; `owner` is who started it."""

    daemon_threads = True
    request_queue_size = 512
    owner: Any

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients going away in the middle is what some tests are about."""


class Handler(BaseHTTPRequestHandler):
    """Keeps connections open, and prints nothing."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = PATIENCE
    server: Server

    def read_body(self) -> bytes:
        """The body of the request. If it is a message, the owner checks it when it ends."""
        length = int(self.headers["content-length"])
        body = self.rfile.read(length)
        if len(body) < length:
            raise ConnectionAbortedError("the sender was killed")
        if "webhook-id" in self.headers:
            self.server.owner.messages.add(body)
        return body

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing."""


class Loopback:
    """A server of these handlers, on a free port of 127.0.0.1 unless told otherwise; `with` it.

    `messages` are the bodies of the webhooks that came in. Each has to fit its published schema.
    """

    def __init__(
        self,
        handler: type[StreamRequestHandler],
        tls: ssl.SSLContext | None = None,
        *,
        server: type[Server] = Server,
        address: tuple[str, int] = ("127.0.0.1", 0),
    ) -> None:
        self._server = server(address, handler)
        self._server.owner = self
        self.messages: set[bytes] = set()
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def port(self) -> int:
        return self._server.server_port

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        check_received(self.messages)
