"""Signatures with a public key, verified by the code that docs/receiving.md shows."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from calfeed.errors import InvalidInputError
from calfeed.reminders.signing import (
    Scheme,
    check_receiver_key,
    make_private_key,
    make_secret,
    receiver_key,
    scheme_of,
    sign_headers,
    verify,
)
from tests.docs_pages import RECEIVING, blocks_of
from tests.patience import PATIENCE

SEED = bytes(range(32))
PRIVATE, OTHER = make_private_key(SEED), make_private_key(bytes(32))
SHARED = make_secret(SEED)
KEY = receiver_key(PRIVATE)
BODY = '{"text": "سلام"}'.encode()

Holds = Callable[[Mapping[str, str], bytes, str], bool]


def sign(*secrets: str, ago: timedelta = timedelta(0), **changed: str) -> dict[str, str]:
    headers = sign_headers("msg_1", datetime.now(UTC) - ago, BODY, secrets)
    return headers | {name.replace("_", "-"): value for name, value in changed.items()}


CASES: dict[str, tuple[Callable[[], dict[str, str]], bytes, bool]] = {
    "its own": (lambda: sign(PRIVATE), BODY, True),
    "after a rotation": (lambda: sign(OTHER, PRIVATE), BODY, True),
    "beside a secret's": (lambda: sign(SHARED, PRIVATE), BODY, True),
    "another key's": (lambda: sign(OTHER), BODY, False),
    "a secret's": (lambda: sign(SHARED), BODY, False),
    "of another body": (lambda: sign(PRIVATE), BODY + b" ", False),
    "of another message": (lambda: sign(PRIVATE, webhook_id="msg_2"), BODY, False),
    "too old": (lambda: sign(PRIVATE, ago=timedelta(minutes=6)), BODY, False),
    "from the future": (lambda: sign(PRIVATE, ago=timedelta(hours=-1)), BODY, False),
    "none": (lambda: sign(PRIVATE, webhook_signature=""), BODY, False),
    "too short": (lambda: sign(PRIVATE, webhook_signature="v1a,AAAA"), BODY, False),
    "of another version": (lambda: sign(PRIVATE, webhook_signature="v1b,AAAA v1a"), BODY, False),
}
"""Headers, which are signed when a test needs them, a body, and whether they hold."""


def hold_in_python() -> Holds:
    (code,) = blocks_of("py", RECEIVING)
    names: dict[str, Any] = {}
    exec(code, names)
    holds: Holds = names["holds"]
    return holds


def hold_in_calfeed() -> Holds:
    def holds(headers: Mapping[str, str], body: bytes, key: str) -> bool:
        try:
            verify(headers, body, key)
        except InvalidInputError:
            return False
        return True

    return holds


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("make", [hold_in_python, hold_in_calfeed])
def test_only_a_signature_of_the_key_s_owner_holds(make: Callable[[], Holds], case: str) -> None:
    make_headers, body, right = CASES[case]
    assert make()(make_headers(), body, KEY) is right


def test_node_s_own_cryptography_says_the_same(tmp_path: Path) -> None:
    if shutil.which("node") is None:
        message = "there is no node command"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    (code,) = blocks_of("js", RECEIVING)
    (tmp_path / "holds.mjs").write_text(code, "utf-8")
    (tmp_path / "run.mjs").write_text(
        'import { holds } from "./holds.mjs";\n'
        "const [key, cases] = JSON.parse(process.argv[2]);\n"
        'const verdict = ([headers, body]) => holds(headers, Buffer.from(body, "base64"), key);\n'
        "console.log(JSON.stringify(cases.map(verdict)));\n"
    )
    cases = [[headers(), b64encode(body).decode()] for headers, body, _ in CASES.values()]
    done = subprocess.run(
        ["node", "run.mjs", json.dumps([KEY, cases])],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [right for *_, right in CASES.values()]


def test_the_keys_are_written_as_the_specification_says() -> None:
    private = Ed25519PrivateKey.from_private_bytes(SEED)
    public = private.public_key().public_bytes_raw()
    assert "whpk_" + b64encode(public).decode() == KEY
    assert "whsk_" + b64encode(SEED + public).decode() == PRIVATE
    (signature,) = sign(PRIVATE)["webhook-signature"].split(" ")
    scheme, _, value = signature.partition(",")
    assert scheme == "v1a"
    assert len(b64decode(value)) == 64
    assert (scheme_of(PRIVATE), scheme_of(SHARED)) == (Scheme.ED25519, Scheme.HMAC)
    assert receiver_key(SHARED) == SHARED


def test_a_private_key_is_made_from_32_bytes() -> None:
    with pytest.raises(InvalidInputError, match="not 31"):
        make_private_key(bytes(31))


@pytest.mark.parametrize("text", ["whpk_", "whpk_AAAA", KEY[:-2], KEY + "ü", PRIVATE, "hunter2"])
def test_what_is_no_key_of_a_receiver_is_refused_and_never_repeated(text: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        check_receiver_key(text)
    assert text not in str(caught.value) or text == "whpk_"
    assert check_receiver_key(f" {KEY}\n") == KEY
