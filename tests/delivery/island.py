"""A network of its own, in which every address of the Internet leads to this machine.

There the guard is the only thing between a post and an address, and names point where a test
says. It is made of Linux namespaces, as an ordinary user may; where that is forbidden the tests
are skipped.
"""

from __future__ import annotations

import importlib
import shutil
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, wraps
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

import pytest

from tests.loopback import Handler, Loopback, Server
from tests.patience import PATIENCE

_ROOT = Path(__file__).parents[2]
_NAMESPACES = ["unshare", "--user", "--map-root-user", "--net", "--mount", "--"]
_LOOPBACK = ["ip", "link", "set", "lo", "up"]
_WHOLE_INTERNET = [["ip", "route", "add", "local", whole, "dev", "lo"] for whole in ("0/0", "::/0")]
_QUESTION_AT = 12  # bytes of a DNS message's header
_TYPES = {1: 4, 28: 6}  # A and AAAA


def on_island(test: Callable[[], None]) -> Callable[[], None]:
    """Let a test, which takes no fixture, run there, in a process of its own."""

    @wraps(test)
    def run() -> None:
        if not _can_be_made():
            pytest.skip("no network namespace can be made here (unshare --user --net, ip)")
        module = [sys.executable, "-W", "error", "-m", "tests.delivery.island"]
        command = [*_NAMESPACES, *module, test.__module__, test.__name__]
        done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, timeout=PATIENCE)
        assert done.returncode == 0, done.stderr

    return run


@cache
def _can_be_made() -> bool:
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        return False
    return subprocess.run([*_NAMESPACES, *_LOOPBACK], capture_output=True).returncode == 0


@contextmanager
def _settled() -> Iterator[None]:
    """Bring the network up, and let names be looked up at 127.0.0.1 alone."""
    for command in (_LOOPBACK, *_WHOLE_INTERNET):
        subprocess.run(command, check=True)
    with TemporaryDirectory() as folder:
        for name, text in (
            ("resolv.conf", "nameserver 127.0.0.1\noptions timeout:30 attempts:5\n"),
            ("nsswitch.conf", "hosts: files dns\n"),
        ):
            ours, theirs = Path(folder) / name, Path("/etc") / name
            ours.write_text(text, "ascii")
            if theirs.exists():
                subprocess.run(["mount", "--bind", str(ours), str(theirs)], check=True)
        yield
        for name in ("resolv.conf", "nsswitch.conf"):
            subprocess.run(["umount", f"/etc/{name}"], check=False)


class Names:
    """A name server on 127.0.0.1; `with` it. Nobody may keep an answer: its time to live is 0."""

    def __init__(self, names: dict[str, list[str]]) -> None:
        self.names = names
        """The addresses of each name; tests change them."""
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 53))
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", ("127.0.0.1", 53))
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            query, asker = self._socket.recvfrom(512)
            if not query:
                return
            self._socket.sendto(self._answer(query), asker)

    def _answer(self, query: bytes) -> bytes:
        """A response (RFC 1035, 4.1): the question again, and a record for each address."""
        labels, at = [], _QUESTION_AT
        while length := query[at]:
            labels.append(query[at + 1 : at + 1 + length].decode("ascii"))
            at += 1 + length
        (kind,) = struct.unpack_from("!H", query, at + 1)
        known = self.names.get(".".join(labels).lower())
        version = _TYPES.get(kind)
        found = [one for one in map(ip_address, known or []) if one.version == version]
        flags = 0x8180 if known is not None else 0x8183  # no error, or no such name
        head = query[:2] + struct.pack("!5H", flags, 1, len(found), 0, 0)
        records = [
            struct.pack("!3HIH", 0xC000 | _QUESTION_AT, kind, 1, 0, len(one.packed)) + one.packed
            for one in found
        ]
        return head + query[_QUESTION_AT : at + 5] + b"".join(records)


@dataclass(frozen=True)
class Visit:
    """One request that came in: for which host, to which address, from which client's port."""

    host: str
    address: str
    client_port: int


class Internet(Loopback):
    """A server at port 80 of every address; `with` it. `visits` is all that came in, in order.

    A path answers as it says: /keep leaves the connection open, /close closes it, and
    /to/HOST leads on to http://HOST/keep.
    """

    def __init__(self) -> None:
        super().__init__(_Anybody, server=_Everywhere, address=("::", 80))
        self.visits: list[Visit] = []


class _Everywhere(Server):
    address_family = socket.AF_INET6

    def server_bind(self) -> None:
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()


class _Anybody(Handler):
    def do_POST(self) -> None:  # noqa: N802 - the name is http.server's
        self.read_body()
        self.do_GET()

    def do_GET(self) -> None:  # noqa: N802 - the name is http.server's
        address = self.connection.getsockname()[0].removeprefix("::ffff:")
        visit = Visit(self.headers["host"], address, int(self.client_address[1]))
        self.server.owner.visits.append(visit)
        _, kind, *host = self.path.split("/", 2)
        self.send_response(302 if kind == "to" else 200)
        if kind == "to":
            self.send_header("Location", f"http://{host[0]}/keep")
        if kind == "close":
            self.send_header("Connection", "close")
        self.send_header("Content-Length", "0")
        self.end_headers()


def main() -> None:
    """Run the test that the command line names: its module and its function."""
    _, module, name = sys.argv
    test = getattr(importlib.import_module(module), name)
    with _settled():
        test.__wrapped__()


if __name__ == "__main__":
    main()
