"""Encrypt payloads and make VAPID headers, with the libraries http_ece and py_vapid."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from py_vapid import Vapid02

from calfeed.reminders.pushing import read_base64url

MAX_PAYLOAD_BYTES = 3_993
"""The largest payload, for the 4,096 bytes that every push service accepts (RFC 8291, 4)."""

_TOKEN_LIFETIME = timedelta(hours=12)
"""Push services refuse tokens that are valid for more than a day (RFC 8292, 2)."""


def encrypt(
    payload: bytes,
    client_key: str,
    auth: str,
    salt: bytes,
    sender_key: ec.EllipticCurvePrivateKey,
) -> bytes:
    """Encrypt a payload for a client (RFC 8291, content encoding aes128gcm).

    `client_key` and `auth` are the client's, in base64url. `salt` (16 random bytes) and
    `sender_key` (P-256) must be new for each message.
    """
    return bytes(
        http_ece.encrypt(
            payload,
            salt=salt,
            private_key=sender_key,
            dh=read_base64url(client_key),
            auth_secret=read_base64url(auth),
            version="aes128gcm",
        )
    )


def sign(
    key: ec.EllipticCurvePrivateKey, url: str, contact: str, now: datetime
) -> Mapping[str, str]:
    """Return the header that identifies the sender to a push service (VAPID, RFC 8292).

    `contact` is a mailto: or https: URL of the operator.
    """
    parts = urlsplit(url)
    expires = int((now + _TOKEN_LIFETIME).timestamp())
    claims = {"aud": f"{parts.scheme}://{parts.netloc}", "exp": expires, "sub": contact}
    return dict(Vapid02(key).sign(claims))
