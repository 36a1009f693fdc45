"""A real proxy on loopback for outgoing requests, as an operator may have one: HTTP and SOCKS 5."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from base64 import b64encode
from collections.abc import Mapping
from contextlib import closing, suppress
from socketserver import StreamRequestHandler
from urllib.parse import urlsplit

from tests.loopback import Loopback, Server
from tests.patience import PATIENCE

USER, PASSWORD = "desk", "pass@word"
_WRITTEN = "desk:pass%40word@"
_BASIC = b"basic " + b64encode(f"{USER}:{PASSWORD}".encode()).lower()


class Proxy(Loopback):
    """Start a proxy; `with` it. It lets in whoever knows `PASSWORD`, and nobody else.

    `names` says which port of 127.0.0.1 a host name means: nobody but the proxy knows these
    names. `asked` is the head of every request for a connection, in order.
    """

    def __init__(self, names: Mapping[str, int], tls: ssl.SSLContext | None = None) -> None:
        super().__init__(_Client, tls)
        self.names = names
        self.asked: list[bytes] = []

    def url(self, scheme: str, user: str = _WRITTEN) -> str:
        return f"{scheme}://{user}127.0.0.1:{self.port}"


class _Client(StreamRequestHandler):
    server: Server
    timeout = PATIENCE

    def handle(self) -> None:
        if self.rfile.peek(1)[:1] == b"\x05":  # type: ignore[attr-defined]  # it is buffered
            self._speak_socks()
        else:
            self._speak_http()

    def _speak_http(self) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.rfile.readline()
        self.server.owner.asked.append(head)
        if b"proxy-authorization: " + _BASIC not in head.lower():
            self.wfile.write(b"HTTP/1.1 407 Who are you?\r\nContent-Length: 0\r\n\r\n")
            return
        method, target, _ = head.decode("latin-1").split(" ", 2)
        parts = urlsplit(f"//{target}" if method == "CONNECT" else target)
        port = self.server.owner.names.get(parts.hostname or "")
        if port is None:
            self.wfile.write(b"HTTP/1.1 403 Not there\r\nContent-Length: 0\r\n\r\n")
        elif method == "CONNECT":
            self.wfile.write(b"HTTP/1.1 200 Go on\r\n\r\n")
            self._join(port, b"")
        else:
            _, *lines = head.split(b"\r\n")
            kept = [line for line in lines if not line.lower().startswith(b"proxy-")]
            first = f"{method} {parts.path} HTTP/1.1".encode()
            self._join(port, b"\r\n".join([first, *kept]))

    def _speak_socks(self) -> None:
        """RFC 1928 and RFC 1929: a user name and a password, then a host, by name or IPv4."""
        _, count = self.rfile.read(2)
        self.rfile.read(count)
        self.wfile.write(b"\x05\x02")
        _, length = self.rfile.read(2)
        user = self.rfile.read(length)
        password = self.rfile.read(*self.rfile.read(1))
        known = (user, password) == (USER.encode(), PASSWORD.encode())
        self.wfile.write(b"\x01" + bytes([not known]))
        if not known:
            return
        head = self.rfile.read(5)
        if head[3] == 3:
            host = self.rfile.read(head[4]).decode("ascii")
        else:
            host = socket.inet_ntoa(head[4:] + self.rfile.read(3))
        self.rfile.read(2)
        self.server.owner.asked.append(host.encode())
        port = self.server.owner.names.get(host)
        self.wfile.write(struct.pack("!4B4sH", 5, 2 if port is None else 0, 0, 1, bytes(4), 0))
        if port is not None:
            self._join(port, b"")

    def _join(self, port: int, first: bytes) -> None:
        """Pass bytes on both ways until both sides are done."""
        with closing(socket.create_connection(("127.0.0.1", port))) as onward:
            onward.sendall(first)
            back = threading.Thread(target=self._pass_back, args=(onward,))
            back.start()
            with suppress(OSError):
                while data := self.rfile.read1(65536):
                    onward.sendall(data)
            with suppress(OSError):
                onward.shutdown(socket.SHUT_WR)
            back.join()

    def _pass_back(self, onward: socket.socket) -> None:
        with suppress(OSError):
            while data := onward.recv(65536):
                self.connection.sendall(data)
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
