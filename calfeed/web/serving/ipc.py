"""Messages between frontends and the backend, pickled over a private Unix socket.

Frontends connect and send a message; only the backend listens.
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
from calfeed.web.pages.reader.offers import Offer
from calfeed.web.published.responses import Headers, StoredResponse

_BACKLOG = 128

_MAX_SOCKET_PATH_BYTES = 103
"""The limit on macOS, the lowest of all systems (sun_path, unix(4))."""


@dataclass(frozen=True, slots=True)
class Request:
    """A complete request; `client` is the address of the client, not of a trusted proxy.

    `path` is decoded and without the prefix, `query` is as it was sent. The repr leaves out
    everything that can contain secrets, such as the path of a private feed.
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
class CacheableResponse:
    """A response for every request with the same cache key.

    It is valid for `max_age_seconds`, and only as long as the snapshot `generation` is current.
    """

    stored: StoredResponse
    generation: int
    max_age_seconds: float


@dataclass(frozen=True, slots=True)
class UncachedResponse:
    """A response to a single request."""

    status: int
    headers: Headers
    body: bytes


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Request a `SnapshotUpdate` now and after each publish."""


@dataclass(frozen=True, slots=True)
class SnapshotUpdate:
    """The stored responses that are new, changed or removed in a snapshot, by path.

    `generation` counts the snapshots of the backend. `languages` are the tags (BCP 47) of pages and
    of published texts; `offer` has the languages of pages only.
    """

    generation: int
    languages: frozenset[str]
    offer: Offer
    responses: Mapping[str, StoredResponse]
    removed_paths: frozenset[str]


@dataclass(frozen=True, slots=True)
class PollReport:
    """Counts of feed requests to a frontend. The backend returns the report to acknowledge it."""

    polls: list[PollCounts]


def join_headers(listed: Headers) -> dict[str, str]:
    """Return headers by name, repeated ones joined (RFC 9110, 5.3; RFC 6265bis, 5.7)."""
    joined: dict[str, str] = {}
    for name, value in listed:
        separator = "; " if name == "cookie" else ", "
        joined[name] = value if name not in joined else f"{joined[name]}{separator}{value}"
    return joined


@contextmanager
def private_address() -> Iterator[str]:
    """Yield a path for the backend's socket, in a new folder that only this user can read.

    The folder is removed at the end of the block, or by the backend if this process is killed.
    Raises CalfeedError if no socket can be created.
    """
    try:
        made = TemporaryDirectory(prefix="calfeed-", ignore_cleanup_errors=True)
    except OSError as error:
        raise CalfeedError(
            f"the web server cannot create a folder for its socket: {error.strerror}; set TMPDIR "
            "to a writable folder"
        ) from error
    with made as folder:
        address = str(Path(folder, "backend"))
        if len(os.fsencode(address)) > _MAX_SOCKET_PATH_BYTES:
            raise CalfeedError(
                f"the path of a socket must have at most {_MAX_SOCKET_PATH_BYTES} bytes, and "
                f"{folder} is too long; set TMPDIR to a folder with a shorter path"
            )
        yield address


def listen(address: str) -> Listener:
    """Listen on a Unix socket. Messages are unpickled, so its folder must be private."""
    Path(address).unlink(missing_ok=True)  # left behind by a process that was killed
    return Listener(address, "AF_UNIX", backlog=_BACKLOG)


def connect(address: str) -> Connection:
    """Open a connection to the backend. Raises OSError if it is not listening."""
    return Client(address, "AF_UNIX")


def end_with_parent(folder: Path | None = None) -> None:
    """End this process when its parent ends, so that the port is released.

    If `folder` is given, this process removes that folder before it ends.
    """
    parent = os.getppid()

    def watch_parent() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
        os._exit(1)

    threading.Thread(target=watch_parent, name="calfeed-parent", daemon=True).start()
