"""Compose the requests to push services: encrypted and signed for each subscription."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

from cryptography.hazmat.primitives.asymmetric import ec

from calfeed.delivery.engine.composing import Outgoing
from calfeed.delivery.push.encryption import encrypt, sign
from calfeed.delivery.transport.sender import Request
from calfeed.reminders.filters import UPDATE_TYPE, WELCOME_TYPE
from calfeed.reminders.plain_text import format_notification
from calfeed.reminders.pushing import notification_payload, topic_of, update_payload
from calfeed.store.database import Connection
from calfeed.store.push.keys import load_push_key
from calfeed.store.push.subscriptions import PushDetails, load_push_details

_MAX_TTL = timedelta(days=7)
"""How long a push service may keep a message for a client that is offline."""


class PushComposer:
    """Composes requests to push services.

    `contact` is a mailto: or https: URL of the operator, which push services are told.
    """

    def __init__(self, contact: str, clock: Callable[[], datetime]) -> None:
        self._contact = contact
        self._clock = clock

    def __call__(self, connection: Connection, outgoing: Sequence[Outgoing]) -> list[Request]:
        """Compose requests. A subscription that was removed meanwhile gets none."""
        key = load_push_key(connection)
        details = load_push_details(connection, list({one.endpoint.id for one in outgoing}))
        return [
            self._compose(one, details[one.endpoint.id], key)
            for one in outgoing
            if one.endpoint.id in details
        ]

    def _compose(
        self, one: Outgoing, details: PushDetails, key: ec.EllipticCurvePrivateKey
    ) -> Request:
        now, url = self._clock(), one.endpoint.url
        tag, payload = _payload_of(one.message.body, details.language)
        left = _MAX_TTL if one.message.until is None else one.message.until - now
        headers = {
            "content-encoding": "aes128gcm",
            "content-type": "application/octet-stream",
            "ttl": str(int(min(left, _MAX_TTL).total_seconds())),
            "urgency": "normal",
            # A newer message about the same replaces one that is not delivered yet.
            "topic": topic_of(tag),
        }
        fresh = ec.generate_private_key(ec.SECP256R1())
        body = encrypt(payload, details.client_key, details.auth, os.urandom(16), fresh)
        signer = partial(self._sign, key, url)
        return Request(one.delivery, url, headers, body, signer)

    def _sign(self, key: ec.EllipticCurvePrivateKey, url: str) -> dict[str, str]:
        return dict(sign(key, url, self._contact, self._clock()))


def _payload_of(body: bytes, language: str) -> tuple[str, bytes]:
    """Return what a message is about, and what is pushed."""
    message = json.loads(body)
    data = message["data"]
    if message["type"] == UPDATE_TYPE:
        return data["calendar"], update_payload(topic_of(data["calendar"]))
    if message["type"] == WELCOME_TYPE:
        title, text = data["title"], data["text"]
        return WELCOME_TYPE, notification_payload(title, text, "", WELCOME_TYPE, language)
    notification = format_notification(body)
    event = data.get("event", {})
    page = event.get("page", "")
    tag = event.get("uid", message["type"])
    return tag, notification_payload(notification.title, data["text"], page, tag, language)
