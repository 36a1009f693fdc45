"""The developer's receiver, over real connections."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from calfeed.delivery.local_receiver import Listener, ReceivedMessage, format_message
from calfeed.delivery.transport.sender import Request
from calfeed.errors import InvalidInputError
from calfeed.reminders.signing import make_secret, sign_headers
from tests.delivery.receiver import PatientSender
from tests.patience import PATIENCE

SECRET = make_secret(bytes(32))
BODY = json.dumps({"type": "reminder.due", "data": {"text": "کل"}}, ensure_ascii=False).encode()


@contextmanager
def listening(secret: str | None = None) -> Iterator[tuple[Listener, list[ReceivedMessage]]]:
    came: list[ReceivedMessage] = []
    with Listener(came.append, secret=secret) as listener:
        thread = threading.Thread(target=listener.serve)
        thread.start()
        try:
            yield listener, came
        finally:
            listener.stop()
            thread.join()


def post(listener: Listener, body: bytes, headers: dict[str, str]) -> int | None:
    with PatientSender(allow_private=True) as sender:
        sender.submit([Request(1, listener.url, headers, body)])
        (outcome,) = sender.results(PATIENCE)
    return outcome.status


def signed(secret: str = SECRET) -> dict[str, str]:
    return sign_headers("msg_1", datetime.now(UTC), BODY, [secret])


def test_a_body_with_half_a_character_is_shown_as_it_was_escaped() -> None:
    body = b'{"a":"\\ud800"}'
    with listening() as (listener, came):
        assert post(listener, body, {}) == 204
    shown = format_message(came[0], color=False)
    assert '"a": "\\ud800"' in shown
    shown.encode()


def test_a_message_whose_signature_holds_is_answered_with_204() -> None:
    headers = signed()
    with listening(SECRET) as (listener, came):
        assert post(listener, BODY, headers) == 204
    assert came == [
        ReceivedMessage(
            "msg_1",
            headers["webhook-timestamp"],
            BODY,
            json.loads(BODY),
            verified=True,
            problem=None,
        )
    ]


def test_a_message_whose_signature_does_not_hold_is_shown_and_answered_with_401() -> None:
    with listening(SECRET) as (listener, came):
        assert post(listener, BODY, signed(make_secret(bytes(range(24))))) == 401
        assert post(listener, BODY, {}) == 401
    assert [received.verified for received in came] == [False, False]
    assert came[0].problem == "the signature is not valid: No matching signature found"
    assert (came[1].id, came[1].timestamp) == ("", "")


def test_without_a_secret_everything_is_taken_and_nothing_claimed() -> None:
    with listening() as (listener, came):
        assert post(listener, b"not json", {}) == 204
        assert post(listener, b"[" * 100_000, {}) == 204
    assert [(received.verified, received.json) for received in came] == [(None, None)] * 2


def test_a_connection_is_kept_for_the_next_message() -> None:
    with listening() as (listener, came):
        connection = http.client.HTTPConnection(listener.url.split("/")[2], timeout=PATIENCE)
        for _ in range(3):
            connection.request("POST", "/", b"{}")
            answer = connection.getresponse()
            assert answer.status == 204
            assert not answer.will_close
            answer.read()
        connection.close()
    assert len(came) == 3


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("GET", {}, 405),
        ("POST", {"Transfer-Encoding": "chunked"}, 411),
        ("POST", {"Content-Length": "-1"}, 411),
        ("POST", {"Content-Length": "1048577"}, 413),
        ("POST", {"Content-Length": "9" * 5000}, 413),
    ],
)
def test_what_is_no_message_is_refused_and_not_shown(
    method: str, headers: dict[str, str], status: int
) -> None:
    with listening() as (listener, came):
        connection = http.client.HTTPConnection(listener.url.split("/")[2], timeout=PATIENCE)
        connection.putrequest(method, "/")
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        assert connection.getresponse().status == status
        connection.close()
    assert came == []


def test_a_port_in_use_is_one_clear_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InvalidInputError, match=f"^port {port} is in use by another program;"):
            Listener(print, port=port)


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_that_is_none_is_refused(port: int) -> None:
    with pytest.raises(InvalidInputError, match=f"port {port} cannot be opened"):
        Listener(print, port=port)


def test_a_wrong_secret_is_refused_before_listening() -> None:
    with pytest.raises(InvalidInputError, match="not a valid webhook secret"):
        Listener(print, secret="whsec_nonsense")


def received(
    body: bytes, *, verified: bool | None = True, problem: str | None = None
) -> ReceivedMessage:
    try:
        parsed = json.loads(body)
    except ValueError:
        parsed = None
    return ReceivedMessage("msg_1", "1", body, parsed, verified, problem)


def test_a_message_is_printed_readably() -> None:
    assert format_message(received(BODY), color=False) == (
        "reminder.due  msg_1\n"
        "the signature is valid\n"
        "{\n"
        '  "type": "reminder.due",\n'
        '  "data": {\n'
        '    "text": "کل"\n'
        "  }\n"
        "}\n"
    )


@pytest.mark.parametrize(
    ("verified", "color", "words"),
    [
        (True, "\x1b[32m", "the signature is valid"),
        (False, "\x1b[31m", "too old"),
        (None, "\x1b[33m", "signature not verified"),
    ],
)
def test_the_verdict_has_a_colour_where_wanted(
    verified: bool | None, color: str, words: str
) -> None:
    message = received(BODY, verified=verified, problem="too old" if verified is False else None)
    assert f"{color}{words}" in format_message(message, color=True)
    assert "\x1b" not in format_message(message, color=False)


@pytest.mark.parametrize(
    "body", [b"\x1b[2J\xff", b'{"type": "\\u001b]0;x\\u0007\xc2\x9b"}', b"[1]"]
)
def test_no_message_can_drive_the_terminal(body: bytes) -> None:
    text = format_message(received(body), color=False)
    assert not any(character < " " and character != "\n" for character in text)
    assert "\x9b" not in text
