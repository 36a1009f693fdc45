"""The payloads of pushes: a notification for a browser, a push message for a CalDAV client."""

from __future__ import annotations

import binascii
import hashlib
import json
from base64 import b64decode, urlsafe_b64encode
from datetime import datetime, timedelta
from xml.sax.saxutils import escape

from calfeed.model.texts import shortened
from calfeed.reminders.filters import UPDATE_TYPE, WELCOME_TYPE, Subject
from calfeed.reminders.messages import Message, make_body, make_id

MAX_TITLE_LENGTH = 150
MAX_TEXT_LENGTH = 600
"""The maximum number of characters, so that both fit into a push message in every script."""


def update_message(calendar: str, number: int, now: datetime) -> Message:
    """The message for CalDAV clients that publish `number` changed a calendar.

    The message is relevant for a day: a client that was offline for longer looks for changes by
    itself.
    """
    data = {"calendar": calendar, "text": "The calendar has changed."}
    return Message(
        id=make_id("update", calendar, str(number)),
        subject=Subject(type=UPDATE_TYPE, calendar=calendar, event=""),
        at=now,
        body=make_body(UPDATE_TYPE, now, data),
        until=now + timedelta(days=1),
        text=data["text"],
    )


def welcome_message(endpoint: str, now: datetime, nonce: str, title: str, text: str) -> Message:
    """The first message to a browser, in its language, which shows that pushing works."""
    return Message(
        id=make_id("welcome", endpoint, nonce),
        subject=Subject(type=WELCOME_TYPE, calendar="", event=""),
        at=now,
        body=make_body(WELCOME_TYPE, now, {"title": title, "text": text}),
        until=now + timedelta(hours=1),
        text="The first message to a browser.",
    )


def notification_payload(title: str, text: str, page: str, tag: str, language: str) -> bytes:
    """The JSON that the service worker shows as a notification.

    Notifications with the same `tag` replace each other; a click opens `page`.
    """
    values = {
        "title": shortened(title, MAX_TITLE_LENGTH),
        "text": shortened(text, MAX_TEXT_LENGTH),
        "page": page,
        "tag": tag,
        "language": language,
    }
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode()


def update_payload(topic: str) -> bytes:
    """The push message of a collection whose content has changed (WebDAV-Push, 611abe2).

    `topic` names the collection. The sync token is left out: the client asks for it anyway.
    """
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<push-message xmlns="https://bitfire.at/webdav-push">'
        f"<topic>{escape(topic)}</topic><content-update/>"
        "</push-message>"
    ).encode()


def topic_of(*parts: str) -> str:
    """Return an opaque topic: a newer push replaces one with the same topic (RFC 8030, 5.4)."""
    digest = hashlib.sha256("\0".join(parts).encode()).digest()
    return urlsafe_b64encode(digest[:24]).decode("ascii")


def read_base64url(text: str) -> bytes:
    """Decode base64url with or without padding. Raises ValueError for anything else."""
    try:
        return b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from error
