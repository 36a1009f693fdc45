"""The messages that deliveries are measured with: signed bodies of about 800 bytes."""

from __future__ import annotations

import json

SECRET = "whsec_" + "Y2FsZmVlZCBtZWFzdXJlcyBkZWxpdmVyaWVz"

MESSAGE_ID = "msg_" + "0" * 22
"""What the id of a message begins with; its number, of ten digits, comes behind."""


def make_body(number: int) -> bytes:
    """The body of one message, in the shape of a reminder's."""
    data = {
        "event": {
            "uid": f"00000000-0000-5000-8000-{number:012d}",
            "calendar": "measured",
            "slug": f"event-{number}",
            "summary": f"Session {number} of the committee that measures",
            "description": "What is said here is as long as what such a message says. " * 7,
            "status": "confirmed",
        },
        "reminder": {"rule": "1 day", "due": "2030-01-01T00:00:00Z", "late_seconds": 0},
        "text": f"Session {number} of the committee that measures: in one day",
    }
    body = {"type": "reminder.due", "timestamp": "2030-01-01T00:00:00Z", "data": data}
    return json.dumps(body).encode()


def make_message_id(number: int) -> str:
    """The id of one message, as long as a real one."""
    return f"{MESSAGE_ID}{number:010d}"
