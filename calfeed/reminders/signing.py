"""Message signatures by Standard Webhooks 1.0 (HMAC-SHA256, `v1`).

A receiver can verify a message with any Standard Webhooks library and its secret. While a secret
is rotated messages are signed with both, so that receivers need not change at the same moment.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from math import floor

from standardwebhooks import Webhook, WebhookVerificationError

from calfeed.errors import InvalidInputError

_PREFIX = "whsec_"
_MIN_BYTES, _MAX_BYTES = 24, 64  # by the specification


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


@lru_cache(maxsize=1024)
def _signer(secret: str) -> Webhook:
    return Webhook(secret)


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
            _signer(secret).sign(message_id, moment, text) for secret in secrets
        ),
    }


def verify(headers: Mapping[str, str], body: bytes, secret: str) -> None:
    """Verify the signature of a received message; raise InvalidInputError with the reason.

    To prevent replay, the timestamp must be within five minutes of this machine's clock, which the
    library reads itself.
    """
    try:
        _signer(secret).verify(body, dict(headers), json_parse=False)
    except WebhookVerificationError as error:
        raise InvalidInputError(f"the signature is not valid: {error}") from error
    except ValueError as error:
        raise InvalidInputError(
            "the signature is not valid: the headers or the body are malformed"
        ) from error
