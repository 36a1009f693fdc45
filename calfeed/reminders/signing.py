"""Signatures of messages, as in Standard Webhooks 1.0 (HMAC-SHA256, `v1`).

A receiver can check a message with any Standard Webhooks library and its secret alone. While a
secret is being replaced a message is signed with both, so no receiver has to change at once.
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
_SHORTEST, _LONGEST = 24, 64  # bytes, as the specification has it


def make_secret(random: bytes) -> str:
    """Make a secret, `whsec_` and base64, from 24 to 64 random bytes.

    Raises InvalidInputError for fewer or more bytes.
    """
    if not _SHORTEST <= len(random) <= _LONGEST:
        raise InvalidInputError(
            f"a secret is made from {_SHORTEST} to {_LONGEST} random bytes, not {len(random)}"
        )
    return _PREFIX + b64encode(random).decode("ascii")


def check_secret(text: str) -> str:
    """Return a secret, without white space around it, or raise InvalidInputError.

    The message never repeats any part of what was given.
    """
    secret = text.strip()
    # from None: the errors of encode and b64decode can quote what they were given.
    try:
        random = b64decode(secret.removeprefix(_PREFIX).encode("ascii"), validate=True)
    except ValueError:
        random = b""
    if not secret.startswith(_PREFIX) or not _SHORTEST <= len(random) <= _LONGEST:
        raise InvalidInputError(
            f"this is no webhook secret: one is {_PREFIX} followed by base64 of "
            f"{_SHORTEST} to {_LONGEST} bytes (it is not repeated here, to keep it secret)"
        )
    return secret


@lru_cache(maxsize=1024)
def _signer(secret: str) -> Webhook:
    return Webhook(secret)


def sign_headers(
    message_id: str, at: datetime, body: bytes, secrets: Sequence[str]
) -> dict[str, str]:
    """Make the three headers of one attempt: webhook-id, webhook-timestamp, webhook-signature.

    `at` is the moment of the attempt (aware); `body` is UTF-8 text. There is one signature for
    each of `secrets`, in their order. Raises InvalidInputError for no secrets, and for a body
    that is not UTF-8.
    """
    if not secrets:
        raise InvalidInputError("a message is signed with at least one secret")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInputError("the body of a message has to be UTF-8") from error
    moment = at.astimezone(UTC)  # the library takes the wall time and reads it as UTC
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(floor(moment.timestamp())),
        "webhook-signature": " ".join(
            _signer(secret).sign(message_id, moment, text) for secret in secrets
        ),
    }


def verify(headers: Mapping[str, str], body: bytes, secret: str) -> None:
    """Raise InvalidInputError, with the reason, unless a received message's signature holds.

    A timestamp more than five minutes away from this machine's clock, which the library reads,
    does not hold: that is what keeps a message from being played back later.
    """
    try:
        _signer(secret).verify(body, dict(headers), json_parse=False)
    except WebhookVerificationError as error:
        raise InvalidInputError(f"the signature does not hold: {error}") from error
    except ValueError as error:
        raise InvalidInputError(
            "the signature does not hold: the headers or the body are malformed"
        ) from error
