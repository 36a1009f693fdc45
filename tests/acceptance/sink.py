"""A receiver of webhooks in a process of its own, quick enough for thousands of posts a second.

It notes every post and every end of a connection, and is never killed: what it has noted is the
proof of what was told.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import multiprocessing
import random
import socket
import struct
import time
import zlib
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any, NamedTuple, Self

from tests.contract import check_received

WELL, REMINDERS, FAILING, RESETTING = "well", "reminders", "failing", "resetting"
"""The kinds of receivers, and what their paths begin with. The second wants reminders alone; the
last two answer one message in ten with 500, or a reset, the first time that they get it."""

_FAULTS = 10
_CONTEXT = multiprocessing.get_context("spawn")


class Post(NamedTuple):
    """One post that had arrived in full; `at` is on the monotonic clock, which processes share.

    `taken` says whether the answer was 204; `body` names the bytes in `Record.bodies`.
    """

    at: float
    path: str
    id: str
    timestamp: str
    signature: str
    body: bytes
    connection: int
    taken: bool


@dataclass
class Record:
    """Everything that came in, in order; `ends` is when each connection ended, if it has."""

    posts: list[Post] = field(default_factory=list)
    bodies: dict[bytes, bytes] = field(default_factory=dict)
    ends: dict[int, float] = field(default_factory=dict)


class Sink:
    """The receiver; `with` it. `pause` is the longest time, in seconds, until it answers."""

    def __init__(self, pause: float = 0) -> None:
        self._count: Any = _CONTEXT.Value("Q", 0, lock=False)
        self._pipe, other = _CONTEXT.Pipe()
        self._process = _CONTEXT.Process(target=_run, args=(other, self._count, pause))
        self._process.start()
        other.close()
        self._port: int = self._pipe.recv()

    @property
    def count(self) -> int:
        """How many posts have come in."""
        return int(self._count.value)

    @property
    def url(self) -> str:
        """What the URLs of all its endpoints begin with, up to their path."""
        return f"http://127.0.0.1:{self._port}"

    def read(self) -> Record:
        """What has come in so far."""
        self._pipe.send(None)
        record: Record = self._pipe.recv()
        return record

    def __enter__(self) -> Self:
        return self

    def __exit__(self, error: object, *_: object) -> None:
        if error is None:
            check_received(self.read().bodies.values())
        self._pipe.close()
        self._process.join()


def _run(pipe: Connection, count: Any, pause: float) -> None:
    asyncio.run(_Receiver(count, pause).serve(pipe))


class _Receiver:
    def __init__(self, count: Any, pause: float) -> None:
        self._count = count
        self._pause = pause
        self._record = Record()
        self._seen: set[tuple[str, str]] = set()
        self._numbers = itertools.count()
        self._ended = asyncio.Event()

    async def serve(self, pipe: Connection) -> None:
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0, backlog=4096)
        asyncio.get_running_loop().add_reader(pipe.fileno(), self._answer_owner, pipe)
        pipe.send(server.sockets[0].getsockname()[1])
        await self._ended.wait()

    def _answer_owner(self, pipe: Connection) -> None:
        try:
            pipe.recv()
        except EOFError:
            self._ended.set()
        else:
            pipe.send(self._record)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = next(self._numbers)
        try:
            while True:
                await self._take(number, reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            self._record.ends[number] = time.monotonic()
        finally:
            writer.close()

    async def _take(
        self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        request, *lines = head.rstrip().split("\r\n")
        path = request.split(" ")[1]
        headers = {name.lower(): text for name, _, text in (one.partition(": ") for one in lines)}
        body = await reader.readexactly(int(headers["content-length"]))
        digest = hashlib.sha256(body).digest()
        identity = headers["webhook-id"]
        kind = path.split("/")[1]
        taken = kind in (WELL, REMINDERS) or not self._is_fault(path, identity)
        self._record.bodies.setdefault(digest, body)
        stamp, signature = headers["webhook-timestamp"], headers["webhook-signature"]
        self._record.posts.append(
            Post(time.monotonic(), path, identity, stamp, signature, digest, number, taken)
        )
        self._count.value += 1
        if self._pause:
            await asyncio.sleep(random.uniform(0, self._pause))
        if taken:
            writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        elif kind == FAILING:
            writer.write(b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n")
        else:
            # With a linger time of zero, closing sends RST.
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()
            raise ConnectionResetError("by ourselves")

    def _is_fault(self, path: str, identity: str) -> bool:
        first = (path, identity) not in self._seen
        self._seen.add((path, identity))
        return first and zlib.crc32(f"{path} {identity}".encode()) % _FAULTS == 0
