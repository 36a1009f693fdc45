"""Signatures, as a receiver verifies them with any Standard Webhooks library."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime, timedelta, timezone

import pytest
from standardwebhooks import Webhook

from calfeed.errors import InvalidInputError
from calfeed.reminders.signing import check_secret, make_secret, sign_headers, verify

SECRET = make_secret(bytes(range(32)))
OTHER = make_secret(bytes(32))
BODY = '{"text": "سلام"}'.encode()


def test_a_secret_is_a_prefix_and_base64() -> None:
    assert make_secret(b"\xff" * 24) == "whsec_" + "/" * 32


@pytest.mark.parametrize("length", [0, 23, 65])
def test_a_secret_is_not_made_of_too_few_or_too_many_bytes(length: int) -> None:
    with pytest.raises(InvalidInputError, match=f"not {length}"):
        make_secret(bytes(length))


@pytest.mark.parametrize("length", [24, 32, 64])
def test_every_secret_that_is_made_passes_the_check(length: int) -> None:
    secret = make_secret(bytes(length))
    assert check_secret(f"  {secret}\n") == secret


@pytest.mark.parametrize(
    "text",
    [
        "",
        "whsec_",
        "hunter2hunter2hunter2hunter2hunter2",
        SECRET.removeprefix("whsec_"),
        "whsec_" + b64encode(b"hunter2").decode(),
        "whsec_" + b64encode(b"x" * 65).decode(),
        SECRET[:-1],
        SECRET[:20] + "!" + SECRET[20:],
        SECRET + "ü",
    ],
)
def test_a_wrong_secret_is_refused_and_never_repeated(text: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        check_secret(text)
    assert "hunter2" not in str(caught.value)
    assert SECRET[6:20] not in str(caught.value)
    assert caught.value.__cause__ is None


def test_the_signature_is_the_one_the_specification_gives_as_its_example() -> None:
    """The example of the Standard Webhooks specification's reference libraries."""
    headers = sign_headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        datetime.fromtimestamp(1614265330, UTC),
        b'{"test": 2432232314}',
        ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_the_same_moment_in_any_zone_gives_the_same_headers() -> None:
    at = datetime(2025, 6, 30, 4, 0, 0, 999_999, tzinfo=UTC)
    karachi = at.astimezone(timezone(timedelta(hours=5)))
    assert sign_headers("m", at, BODY, [SECRET]) == sign_headers("m", karachi, BODY, [SECRET])


@pytest.mark.parametrize("secret", [SECRET, OTHER])
def test_a_message_signed_with_two_secrets_holds_with_either(secret: str) -> None:
    headers = sign_headers("m", datetime.now(UTC), BODY, [SECRET, OTHER])
    assert headers["webhook-signature"].count(" ") == 1
    Webhook(secret).verify(BODY, headers)
    verify(headers, BODY, secret)


def test_nothing_is_signed_without_a_secret_or_without_being_text() -> None:
    at = datetime.now(UTC)
    with pytest.raises(InvalidInputError, match="at least one secret"):
        sign_headers("m", at, BODY, [])
    with pytest.raises(InvalidInputError, match="UTF-8"):
        sign_headers("m", at, b"\xff", [SECRET])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"webhook-signature": ""}, "Missing"),
        ({"webhook-signature": "v1,AAAA"}, "No matching"),
        ({"webhook-signature": "nonsense"}, "malformed"),
        ({"webhook-signature": "v1,A"}, "malformed"),
        ({"webhook-timestamp": "soon"}, "Invalid"),
        ({"webhook-timestamp": "1614265330"}, "too old"),
        ({"webhook-id": "another"}, "No matching"),
    ],
)
def test_what_was_changed_on_the_way_does_not_hold(change: dict[str, str], words: str) -> None:
    headers = sign_headers("m", datetime.now(UTC), BODY, [SECRET]) | change
    with pytest.raises(InvalidInputError, match=f"is not valid: .*{words}"):
        verify(headers, BODY, SECRET)


def test_a_changed_body_does_not_hold() -> None:
    headers = sign_headers("m", datetime.now(UTC), BODY, [SECRET])
    for body in (BODY + b" ", b"\xff"):
        with pytest.raises(InvalidInputError, match="is not valid"):
            verify(headers, body, SECRET)
