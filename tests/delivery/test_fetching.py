"""A file is fetched within its limits, over https if requested, and under the address guard."""

from __future__ import annotations

import ssl
import threading
from pathlib import Path

import pytest

from calfeed.delivery.transport.fetching import fetch
from calfeed.errors import InvalidInputError
from tests.delivery.receiver import make_certificate, needs_openssl
from tests.loopback import Handler, Loopback
from tests.patience import PATIENCE


class _Handler(Handler):
    def do_GET(self) -> None:  # noqa: N802 - the name is http.server's
        if self.path == "/hang":
            self.server.owner.released.wait(PATIENCE)
            return
        self.send_response(302 if self.path == "/down" else 200)
        if self.path == "/down":
            self.send_header("Location", f"http://{self.server.owner.address}/file")
        self.send_header("Content-Length", "100")
        self.end_headers()
        self.wfile.write(b"x" * 100)


class Files(Loopback):
    """A server of files; `with` it."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(_Handler, tls)
        self.released = threading.Event()
        self.address = f"127.0.0.1:{self.port}"

    def __exit__(self, *_: object) -> None:
        self.released.set()
        super().__exit__()


def test_a_file_as_large_as_it_may_be_is_fetched_and_a_larger_one_is_not() -> None:
    with Files() as files:
        assert (
            fetch(f"http://{files.address}/file", allow_private=True, max_bytes=100) == b"x" * 100
        )
        with pytest.raises(InvalidInputError, match="larger than 99 bytes"):
            fetch(f"http://{files.address}/file", allow_private=True, max_bytes=99)


def test_a_server_that_does_not_answer_is_given_up() -> None:
    with Files() as files, pytest.raises(InvalidInputError, match="no complete answer after"):
        fetch(f"http://{files.address}/hang", allow_private=True, max_bytes=1, seconds=0.2)


def test_nothing_is_asked_of_a_private_address() -> None:
    for url in ("http://localhost/file", "http://127.0.0.1/file", "webcal://[::1]/file"):
        with pytest.raises(InvalidInputError, match="loopback"):
            fetch(url, max_bytes=1)


@needs_openssl
def test_webcal_is_https_which_leads_to_no_http(tmp_path: Path) -> None:
    certificate, context = make_certificate(tmp_path)
    with Files(context) as files:
        for scheme in ("https", "webcal", "WEBCALS"):
            found = fetch(
                f"{scheme}://{files.address}/file",
                allow_private=True,
                ca_file=str(certificate),
                max_bytes=100,
            )
            assert found == b"x" * 100
        with pytest.raises(InvalidInputError, match="from https to http"):
            fetch(
                f"https://{files.address}/down",
                allow_private=True,
                ca_file=str(certificate),
                max_bytes=100,
            )
        with pytest.raises(InvalidInputError, match="certificate is not trusted"):
            fetch(f"https://{files.address}/file", allow_private=True, max_bytes=100)
