"""The receivers of docs/receiving.md, run as a reader would and sent real messages."""

from __future__ import annotations

import hmac
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from calfeed.delivery.transport.sender import Request
from calfeed.reminders.signing import make_secret, sign_headers
from tests.delivery.receiver import PatientSender
from tests.docs_pages import RECEIVING, blocks_of
from tests.patience import PATIENCE
from tests.ports import free_port

SECRET = make_secret(bytes(range(32)))
OTHER = make_secret(bytes(32))
BODY = '{"type":"reminder.due","data":{"text":"رپورٹ"}}'.encode()


@dataclass(frozen=True)
class Example:
    """A receiver of the page: where its code belongs in a folder, and how it is started."""

    file: str
    path: str
    command: Callable[[int], list[str]]
    inbox: Callable[[Path], dict[str, bytes]]


def _read_database(folder: Path) -> dict[str, bytes]:
    with closing(sqlite3.connect(folder / "inbox.db")) as database:
        return {id: body.encode() for id, body in database.execute("SELECT id, body FROM messages")}


def _read_folder(folder: Path) -> dict[str, bytes]:
    return {file.stem: file.read_bytes() for file in (folder / "inbox").iterdir()}


EXAMPLES = {
    "python": Example(
        "receiver.py",
        "/calfeed",
        lambda port: [sys.executable, "-m", "flask", "--app", "receiver", "run", "-p", str(port)],
        _read_database,
    ),
    "javascript": Example(
        "receiver.mjs", "/calfeed", lambda _: ["node", "receiver.mjs"], _read_folder
    ),
    "php": Example(
        "public/calfeed.php",
        "/calfeed.php",
        lambda port: ["php", "-S", f"127.0.0.1:{port}", "-t", "public"],
        _read_folder,
    ),
}


class Started:
    """A receiver that runs on loopback, until its `with` block ends."""

    def __init__(self, language: str, folder: Path, secret: str) -> None:
        self._example = EXAMPLES[language]
        self._folder = folder
        self._port = free_port()
        file = folder / self._example.file
        file.parent.mkdir(exist_ok=True)
        (code,) = blocks_of(language, RECEIVING)
        file.write_text(code, "utf-8")
        (folder / "inbox").mkdir()
        self.process = subprocess.Popen(
            self._example.command(self._port),
            cwd=folder,
            env=os.environ | {"WEBHOOK_SECRET": secret, "PORT": str(self._port)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def answers(self) -> bool:
        """Wait until it takes connections; False where it has ended instead."""
        deadline = time.monotonic() + PATIENCE
        while self.process.poll() is None:
            assert time.monotonic() < deadline, "it takes no connection"
            with closing(socket.socket()) as probe:
                if probe.connect_ex(("127.0.0.1", self._port)) == 0:
                    return True
            time.sleep(0.01)  # between two looks at another process, which cannot tell us
        return False

    def post(self, headers: Mapping[str, str], body: bytes) -> int | None:
        """Post once, as a worker does; return the status of the answer."""
        url = f"http://127.0.0.1:{self._port}{self._example.path}"
        with PatientSender(allow_private=True) as sender:
            sender.submit(
                [Request("key", url, {"content-type": "application/json"} | {**headers}, body)]
            )
            (outcome,) = sender.results(PATIENCE)
        return outcome.status

    @property
    def inbox(self) -> dict[str, bytes]:
        """The messages it has kept, by id."""
        return self._example.inbox(self._folder)


@contextmanager
def started(language: str, folder: Path, secret: str) -> Iterator[Started]:
    receiver = Started(language, folder, secret)
    try:
        yield receiver
    finally:
        receiver.process.kill()
        receiver.process.wait()


@pytest.fixture(params=EXAMPLES, scope="module")
def language(request: pytest.FixtureRequest) -> str:
    """A language of the page that can be run here."""
    name: str = request.param
    command = EXAMPLES[name].command(0)[0]
    if shutil.which(command) is None:
        pytest.skip(f"there is no {command}")
    return name


@pytest.fixture(scope="module")
def receiver(language: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    """One receiver for all tests, so each of them has message ids of its own."""
    with started(language, tmp_path_factory.mktemp(language), SECRET) as receiver:
        assert receiver.answers()
        yield receiver


def now() -> datetime:
    return datetime.now(UTC)


def test_a_message_is_kept_once_however_often_it_comes(receiver: Started) -> None:
    for seconds in (0, 5):  # each attempt has a timestamp and a signature of its own
        headers = sign_headers("msg_twice", now() + timedelta(seconds=seconds), BODY, [SECRET])
        assert receiver.post(headers, BODY) == 204
        assert receiver.inbox["msg_twice"] == BODY
    assert [name for name in receiver.inbox if "twice" in name] == ["msg_twice"]


def test_what_was_kept_first_stays_whatever_comes_under_its_id(receiver: Started) -> None:
    for body in (BODY, b"{}"):
        headers = sign_headers("msg_first", now(), body, [SECRET])
        assert receiver.post(headers, body) == 204
    assert receiver.inbox["msg_first"] == BODY


def test_while_a_secret_is_replaced_either_signature_will_do(receiver: Started) -> None:
    """The receiver may have the old secret still, or the new one already."""
    for name, secrets in (("msg_old", [OTHER, SECRET]), ("msg_new", [SECRET, OTHER])):
        assert receiver.post(sign_headers(name, now(), BODY, secrets), BODY) == 204
        assert receiver.inbox[name] == BODY


def test_a_clock_that_is_some_minutes_off_does_no_harm(receiver: Started) -> None:
    for minutes in (-4, 4):
        name = f"msg_clock{minutes}"
        headers = sign_headers(name, now() + timedelta(minutes=minutes), BODY, [SECRET])
        assert receiver.post(headers, BODY) == 204
        assert name in receiver.inbox


def test_what_is_not_signed_for_it_now_is_refused_and_not_kept(receiver: Started) -> None:
    right = sign_headers("msg_wrong", now(), BODY, [SECRET])
    old = sign_headers("msg_wrong", now() - timedelta(minutes=6), BODY, [SECRET])
    early = sign_headers("msg_wrong", now() + timedelta(minutes=6), BODY, [SECRET])
    signature = right["webhook-signature"]
    wrong = [
        (right, BODY.replace(b"due", b"duE")),
        (right, BODY + b" "),
        (right, b"\xff"),
        (right, b""),
        (right | {"webhook-id": "msg_wrong2"}, BODY),
        (right | {"webhook-timestamp": old["webhook-timestamp"]}, BODY),
        (right | {"webhook-timestamp": "soon"}, BODY),
        (old, BODY),
        (early, BODY),
        (sign_headers("msg_wrong", now(), BODY, [OTHER]), BODY),
        (right | {"webhook-signature": "nonsense"}, BODY),
        (right | {"webhook-signature": signature[:-4]}, BODY),
        (right | {"webhook-signature": signature.replace("v1,", "v2,")}, BODY),
        (right | {"webhook-signature": "v1,"}, BODY),
        (right | {"webhook-signature": ""}, BODY),
        ({}, BODY),
    ]
    assert [receiver.post(headers, body) for headers, body in wrong] == [401] * len(wrong)
    assert [name for name in receiver.inbox if "wrong" in name] == []


@pytest.mark.parametrize("secret", ["", "whsec_"])
def test_without_a_secret_nothing_is_taken(language: str, tmp_path: Path, secret: str) -> None:
    """Everybody can sign with an empty one."""
    timestamp = str(int(now().timestamp()))
    signed = hmac.digest(b"", b".".join([b"msg", timestamp.encode(), BODY]), "sha256")
    headers = {
        "webhook-id": "msg",
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{b64encode(signed).decode()}",
    }
    with started(language, tmp_path, secret) as receiver:
        if receiver.answers():
            assert receiver.post(headers, BODY) == 500
            assert receiver.inbox == {}
        else:
            assert receiver.process.returncode != 0
