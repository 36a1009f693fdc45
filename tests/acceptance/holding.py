"""Hold a web server as well as one can.

Run it as `python -m tests.acceptance.holding PORT PATH IDLE HEADERS`. It opens connections that
never end what they send: bodies of forms, so many idle ones, so many headers. What the server
closes is opened again. Then it asks for PATH many times at once. It prints "holding" when
everything is in place, and ends with its standard input.
"""

from __future__ import annotations

import asyncio
import resource
import sys
from collections import Counter
from contextlib import suppress

BODIES = 64
ASKING = 20

_BODY = (
    b"POST /console/sign-in HTTP/1.1\r\nHost: a\r\nContent-Length: 50000\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n\r\ntoken="
)
_IDLE = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
_HEADER = b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: "
_AT_ONCE = 50  # connections that are being opened; more, and loopback drops their first packets


class Holding:
    """The connections to a port of loopback; `answers` counts how the server answered, by status.

    Bodies end with 408, whoever asks for `path` gets it.
    """

    def __init__(self, port: int, path: str, idle: int, headers: int) -> None:
        self._port = port
        self._path = path
        self._opening = asyncio.Semaphore(_AT_ONCE)
        self._idle, self._headers = idle, headers
        self._missing = BODIES + idle + headers
        self.in_place = asyncio.Event()
        self.answers: Counter[str] = Counter()

    async def run(self) -> None:
        """Hold them until cancelled, asking for the path as soon as all are in place."""
        async with asyncio.TaskGroup() as group:
            for _ in range(BODIES):
                group.create_task(self._keep(_BODY, trickling=True))
            for _ in range(self._idle):
                group.create_task(self._keep(_IDLE))
            for _ in range(self._headers):
                group.create_task(self._keep(_HEADER))
            await self.in_place.wait()
            for _ in range(ASKING):
                group.create_task(self._ask())

    async def _keep(self, sent: bytes, *, trickling: bool = False) -> None:
        first = True
        while True:
            with suppress(OSError):
                async with self._opening:
                    reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
                    writer.write(sent)
                if first:
                    first = False
                    self._missing -= 1
                    if not self._missing:
                        self.in_place.set()
                trickle = asyncio.create_task(_trickle(writer)) if trickling else None
                try:
                    await self._read(reader)
                finally:
                    if trickle is not None:
                        trickle.cancel()
                    writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        if answer := await reader.read(12):
            self.answers[answer.decode("latin-1")[9:]] += 1
        while await reader.read(65_536):
            pass

    async def _ask(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        writer.write(f"GET {self._path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
        answer = (await reader.readline()).decode("latin-1")
        self.answers[f"{self._path} {answer.split()[1]}"] += 1
        while await reader.read(65_536):
            pass
        writer.close()


async def _trickle(writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while True:
            await asyncio.sleep(0.5)
            writer.write(b"x")
            await writer.drain()


async def _main(holding: Holding) -> None:
    running = asyncio.create_task(holding.run())
    await holding.in_place.wait()
    print("holding", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    print(", ".join(f"{name}: {count}" for name, count in sorted(holding.answers.items())))


if __name__ == "__main__":
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    asyncio.run(_main(Holding(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))))
