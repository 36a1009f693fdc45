"""Messages between the fronts and the back, over a Unix socket of their own.

The fronts hold connections and answer what is settled; the back holds the published state and
the Flask applications. A front opens a connection and sends a message; only the back listens.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path
from tempfile import TemporaryDirectory

from calfeed.errors import CalfeedError
from calfeed.store.reports.poll_counts import PollCounts
from calfeed.web.published.responses import Answer, Headers

_BACKLOG = 128

_LONGEST_ADDRESS = 103
"""Bytes of a socket's path: what macOS takes, the shortest of all systems (sun_path, unix(4))."""


@dataclass(frozen=True, slots=True)
class Request:
    """A whole request. `client` is the address that it comes from, behind proxies that are trusted.

    `path` is decoded, `query` is not. No header and no body is in what it says of itself: they
    can hold secrets, as the path of a private feed does.
    """

    method: str
    path: str = field(repr=False)
    query: str = field(repr=False)
    headers: list[tuple[str, str]] = field(repr=False)
    body: bytes = field(repr=False)
    client: str
    server: str
    scheme: str


@dataclass(frozen=True, slots=True)
class Settled:
    """An answer that holds for everybody who asks for the same, for `lasting` seconds.

    It is made of the published state with the number `edition`, and ends with that, too.
    """

    answer: Answer
    edition: int
    lasting: float


@dataclass(frozen=True, slots=True)
class Made:
    """An answer to one request alone."""

    status: int
    headers: Headers
    body: bytes


@dataclass(frozen=True, slots=True)
class Follow:
    """The wish to get each edition from now on, as an `Edition`."""


@dataclass(frozen=True, slots=True)
class Edition:
    """A published state: its number, the answers that are new in it, the paths that are gone.

    `languages` are the tags that anything in it is in.
    """

    number: int
    languages: frozenset[str]
    answers: Mapping[str, Answer]
    gone: frozenset[str]


@dataclass(frozen=True, slots=True)
class Counted:
    """Requests for feeds that a front answered; sent back as it is when it is added."""

    polls: list[PollCounts]


def join_headers(listed: Headers) -> dict[str, str]:
    """Headers by name. What came several times is one list (RFC 9110, 5.3; RFC 6265bis, 5.7)."""
    joined: dict[str, str] = {}
    for name, value in listed:
        between = "; " if name == "cookie" else ", "
        joined[name] = value if name not in joined else f"{joined[name]}{between}{value}"
    return joined


@contextmanager
def private_address() -> Iterator[str]:
    """A path for the back's socket, in a folder of its own for this user alone.

    The folder is removed at the end of the block, or by the back where this process is killed.
    Raises CalfeedError where there can be no socket.
    """
    try:
        made = TemporaryDirectory(prefix="calfeed-", ignore_cleanup_errors=True)
    except OSError as error:
        raise CalfeedError(
            f"the web server cannot make a folder for its socket: {error.strerror}; TMPDIR says "
            "where it is made"
        ) from error
    with made as folder:
        address = str(Path(folder, "back"))
        if len(os.fsencode(address)) > _LONGEST_ADDRESS:
            raise CalfeedError(
                f"the path of a socket has at most {_LONGEST_ADDRESS} bytes, so the web server "
                f"cannot have one in {folder}; let TMPDIR name a folder with a shorter path"
            )
        yield address


def listen(address: str) -> Listener:
    """Listen on a Unix socket. What arrives is unpickled, so its folder has to be private."""
    Path(address).unlink(missing_ok=True)  # a process that was killed leaves it behind
    return Listener(address, "AF_UNIX", backlog=_BACKLOG)


def connect(address: str) -> Connection:
    """Open a connection to the back. Raises OSError where it does not listen."""
    return Client(address, "AF_UNIX")


def end_with_parent(folder: Path | None = None) -> None:
    """End this process when the one that started it is gone, so that it does not keep the port.

    Whoever was given a `folder` by it removes that.
    """
    parent = os.getppid()

    def follow() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
        os._exit(1)

    threading.Thread(target=follow, name="calfeed-parent", daemon=True).start()
