"""Compose the requests to push services: encrypted and signed for each subscription."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from calfeed.delivery.engine.composing import Composed, Outgoing
from calfeed.delivery.mail.drafts import Draft, draft
from calfeed.delivery.push.encryption import encrypt, sign
from calfeed.delivery.site_texts import SiteTexts
from calfeed.delivery.transport.sender import Request
from calfeed.errors import SealError, StoreError
from calfeed.ical.wording.words import words_in
from calfeed.reminders.filters import UPDATE_TYPE, WELCOME_TYPE
from calfeed.reminders.pushing import notification_payload, topic_of, update_payload
from calfeed.store.database import Connection
from calfeed.store.outbox.claims import Claim
from calfeed.store.push.keys import load_push_key
from calfeed.store.push.subscriptions import load_push_details

_log = logging.getLogger(__name__)

_MAX_TTL = timedelta(days=7)
"""How long a push service may keep a message for a client that is offline."""

_UNWRITABLE_DELAY = timedelta(minutes=10)
"""How long a push that cannot be written is postponed."""

_MAX_FACTS = 3
"""The maximum number of lines of a notification: the new date, the old one, the reason."""


class PushComposer:
    """Composes requests to push services.

    `contact` is a mailto: or https: URL of the operator, which is sent to push services.
    """

    def __init__(
        self,
        contact: str,
        texts: SiteTexts,
        clock: Callable[[], datetime],
    ) -> None:
        self._contact = contact
        self._texts = texts
        self._clock = clock

    def compose(
        self, connection: Connection, outgoing: Sequence[Outgoing], now: datetime
    ) -> Composed:
        """Compose requests.

        Deliveries that cannot be read or written are postponed, and do not prevent others.
        Deliveries for a subscription that was removed meanwhile are postponed as well.
        """
        later = now + _UNWRITABLE_DELAY
        self._texts.load(connection)
        try:
            key = load_push_key(connection)
        except SealError as error:
            _log.error("pushes wait: %s", error)
            return Composed([], {one.claim: later for one in outgoing})
        details = load_push_details(connection, list({one.endpoint.id for one in outgoing}))
        drafts: dict[str, Draft] = {}
        requests: list[Request] = []
        waiting: dict[Claim, datetime] = {}
        for one in outgoing:
            body, message_id = one.message.body, one.claim.message_id
            receiver = details.get(one.endpoint.id)
            if receiver is None:
                waiting[one.claim] = later
                continue
            try:
                if message_id not in drafts:
                    drafts[message_id] = draft(connection, body, now)
                tag, payload = self._write(json.loads(body), drafts[message_id], receiver.language)
            except StoreError:
                raise
            except Exception as error:
                # Only the error's type: its text could quote the message.
                _log.error("message %s cannot be pushed (%s)", message_id, type(error).__name__)
                waiting[one.claim] = later
                continue
            left = _MAX_TTL if one.message.until is None else one.message.until - now
            headers = {
                "content-encoding": "aes128gcm",
                "content-type": "application/octet-stream",
                "ttl": str(int(min(left, _MAX_TTL).total_seconds())),
                "urgency": "normal",
                # A newer message with this topic replaces an older one that is not delivered yet.
                "topic": topic_of(tag),
            }
            fresh = ec.generate_private_key(ec.SECP256R1())
            encrypted = encrypt(payload, receiver.client_key, receiver.auth, os.urandom(16), fresh)
            signer = partial(self._sign, key, one.endpoint.url)
            requests.append(Request(one.delivery, one.endpoint.url, headers, encrypted, signer))
        return Composed(requests, waiting)

    def _write(self, message: Mapping[str, Any], said: Draft, language: str) -> tuple[str, bytes]:
        """Return the subject of a message, and the payload to push."""
        data = message["data"]
        if message["type"] == UPDATE_TYPE:
            return data["calendar"], update_payload(topic_of(data["calendar"]))
        if message["type"] == WELCOME_TYPE:
            title, text = data["title"], data["text"]
            return WELCOME_TYPE, notification_payload(title, text, "", WELCOME_TYPE, language)
        wording = self._texts.wording(language)
        content = said.describe(wording)
        label = words_in(wording.language).label
        text = "\n".join(label(fact.label, fact.text) for fact in content.facts[:_MAX_FACTS])
        title, page = label(content.kicker, content.title), data["event"].get("page", "")
        uid = data["event"]["uid"]
        return uid, notification_payload(title, text, page, uid, wording.language)

    def _sign(self, key: ec.EllipticCurvePrivateKey, url: str) -> Mapping[str, str]:
        return sign(key, url, self._contact, self._clock())
