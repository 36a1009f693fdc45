"""Connections that send nothing, or never end what they send, keep nobody else out."""

from __future__ import annotations

import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.acceptance.site import Site, until

CONNECTIONS = 1_200
"""More than the server held, of each kind, before it was told to hold more."""


@pytest.fixture
def _many_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def is_closed(connection: socket.socket) -> bool:
    try:
        return connection.recv(1000) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


@pytest.mark.usefixtures("_many_files")
@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: "], ids=["", "half"])
def test_connections_that_send_no_request_are_closed_and_keep_nobody_out(
    site: Site, sent: bytes
) -> None:
    with site.serving(), ExitStack() as stack:
        held = []
        for _ in range(CONNECTIONS):
            held.append(stack.enter_context(socket.create_connection(("127.0.0.1", site.port))))
            held[-1].sendall(sent)
        assert site.get("/healthz")[0] == b"ok\n"
        for connection in held:
            connection.setblocking(False)
        until(lambda: all(map(is_closed, held)), "every connection is closed")
        assert site.get("/calendars.ics")[0]
