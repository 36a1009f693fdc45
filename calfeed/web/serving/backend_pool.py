"""Pools of connections from a frontend to the backend, each with a bounded queue."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection

from calfeed.web.serving.ipc import CacheableResponse, Request, UncachedResponse, connect


class PoolFullError(Exception):
    """The queue of the pool is full."""


class BackendUnavailableError(Exception):
    """The backend is not listening, so it did not receive the request."""


class ConnectionLostError(Exception):
    """The backend ended during the request, which it may or may not have processed."""


class BackendPool:
    """Sends up to `concurrency` requests at once, and queues up to `max_queued` more.

    Each pool has its own threads and connections, so a full pool does not delay the others.
    """

    def __init__(self, address: str, concurrency: int, max_queued: int) -> None:
        self._address = address
        self._max_pending = concurrency + max_queued
        self._pending = 0
        self._threads = ThreadPoolExecutor(concurrency, thread_name_prefix="calfeed-backend")
        self._local = threading.local()

    async def send(self, request: Request) -> CacheableResponse | UncachedResponse:
        """Send a request and return the response.

        Raises PoolFullError, BackendUnavailableError and ConnectionLostError.
        """
        if self._pending >= self._max_pending:
            raise PoolFullError
        self._pending += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, self._exchange, request)
        finally:
            self._pending -= 1

    def _exchange(self, request: Request) -> CacheableResponse | UncachedResponse:
        connection = self._send(request)
        try:
            response: CacheableResponse | UncachedResponse = connection.recv()
        except (EOFError, OSError) as error:
            self._local.connection = None
            raise ConnectionLostError from error
        return response

    def _send(self, request: Request) -> Connection:
        """Send a request over this thread's connection, or over a new one."""
        current: Connection | None = getattr(self._local, "connection", None)
        if current is not None:
            try:
                current.send(request)
                return current
            except OSError:  # that backend has ended, and did not read the request
                current.close()
        self._local.connection = None
        try:
            connection = connect(self._address)
            connection.send(request)
        except OSError as error:
            raise BackendUnavailableError from error
        self._local.connection = connection
        return connection
