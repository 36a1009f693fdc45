"""A relay in front of a server, which counts the bytes that the server sends."""

from __future__ import annotations

import select
import socket
import threading
from contextlib import suppress
from socketserver import BaseRequestHandler, ThreadingTCPServer
from types import TracebackType
from typing import Self


class Relay:
    """`address` leads to the server at `port` of loopback; `received` bytes came from there."""

    def __init__(self, port: int) -> None:
        self.received = 0
        self._stopping = False
        relay = self

        class Handler(BaseRequestHandler):
            def handle(self) -> None:
                with suppress(OSError), socket.create_connection(("127.0.0.1", port)) as server:
                    relay._pass_on(self.request, server)

        self._server = ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stopping = True
        self._server.shutdown()
        self._server.server_close()  # waits for the connections' threads
        self._thread.join()

    def take(self) -> int:
        """Return how many bytes were received since this was last asked."""
        taken, self.received = self.received, 0
        return taken

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        other = {client: server, server: client}
        while not self._stopping:
            ready, _, _ = select.select(list(other), [], [], 0.1)
            for end in ready:
                data = end.recv(65_536)
                if not data:
                    return
                self.received += len(data) * (end is server)
                other[end].sendall(data)
