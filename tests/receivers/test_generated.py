"""Receivers with types generated from the published schema compile, and understand messages."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from calfeed.delivery.transport.sender import Request
from calfeed.reminders.contract.registry import TYPES
from calfeed.reminders.contract.schemas import make_messages_schema, show_example
from calfeed.reminders.signing import make_secret, sign_headers
from tests.delivery.receiver import PatientSender
from tests.patience import PATIENCE
from tests.ports import free_port
from tests.receivers import PACKAGES, require_packages

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).parent
SECRET = make_secret(bytes(range(32)))
OTHER = make_secret(bytes(32))

ABOUT = {
    "reminder.due": "Asia/Karachi",
    "event.date_open": "Asia/Karachi",
    "reminder.digest": "1 week before",
    "event.moved": "moved",
    "event.added": "Report to the foundation is due",
    "endpoint.verify": show_example("endpoint.verify")["data"]["challenge"],
    "endpoint.test": show_example("endpoint.test")["data"]["endpoint"],
}
"""What a receiver prints of the example of each of these types; of the others, the text."""


def run(command: Sequence[str | Path], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr


def make_python(folder: Path) -> list[str]:
    """Generate the types, and compile the receiver; return the command that starts it."""
    run(
        [
            *(sys.executable, "-W", "ignore", "-m", "datamodel_code_generator"),
            *("--input", "schema.json", "--input-file-type", "jsonschema"),
            *("--output", "messages.py", "--output-model-type", "pydantic_v2.BaseModel"),
            *("--target-python-version", "3.11", "--use-annotated", "--disable-timestamp"),
        ],
        folder,
    )
    shutil.copy(FOLDER / "receiver.py", folder)
    cache = Path(sys.prefix, ".mypy_cache_of_receivers")
    run([sys.executable, "-m", "mypy", "--strict", "--cache-dir", cache, "receiver.py"], folder)
    return [sys.executable, "receiver.py"]


def make_typescript(folder: Path) -> list[str]:
    """Generate the types, and compile the receiver; return the command that starts it."""
    require_packages()
    generator = PACKAGES / "json-schema-to-typescript" / "dist" / "src" / "cli.js"
    run(["node", generator, "-i", "schema.json", "-o", "messages.ts"], folder)
    shutil.copy(FOLDER / "receiver.ts", folder)
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "node_modules").symlink_to(PACKAGES)
    options = ["--strict", "--noUncheckedIndexedAccess", "--skipLibCheck", "--types", "node"]
    target = ["--target", "es2022", "--module", "nodenext", "--moduleResolution", "nodenext"]
    compiler = PACKAGES / "typescript" / "bin" / "tsc"
    run(["node", compiler, *options, *target, "receiver.ts"], folder)
    return ["node", "receiver.js"]


class Started(NamedTuple):
    """A receiver that runs on loopback."""

    process: subprocess.Popen[str]
    port: int

    def post(self, body: dict[str, Any], secret: str = SECRET) -> int | None:
        """Post a message as a worker does; return the status of the response."""
        written = json.dumps(body, ensure_ascii=False).encode()
        headers = sign_headers("msg_1", datetime.now(UTC), written, [secret])
        url = f"http://127.0.0.1:{self.port}/calfeed"
        with PatientSender(allow_private=True) as sender:
            kind = {"content-type": "application/json"}
            sender.submit([Request("key", url, kind | headers, written)])
            (outcome,) = sender.results(PATIENCE)
        return outcome.status

    def read_line(self) -> Any:
        """The next line that it prints."""
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())


@pytest.fixture(scope="module", params=[make_python, make_typescript], ids=["python", "typescript"])
def receiver(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Started]:
    folder = tmp_path_factory.mktemp("receiver")
    (folder / "schema.json").write_text(json.dumps(make_messages_schema()), "utf-8")
    command = request.param(folder)
    port = free_port()
    given = os.environ | {"WEBHOOK_SECRET": SECRET, "PORT": str(port)}
    with subprocess.Popen(
        command, cwd=folder, env=given, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            deadline = time.monotonic() + PATIENCE
            while not _listens(port):
                assert process.poll() is None, "it has ended"
                assert time.monotonic() < deadline, "it takes no connection"
                time.sleep(0.01)  # between two looks at another process, which cannot tell us
            yield Started(process, port)
        finally:
            process.terminate()


def _listens(port: int) -> bool:
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_generated_receiver_understands_every_type_of_message(receiver: Started) -> None:
    for name in TYPES:
        example = show_example(name)
        assert receiver.post(example) == 204
        about = ABOUT.get(name) or example["data"]["text"]
        assert receiver.read_line() == [name, about]


def test_a_generated_receiver_accepts_unknown_types_and_keys(receiver: Started) -> None:
    newer = show_example("event.added")
    newer["data"]["event"]["new"] = newer["data"]["new"] = newer["new"] = {"a": [1]}
    assert receiver.post(newer) == 204
    assert receiver.read_line()[0] == "event.added"
    assert receiver.post({**newer, "type": "event.unheard_of"}) == 204
    assert receiver.read_line()[0] in ("event.unheard_of", "unknown")


def test_a_generated_receiver_refuses_what_another_secret_signed(receiver: Started) -> None:
    assert receiver.post(show_example("endpoint.test"), OTHER) == 401
