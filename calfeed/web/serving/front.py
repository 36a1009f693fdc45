"""The front: what granian asks for each request, in its event loop. Nothing here blocks.

Feeds and pages that are ready are looked up. Every other request is read as a whole and handed to
the back (`back.py`), in one of several lanes. So nobody waits for somebody else's unfinished
request, or for a page that is being made for somebody else.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http import HTTPStatus

from granian.rsgi import (  # type: ignore[attr-defined]  # it has them from its own Rust part
    HTTPProtocol,
    ProtocolClosed,
    ProtocolError,
    Scope,
)

from calfeed.web.published.responses import Answer, Headers, find
from calfeed.web.serving.admission import find_fault
from calfeed.web.serving.bodies import Bodies
from calfeed.web.serving.clients import client_address, find_network, is_known, without_port
from calfeed.web.serving.lanes import AwayError, BusyError, Lane, LostError
from calfeed.web.serving.link import Counted, Made, Request, Settled, connect, join_headers
from calfeed.web.serving.lookup import Key, Table
from calfeed.web.serving.poll_tally import Tally
from calfeed.web.serving.refusals import RefusedError

_READING = ("GET", "HEAD")
_PRIVATE = "/private/"

_MOST_EACH = 16
"""How many requests of one network are read or with the back at once, where it is known."""

_ADDED = 3.0
"""Seconds in which the back says that it has added a count, so that it does not end before."""

_HAND_OVER = 10.0
"""Seconds between two times that the count of requests goes to the back."""


class Front:
    """An RSGI application over the back at an address, behind so many trusted proxies."""

    def __init__(self, address: str, proxies: int, bodies: Bodies | None = None) -> None:
        self._address = address
        self._proxies = proxies
        self._bodies = bodies or Bodies()
        self._table = Table(address)
        self._tally = Tally()
        # Pages that take long to make delay neither private feeds nor POSTs.
        self._pages = Lane(address, at_once=6, waiting=200)
        self._feeds = Lane(address, at_once=2, waiting=200)
        self._writing = Lane(address, at_once=4, waiting=200)
        self._making: dict[Key, asyncio.Future[Settled | None]] = {}
        self._busy: Counter[str] = Counter()

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._table.follow(loop)
        threading.Thread(target=self._hand_over_counts, daemon=True).start()

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._hand_over_count()

    async def __call__(self, scope: Scope, proto: HTTPProtocol) -> None:
        """Answer a request."""
        listed = scope.headers.items()
        headers: Mapping[str, str] = dict(listed)
        if len(headers) != len(listed):
            headers = join_headers(listed)
        fault = find_fault(scope, listed, headers)
        if fault is not None:
            _refuse(proto, fault)
            return
        path, query, method = scope.path, scope.query_string, scope.method
        key = None
        if method in _READING:
            answer = find(self._table, path, query)
            if answer is None:
                key = self._table.key_of(path, query, headers.get("accept-language", ""))
                answer = self._table.find_ready(key)
            if answer is not None:
                self._send(answer, path, method, headers, proto, counted=True)
                return
        with suppress(ProtocolClosed, ProtocolError):  # the client has gone
            try:
                await self._forward(scope, proto, listed, headers, key)
            except RefusedError as refused:
                _refuse(proto, refused)

    async def _forward(
        self,
        scope: Scope,
        proto: HTTPProtocol,
        listed: Headers,
        headers: Mapping[str, str],
        key: Key | None,
    ) -> None:
        """Read a request to its end, and answer as the back does."""
        forwarded = headers.get("x-forwarded-for", "")
        client = client_address(without_port(scope.client), forwarded, self._proxies)
        with self._bounded(client):
            body = b""
            if key is None:
                body = await self._bodies.read(proto, headers.get("content-length", ""))
            request = Request(
                *(scope.method, scope.path, scope.query_string, listed, body),
                *(client, scope.server, scope.scheme),
            )
            answer, mine = await self._ask(request, headers, key)
        if isinstance(answer, Settled):
            # The back has counted the request that it answered.
            self._send(answer.answer, scope.path, scope.method, headers, proto, counted=not mine)
        elif answer.body:
            proto.response_bytes(answer.status, answer.headers, answer.body)
        else:
            proto.response_empty(answer.status, answer.headers)

    async def _ask(
        self, request: Request, headers: Mapping[str, str], key: Key | None
    ) -> tuple[Settled | Made, bool]:
        """The answer to a request, and whether the back was asked by this one.

        Who asks for what is being made for somebody else waits for that.
        """
        if key is None or "cookie" in headers or "authorization" in headers:
            return await self._ask_back(request), True
        making = self._making.get(key)
        if making is not None:
            settled = await making
            return (settled, False) if settled else (await self._ask_back(request), True)
        making = self._making[key] = asyncio.get_running_loop().create_future()
        answer = None
        try:
            answer = await self._ask_back(request)
            if isinstance(answer, Settled):
                self._table.keep(key, answer)
            return answer, True
        finally:
            del self._making[key]
            making.set_result(answer if isinstance(answer, Settled) else None)

    async def _ask_back(self, request: Request) -> Settled | Made:
        lane = self._pages
        if request.method not in _READING:
            lane = self._writing
        elif request.path.startswith(_PRIVATE):
            lane = self._feeds
        busy = HTTPStatus.SERVICE_UNAVAILABLE
        try:
            return await lane.ask(request)
        except BusyError:
            raise RefusedError(busy, "Too much is being asked for now; try again soon.") from None
        except AwayError:
            raise RefusedError(busy, "This part of the server is starting; try again.") from None
        except LostError:
            raise RefusedError(
                HTTPStatus.BAD_GATEWAY,
                "The server failed while it had this request; whether it was done is not known.",
            ) from None

    def _send(
        self,
        answer: Answer,
        path: str,
        method: str,
        headers: Mapping[str, str],
        proto: HTTPProtocol,
        *,
        counted: bool,
    ) -> None:
        get = headers.get
        status, said, body = answer.choose(
            get("accept-encoding", ""), get("if-none-match"), get("if-modified-since")
        )
        if status == 200 and method == "GET":
            proto.response_bytes(200, said, body)
        else:
            proto.response_empty(status, said)
        if counted and answer.is_feed and method == "GET":
            self._tally.count(path, get("user-agent", ""), len(body) if status == 200 else None)

    @contextmanager
    def _bounded(self, client: str) -> Iterator[None]:
        """Count a request of a client until it is answered. Raises RefusedError (429)."""
        network = find_network(client)
        if not is_known(network, self._proxies):
            yield
            return
        if self._busy[network] >= _MOST_EACH:
            raise RefusedError(
                HTTPStatus.TOO_MANY_REQUESTS,
                "Too many requests from this address are being answered; try again soon.",
            )
        self._busy[network] += 1
        try:
            yield
        finally:
            self._busy[network] -= 1
            if not self._busy[network]:
                del self._busy[network]

    def _hand_over_counts(self) -> None:
        while True:
            time.sleep(_HAND_OVER)
            self._hand_over_count()

    def _hand_over_count(self) -> None:
        """Add what was counted to what the back has; it waits where the back is away."""
        taken = self._tally.take()
        if taken:
            try:
                with connect(self._address) as connection:
                    connection.send(Counted(taken))
                    connection.poll(_ADDED)
            except OSError:
                self._tally.give_back(taken)


def _refuse(proto: HTTPProtocol, refused: RefusedError) -> None:
    proto.response_str(refused.status, refused.headers, refused.text + "\n")
