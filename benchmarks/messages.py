"""The messages that deliveries are measured with: signed bodies of about 900 bytes.

Nothing of calfeed is imported: in a process that has imported more, the loop of aiohttp was a fifth
faster than in a program of its own, perhaps because Python then collects garbage less often.
"""

from __future__ import annotations

import json

SECRET = "whsec_" + "Y2FsZmVlZCBtZWFzdXJlcyBkZWxpdmVyaWVz"

MESSAGE_ID = "msg_" + "0" * 22
"""What the id of a message begins with; its number, of ten digits, comes behind."""


def make_body(number: int) -> bytes:
    """The body of one message: a reminder of an event of its own."""
    times = {
        "start": "2030-06-28T17:00:00+05:00",
        "end": "2030-06-28T18:00:00+05:00",
        "all_day": False,
        "time_zone": "Asia/Karachi",
    }
    data = {
        "event": {
            "uid": f"00000000-0000-5000-8000-{number:012d}",
            "calendar": "measured",
            "slug": f"event-{number}",
            "sequence": 1,
            "summary": f"Session {number} of the committee that measures",
            "description": "A description is about as long as this one.",
            "status": "confirmed",
            "kind": "event",
            "categories": ["sessions"],
            **times,
            "page": f"https://calendar.example.org/calendars/measured/event-{number}/",
            "sources": [],
        },
        "occurrence": {"id": "", **times},
        "reminder": {"rule": "1 day before", "due": "2030-06-27T17:00:00+05:00", "late_seconds": 0},
        "text": f"Session {number} of the committee that measures: in one day",
    }
    body = {"type": "reminder.due", "timestamp": "2030-06-27T12:00:00.000Z", "data": data}
    return json.dumps(body).encode()


def make_message_id(number: int) -> str:
    """The id of one message, as long as a real one."""
    return f"{MESSAGE_ID}{number:010d}"
