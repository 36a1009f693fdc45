"""A receiver whose types are generated from the schema of all messages (`messages.py`).

It listens on the port in the environment variable PORT, and prints a line of JSON for each message.
"""

from __future__ import annotations

import json
import os
from http.server import BaseHTTPRequestHandler, HTTPServer

import messages
from pydantic import ValidationError
from standardwebhooks import Webhook, WebhookVerificationError

WEBHOOK = Webhook(os.environ["WEBHOOK_SECRET"])


def describe(message: messages.Message) -> tuple[str, str]:
    """The type of a message and what it is about, by the types alone."""
    match message.root:
        case messages.ReminderDue() | messages.EventDateOpen() as due:
            return due.type, due.data.occurrence.time_zone
        case messages.ReminderDigest() as digest:
            return digest.type, digest.data.reminders[0].reminder.rule
        case messages.EventMoved() as moved:
            return moved.type, moved.data.change.value if moved.data.change else ""
        case messages.EventAdded() as added:
            return added.type, added.data.event.summary
        case messages.EndpointVerify() as verify:
            return verify.type, verify.data.challenge
        case messages.EndpointTest() as test:
            return test.type, test.data.endpoint
        case other:  # every type has a text
            return other.type, other.data.text


class Handler(BaseHTTPRequestHandler):
    """Verifies, prints, and responds with 204."""

    def do_POST(self) -> None:
        """Receive a message."""
        body = self.rfile.read(int(self.headers["content-length"]))
        status = 204
        try:
            headers = {name.lower(): value for name, value in self.headers.items()}
            WEBHOOK.verify(body, headers)
            print(json.dumps(describe(messages.Message.model_validate_json(body))), flush=True)
        except WebhookVerificationError:
            status = 401
        except ValidationError:
            print(json.dumps(["unknown", ""]), flush=True)
        self.send_response(status)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing else."""


HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
