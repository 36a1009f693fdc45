"""Lanes from a front to the back: bounds of the requests of one kind, at work and waiting."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection

from calfeed.web.serving.link import Made, Request, Settled, connect


class BusyError(Exception):
    """So many requests of a kind are waiting that another one is not taken."""


class AwayError(Exception):
    """The back does not listen, so it did not get the request."""


class LostError(Exception):
    """The back ended while it had the request; whether it acted on it is not known."""


class Lane:
    """A kind of request: `at_once` are with the back, up to `waiting` others wait for that.

    Each lane has its own threads and connections, so a full one delays no other.
    """

    def __init__(self, address: str, at_once: int, waiting: int) -> None:
        self._address = address
        self._most = at_once + waiting
        self._pending = 0
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="calfeed-lane")
        self._local = threading.local()

    async def ask(self, request: Request) -> Settled | Made:
        """The back's answer. Raises BusyError, AwayError and LostError."""
        if self._pending >= self._most:
            raise BusyError
        self._pending += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, self._exchange, request)
        finally:
            self._pending -= 1

    def _exchange(self, request: Request) -> Settled | Made:
        connection = self._hand_over(request)
        try:
            answer: Settled | Made = connection.recv()
        except (EOFError, OSError) as error:
            self._local.connection = None
            raise LostError from error
        return answer

    def _hand_over(self, request: Request) -> Connection:
        kept: Connection | None = getattr(self._local, "connection", None)
        if kept is not None:
            try:
                kept.send(request)
                return kept
            except OSError:  # the back that it led to has ended, and did not read the request
                kept.close()
        self._local.connection = None
        try:
            connection = connect(self._address)
            connection.send(request)
        except OSError as error:
            raise AwayError from error
        self._local.connection = connection
        return connection
