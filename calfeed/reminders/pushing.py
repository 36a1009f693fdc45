"""What is pushed: a notification for a browser, a push message for a CalDAV client."""

from __future__ import annotations

import binascii
import hashlib
import json
from base64 import b64decode, urlsafe_b64encode
from xml.sax.saxutils import escape

from calfeed.model.texts import shortened

MAX_TITLE_LENGTH = 150
MAX_TEXT_LENGTH = 600
"""So that both fit into a push message in every script."""


def notification_payload(title: str, text: str, page: str, tag: str, language: str) -> bytes:
    """The JSON that the service worker shows as a notification.

    Notifications with the same `tag` replace each other; `page` is where a click leads.
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
    """Return an opaque name; a newer message with it replaces the older one (RFC 8030, 5.4)."""
    digest = hashlib.sha256("\0".join(parts).encode()).digest()
    return urlsafe_b64encode(digest[:24]).decode("ascii")


def read_base64url(text: str) -> bytes:
    """Decode base64url with or without padding. Raises ValueError for anything else."""
    try:
        return b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from error
