"""A real receiver on loopback that behaves as its paths say, well or badly; and posting to it."""

from __future__ import annotations

import os
import shutil
import ssl
import struct
import threading
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from socket import SO_LINGER, SOL_SOCKET
from subprocess import run
from urllib.parse import urlsplit

import pytest

from calfeed.delivery.transport.sender import Outcome, Request, Sender
from tests.loopback import Handler, Loopback
from tests.patience import PATIENCE


@dataclass(frozen=True)
class Post:
    """One POST that came in, and the port of the client's connection."""

    path: str
    headers: dict[str, str]
    body: bytes
    client_port: int


class Receiver(Loopback):
    """Start a receiver; `with` it. `posts` is everything that came in, in order.

    /status/<code>  that status, with "Retry-After: 7" for 429 and 503
    /moved          302 to /status/204
    /text           200 with the text "grüße" and a NUL
    /huge           200 and a body without end
    /slow           200, one byte of ten, then nothing
    /hang           nothing at all
    /half           200, one byte of ten, then the connection closes
    /closed         the connection closes
    /reset          the connection is reset
    /garbage        an answer that is not HTTP
    /headers        an answer whose headers do not end
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(_Handler, tls)
        self.posts: list[Post] = []
        self.released = threading.Event()
        self._scheme = "http" if tls is None else "https"

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"{self._scheme}://{host}:{self.port}{path}"

    def __exit__(self, *_: object) -> None:
        self.released.set()
        super().__exit__()


class _Handler(Handler):
    timeout = PATIENCE

    def do_POST(self) -> None:  # noqa: N802 - the name is http.server's
        body = self.read_body()
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.owner.posts.append(Post(self.path, headers, body, int(self.client_address[1])))
        kind, *rest = urlsplit(self.path).path.strip("/").split("/")
        if kind == "status":
            status = int(rest[0])
            self._answer(status, {"Retry-After": "7"} if status in (429, 503) else {})
        else:
            getattr(self, f"_{kind}")()

    def _answer(
        self, status: int, headers: dict[str, str] | None = None, body: bytes = b""
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _send(self, data: bytes) -> None:
        self.close_connection = True
        self.wfile.write(data)
        self.wfile.flush()

    def _moved(self) -> None:
        self._answer(302, {"Location": "/status/204"})

    def _text(self) -> None:
        self._answer(200, {}, "grüße\0".encode())

    def _huge(self) -> None:
        self._send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        while not self.server.owner.released.is_set():
            self.wfile.write(b"x" * 65536)  # until the sender has had enough and hangs up

    def _slow(self) -> None:
        self._send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nx")
        self.server.owner.released.wait(PATIENCE)

    def _hang(self) -> None:
        self.close_connection = True
        self.server.owner.released.wait(PATIENCE)

    def _half(self) -> None:
        self._send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nx")

    def _closed(self) -> None:
        self.close_connection = True

    def _reset(self) -> None:
        # With a linger time of zero, closing sends RST, unless a shutdown has sent FIN before.
        self.connection.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
        self.rfile.close()
        self.wfile.close()
        self.connection.close()

    def _garbage(self) -> None:
        self._send(b"\x00\x01\x02 this is not HTTP\r\n\r\n")

    def _headers(self) -> None:
        self._send(b"HTTP/1.1 200 OK\r\n")
        while not self.server.owner.released.is_set():
            self.wfile.write(b"x-more: " + b"x" * 8000 + b"\r\n")


needs_openssl = pytest.mark.skipif(
    # Under CI a missing part is a failure, not a skip.
    shutil.which("openssl") is None and not os.environ.get("CI"),
    reason="no openssl command",
)


def make_certificate(
    folder: Path, comment: bytes = b"made for a test"
) -> tuple[Path, ssl.SSLContext]:
    """Make a self-signed certificate for 127.0.0.1 with the openssl command."""
    certificate, key = folder / "cert.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-days", "2", "-subj", "/CN=receiver", "-keyout", str(key)]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-out", str(certificate)]
    run([*command, "-addext", b"nsComment=" + comment], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return certificate, context


PatientSender = partial(Sender, connect_timeout=PATIENCE, timeout=PATIENCE)
"""A sender for receivers that answer, however busy the machine is."""


def request(url: str, key: object = "key", body: bytes = b"{}") -> Request:
    return Request(key, url, {"content-type": "application/json"}, body)


def collect(sender: Sender, count: int, seconds: float = PATIENCE) -> list[Outcome]:
    """The next `count` outcomes, and none beyond them."""
    deadline = time.monotonic() + seconds
    outcomes: list[Outcome] = []
    while len(outcomes) < count:
        left = deadline - time.monotonic()
        assert left > 0, f"{len(outcomes)} of {count} outcomes after {seconds} s"
        outcomes += sender.results(left)
    assert len(outcomes) + len(sender.results(0)) == count
    return outcomes


def post(sender: Sender, url: str) -> Outcome:
    sender.submit([request(url)])
    return collect(sender, 1)[0]
