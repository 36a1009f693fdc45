"""A receiver of webhooks on loopback, which records each message and its time."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from standardwebhooks import Webhook

from tests.loopback import Handler, Loopback


@dataclass(frozen=True)
class Post:
    """One POST: when it had arrived in full (UTC), its path, its headers by lower-case name, its
    body."""

    at: datetime
    path: str
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


class Receiver(Loopback):
    """Take every POST and answer 204; `with` it."""

    def __init__(self) -> None:
        super().__init__(_Handler)
        self.posts: list[Post] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def of_type(self, kind: str) -> list[Post]:
        return [post for post in list(self.posts) if post.message["type"] == kind]


class _Handler(Handler):
    def do_POST(self) -> None:  # noqa: N802 - the name is http.server's
        body = self.read_body()
        headers = {name.lower(): value for name, value in self.headers.items()}
        receiver: Receiver = self.server.owner
        receiver.posts.append(Post(datetime.now(UTC), self.path, headers, body))
        self.send_response(204)
        self.end_headers()
