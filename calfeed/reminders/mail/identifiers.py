"""Message-IDs and bounce tokens: keyed hashes, so that they reveal no address and stay the same."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

_TOKEN = re.compile(r"([0-9]{1,18})-([a-z2-7]{16})", re.IGNORECASE)


def make_message_id(key: bytes, message_id: str, person: str, domain: str) -> str:
    """Make the Message-ID of a message for a person, the same at each attempt.

    `person` is the hash of the address.
    """
    digest = hmac.new(key, f"message\0{message_id}\0{person}".encode(), hashlib.sha256)
    return f"<{message_id}.{digest.hexdigest()[:20]}@{domain}>"


def make_bounce_token(key: bytes, delivery_id: int) -> str:
    """Make the token in the envelope sender of a delivery, to which bounces are sent (VERP).

    The token has only digits, a hyphen and lower-case letters, because some servers change the case
    of addresses.
    """
    return f"{delivery_id}-{_sign_delivery(key, delivery_id)}"


def read_bounce_token(key: bytes, token: str) -> int | None:
    """Return the id of the delivery of a token; None if the token was not made with `key`."""
    found = _TOKEN.fullmatch(token)
    if found is None:
        return None
    delivery_id = int(found[1])
    signature = _sign_delivery(key, delivery_id)
    return delivery_id if hmac.compare_digest(signature, found[2].lower()) else None


def _sign_delivery(key: bytes, delivery_id: int) -> str:
    digest = hmac.new(key, f"bounce\0{delivery_id}".encode(), hashlib.sha256).digest()
    return base64.b32encode(digest[:10]).decode("ascii").lower()
