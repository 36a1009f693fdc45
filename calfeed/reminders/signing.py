"""Message signatures by Standard Webhooks 1.0: HMAC-SHA256 (`v1`) and Ed25519 (`v1a`).

The prefix of a secret names its scheme. A secret for HMAC (`whsec_`) is shared with the receiver,
who can verify messages with any Standard Webhooks library. A private key for Ed25519 (`whsk_`) is
not shared: the receiver has its public key (`whpk_`), with which nobody can sign. While a secret
is rotated, messages are signed with both secrets, so that receivers need not change at the same
moment.
"""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from math import floor

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from standardwebhooks import Webhook, WebhookVerificationError

from calfeed.errors import InvalidInputError

_PREFIX = "whsec_"
_PRIVATE_PREFIX, _PUBLIC_PREFIX = "whsk_", "whpk_"
_KEY_BYTES = 32  # of a seed, of a private and of a public key
_MIN_BYTES, _MAX_BYTES = 24, 64  # limits of the specification


class Scheme(StrEnum):
    """How an endpoint's messages are signed."""

    HMAC = "hmac"
    ED25519 = "ed25519"


def make_secret(random: bytes) -> str:
    """Make a secret, `whsec_` and base64, from 24 to 64 random bytes.

    Raises InvalidInputError for fewer or more bytes.
    """
    if not _MIN_BYTES <= len(random) <= _MAX_BYTES:
        raise InvalidInputError(
            f"a secret is made from {_MIN_BYTES} to {_MAX_BYTES} random bytes, not {len(random)}"
        )
    return _PREFIX + b64encode(random).decode("ascii")


def check_secret(text: str) -> str:
    """Return a secret without surrounding white space, or raise InvalidInputError.

    The error text has no part of the input.
    """
    secret = text.strip()
    try:
        random = b64decode(secret.removeprefix(_PREFIX).encode("ascii"), validate=True)
    except ValueError:
        random = b""
    if not secret.startswith(_PREFIX) or not _MIN_BYTES <= len(random) <= _MAX_BYTES:
        raise InvalidInputError(
            f"this is not a valid webhook secret; write {_PREFIX} followed by {_MIN_BYTES} to "
            f"{_MAX_BYTES} bytes in base64 (the input is not shown, to keep it secret)"
        )
    return secret


def make_private_key(random: bytes) -> str:
    """Make a private key for Ed25519 from 32 random bytes, which are its seed.

    The key is `whsk_`, and base64 of the seed and the public key. Raises InvalidInputError for
    fewer or more bytes.
    """
    if len(random) != _KEY_BYTES:
        raise InvalidInputError(
            f"a private key is made from {_KEY_BYTES} random bytes, not {len(random)}"
        )
    public = Ed25519PrivateKey.from_private_bytes(random).public_key().public_bytes_raw()
    return _PRIVATE_PREFIX + b64encode(random + public).decode("ascii")


def scheme_of(secret: str) -> Scheme:
    """Return the scheme of a secret."""
    return Scheme.ED25519 if secret.startswith(_PRIVATE_PREFIX) else Scheme.HMAC


def receiver_key(secret: str) -> str:
    """Return the key with which the receiver verifies messages.

    This is the secret itself, or the public key if the secret is a private key.
    """
    if scheme_of(secret) is Scheme.HMAC:
        return secret
    pair = b64decode(secret.removeprefix(_PRIVATE_PREFIX))
    return _PUBLIC_PREFIX + b64encode(pair[_KEY_BYTES:]).decode("ascii")


def check_receiver_key(text: str) -> str:
    """Return a secret or a public key without surrounding white space.

    Raises InvalidInputError for anything else.
    """
    key = text.strip()
    if not key.startswith(_PUBLIC_PREFIX):
        return check_secret(key)
    try:
        public = b64decode(key.removeprefix(_PUBLIC_PREFIX).encode("ascii"), validate=True)
    except ValueError:
        public = b""
    if len(public) != _KEY_BYTES:
        raise InvalidInputError(
            f"this is not a valid public key; write {_PUBLIC_PREFIX} followed by {_KEY_BYTES} "
            "bytes in base64"
        )
    return key


@lru_cache(maxsize=1024)
def _signer(secret: str) -> Webhook:
    return Webhook(secret)


@lru_cache(maxsize=1024)
def _private_key(secret: str) -> Ed25519PrivateKey:
    pair = b64decode(secret.removeprefix(_PRIVATE_PREFIX))
    return Ed25519PrivateKey.from_private_bytes(pair[:_KEY_BYTES])


def _sign(secret: str, message_id: str, at: datetime, text: str) -> str:
    if scheme_of(secret) is Scheme.HMAC:
        return _signer(secret).sign(message_id, at, text)
    signature = _private_key(secret).sign(f"{message_id}.{floor(at.timestamp())}.{text}".encode())
    return f"v1a,{b64encode(signature).decode('ascii')}"


def sign_headers(
    message_id: str, at: datetime, body: bytes, secrets: Sequence[str]
) -> dict[str, str]:
    """Make the headers of an attempt: webhook-id, webhook-timestamp, webhook-signature.

    `at` is the time of the attempt (aware); `body` is UTF-8. There is one signature for each of
    `secrets`, in their order. Raises InvalidInputError without secrets, and for a body that is not
    UTF-8.
    """
    if not secrets:
        raise InvalidInputError("a message needs at least one secret to sign it with")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInputError("the body of a message must be UTF-8") from error
    moment = at.astimezone(UTC)  # the library ignores the offset
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(floor(moment.timestamp())),
        "webhook-signature": " ".join(
            _sign(secret, message_id, moment, text) for secret in secrets
        ),
    }


def verify(headers: Mapping[str, str], body: bytes, key: str) -> None:
    """Verify the signature of a received message with a secret or a public key.

    Raises InvalidInputError with the reason. To prevent replay, the timestamp must be within five
    minutes of this machine's clock, which the library reads itself.
    """
    if key.startswith(_PUBLIC_PREFIX):
        headers, key = _replace_signature(headers, body, key)
    try:
        _signer(key).verify(body, dict(headers), json_parse=False)
    except WebhookVerificationError as error:
        raise InvalidInputError(f"the signature is not valid: {error}") from error
    except ValueError as error:
        raise InvalidInputError(
            "the signature is not valid: the headers or the body are malformed"
        ) from error


def _replace_signature(
    headers: Mapping[str, str], body: bytes, key: str
) -> tuple[dict[str, str], str]:
    """Replace a valid signature of Ed25519 by one of HMAC, so that the library checks the rest.

    Returns the headers with the new signature, and the secret that made it. Raises
    InvalidInputError if no signature is valid.
    """
    given = {name.lower(): value for name, value in headers.items()}
    signed = f"{given.get('webhook-id')}.{given.get('webhook-timestamp')}.".encode() + body
    public = Ed25519PublicKey.from_public_bytes(b64decode(key.removeprefix(_PUBLIC_PREFIX)))
    for signature in given.get("webhook-signature", "").split(" "):
        scheme, _, value = signature.partition(",")
        if scheme != "v1a":
            continue
        try:
            public.verify(b64decode(value), signed)
        except (InvalidSignature, ValueError):
            continue
        secret = make_secret(bytes(_MIN_BYTES))
        mac = hmac.digest(b64decode(secret.removeprefix(_PREFIX)), signed, "sha256")
        return given | {"webhook-signature": f"v1,{b64encode(mac).decode('ascii')}"}, secret
    raise InvalidInputError("the signature is not valid: No matching signature found")
