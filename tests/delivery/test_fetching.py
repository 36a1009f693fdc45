"""A file is fetched within its limits, over https where that is asked for, past the guard."""

from __future__ import annotations

import os
import shutil
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from calfeed.delivery.fetching import fetch
from calfeed.errors import InvalidInputError
from tests.delivery.receiver import make_certificate

# Under CI a missing part is a failure, not a skip.
needs_openssl = pytest.mark.skipif(
    shutil.which("openssl") is None and not os.environ.get("CI"), reason="no openssl command"
)


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        if self.path == "/hang":
            self.server.released.wait(10)
            return
        self.send_response(302 if self.path == "/down" else 200)
        if self.path == "/down":
            self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/file")
        self.send_header("Content-Length", "100")
        self.end_headers()
        self.wfile.write(b"x" * 100)

    def log_message(self, *_: Any) -> None:
        """Print nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    released: threading.Event

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is what is being tested."""


@contextmanager
def serving(tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """A server on loopback; the host and port it answers at."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.released = threading.Event()
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.released.set()
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_file_as_large_as_it_may_be_is_fetched_and_a_larger_one_is_not() -> None:
    with serving() as address:
        assert fetch(f"http://{address}/file", allow_private=True, most_bytes=100) == b"x" * 100
        with pytest.raises(InvalidInputError, match="larger than 99 bytes"):
            fetch(f"http://{address}/file", allow_private=True, most_bytes=99)


def test_a_server_that_does_not_answer_is_given_up() -> None:
    with serving() as address, pytest.raises(InvalidInputError, match="no complete answer after"):
        fetch(f"http://{address}/hang", allow_private=True, most_bytes=1, seconds=0.2)


def test_nothing_is_asked_of_a_private_address() -> None:
    for url in ("http://localhost/file", "http://127.0.0.1/file", "webcal://[::1]/file"):
        with pytest.raises(InvalidInputError, match="loopback"):
            fetch(url, most_bytes=1)


@needs_openssl
def test_webcal_is_https_which_leads_to_no_http(tmp_path: Path) -> None:
    certificate, context = make_certificate(tmp_path)
    with serving(context) as address:
        for scheme in ("https", "webcal", "WEBCALS"):
            found = fetch(
                f"{scheme}://{address}/file",
                allow_private=True,
                ca_file=str(certificate),
                most_bytes=100,
            )
            assert found == b"x" * 100
        with pytest.raises(InvalidInputError, match="from https to http"):
            fetch(
                f"https://{address}/down",
                allow_private=True,
                ca_file=str(certificate),
                most_bytes=100,
            )
        with pytest.raises(InvalidInputError, match="certificate is not trusted"):
            fetch(f"https://{address}/file", allow_private=True, most_bytes=100)
