"""A receiver of webhooks on loopback, which notes what came in and when."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from standardwebhooks import Webhook


@dataclass(frozen=True)
class Post:
    """One POST: when it had arrived in full (UTC), its headers by lower-case name, its body."""

    at: datetime
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def message(self) -> Any:
        return json.loads(self.body)

    def verify(self, secret: str) -> Any:
        """The message, verified as receivers do; raises WebhookVerificationError otherwise."""
        return Webhook(secret).verify(self.body, self.headers)


class Receiver:
    """Take every POST and answer 204, `pause` seconds apart; `with` it."""

    def __init__(self, pause: float = 0) -> None:
        self.posts: list[Post] = []
        self.pause = pause
        self.turn = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.receiver = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/hook"

    def of_type(self, kind: str) -> list[Post]:
        return [post for post in list(self.posts) if post.message["type"] == kind]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    receiver: Receiver
    daemon_threads = True
    request_queue_size = 512

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A sender that is killed in the middle is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 60
    server: _Server

    def do_POST(self) -> None:
        length = int(self.headers["content-length"])
        body = self.rfile.read(length)
        if len(body) < length:
            raise ConnectionAbortedError("the sender was killed")
        headers = {name.lower(): value for name, value in self.headers.items()}
        receiver = self.server.receiver
        with receiver.turn:
            receiver.posts.append(Post(datetime.now(UTC), headers, body))
            # Not to wait for something: a receiver that takes its time is what is tested with.
            time.sleep(receiver.pause)
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing."""
