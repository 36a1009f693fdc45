"""The RSGI application of the web server, which runs in granian's event loop and never blocks.

Feeds and cached pages are served from a table. Every other request is read completely and sent to
the backend (`backend.py`) through one of several pools, so that an incomplete request or a slow
page does not delay other clients.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import sha256
from http import HTTPStatus

from granian.rsgi import (  # type: ignore[attr-defined]  # these come from its Rust extension
    HTTPProtocol,
    ProtocolClosed,
    ProtocolError,
    Scope,
)

from calfeed.web.prefix import path_within
from calfeed.web.published.responses import Headers, StoredResponse, find_response
from calfeed.web.serving.backend_pool import (
    BackendPool,
    BackendUnavailableError,
    ConnectionLostError,
    PoolFullError,
)
from calfeed.web.serving.client_addresses import (
    client_address,
    find_network,
    identifies_client,
    without_port,
)
from calfeed.web.serving.http_errors import HttpError
from calfeed.web.serving.ipc import (
    CacheableResponse,
    PollReport,
    Request,
    UncachedResponse,
    connect,
    join_headers,
)
from calfeed.web.serving.poll_counter import PollCounter
from calfeed.web.serving.request_bodies import BodyReader
from calfeed.web.serving.request_checks import CALDAV_PREFIX, find_body_limit, find_request_error
from calfeed.web.serving.response_table import Key, ResponseTable

_SAFE_METHODS = ("GET", "HEAD")
_PRIVATE_PREFIX = "/private/"

_MAX_REQUESTS_PER_NETWORK = 16
"""The maximum number of concurrent requests from a network that identifies a client."""

_ACKNOWLEDGE_SECONDS = 3.0
"""How long to wait for the backend to acknowledge counts, before this process may exit."""

_SEND_COUNTS_SECONDS = 10.0
"""The interval at which poll counts are sent to the backend."""


class Frontend:
    """An RSGI application in front of the backend, behind `proxies` trusted proxies.

    It serves the paths below `prefix`, and responds with 404 to others (see `path_within`).
    """

    def __init__(
        self, address: str, proxies: int, bodies: BodyReader | None = None, prefix: str = ""
    ) -> None:
        self._address = address
        self._proxies = proxies
        self._prefix = prefix
        self._outside = HttpError(
            HTTPStatus.NOT_FOUND, f"There is nothing here; the site begins at {prefix}/"
        )
        self._bodies = bodies or BodyReader()
        self._table = ResponseTable(address)
        self._poll_counter = PollCounter()
        # Separate pools, so that slow pages delay neither private feeds nor POST requests, and
        # large CalDAV responses delay none of these.
        self._pages = BackendPool(address, concurrency=6, max_queued=200)
        self._feeds = BackendPool(address, concurrency=2, max_queued=200)
        self._writes = BackendPool(address, concurrency=4, max_queued=200)
        self._caldav = BackendPool(address, concurrency=2, max_queued=200)
        self._in_flight: dict[Key, asyncio.Future[CacheableResponse | None]] = {}
        self._requests_by_network: Counter[str] = Counter()

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._table.follow(loop)
        threading.Thread(target=self._send_counts_regularly, daemon=True).start()

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._send_counts()

    async def __call__(self, scope: Scope, proto: HTTPProtocol) -> None:
        listed = scope.headers.items()
        headers: Mapping[str, str] = dict(listed)
        if len(headers) != len(listed):
            headers = join_headers(listed)
        error = find_request_error(scope, listed, headers)
        if error is not None:
            _send_error(proto, error)
            return
        path = path_within(self._prefix, scope.path)
        if path is None:
            _send_error(proto, self._outside)
            return
        query, method = scope.query_string, scope.method
        key = None
        if method in _SAFE_METHODS:
            stored = find_response(self._table, path, query)
            if stored is None:
                key = self._table.make_key(path, query, headers.get("accept-language", ""))
                stored = self._table.find_cached(key)
            if stored is not None:
                self._send(stored, path, method, headers, proto, counted=True)
                return
        with suppress(ProtocolClosed, ProtocolError):  # the client has disconnected
            try:
                await self._forward(scope, path, proto, listed, headers, key)
            except HttpError as refused:
                _send_error(proto, refused)

    async def _forward(
        self,
        scope: Scope,
        path: str,
        proto: HTTPProtocol,
        listed: Headers,
        headers: Mapping[str, str],
        key: Key | None,
    ) -> None:
        """Read a request completely, and send the backend's response."""
        method = scope.method
        forwarded = headers.get("x-forwarded-for", "")
        client = client_address(without_port(scope.client), forwarded, self._proxies)
        with self._limit(client):
            body = b""
            if key is None:
                body = await self._bodies.read(
                    proto, headers.get("content-length", ""), find_body_limit(method, path)
                )
            if method == "REPORT" and path.startswith(CALDAV_PREFIX):
                # The response is the same for everybody who sends the same body without a login.
                key = path, sha256(body).hexdigest(), ""
                stored = None if "authorization" in headers else self._table.find_cached(key)
                if stored is not None:
                    self._send(stored, path, method, headers, proto, counted=False)
                    return
            request = Request(
                *(method, path, scope.query_string, listed, body),
                *(client, scope.server, scope.scheme),
            )
            response, shared = await self._fetch(request, headers, key)
        if isinstance(response, CacheableResponse):
            # The backend has already counted the request that it responded to.
            self._send(response.stored, path, method, headers, proto, counted=shared)
        elif response.body:
            proto.response_bytes(response.status, response.headers, response.body)
        else:
            proto.response_empty(response.status, response.headers)

    async def _fetch(
        self, request: Request, headers: Mapping[str, str], key: Key | None
    ) -> tuple[CacheableResponse | UncachedResponse, bool]:
        """Return the response, and whether it was made for another request.

        Concurrent requests with the same key wait for the first one.
        """
        if key is None or "cookie" in headers or "authorization" in headers:
            return await self._send_to_backend(request), False
        future = self._in_flight.get(key)
        if future is not None:
            shared = await future
            return (shared, True) if shared else (await self._send_to_backend(request), False)
        future = self._in_flight[key] = asyncio.get_running_loop().create_future()
        response = None
        try:
            response = await self._send_to_backend(request)
            if isinstance(response, CacheableResponse):
                self._table.cache(key, response)
            return response, False
        finally:
            del self._in_flight[key]
            future.set_result(response if isinstance(response, CacheableResponse) else None)

    async def _send_to_backend(self, request: Request) -> CacheableResponse | UncachedResponse:
        pool = self._pages
        if request.path.startswith(CALDAV_PREFIX):
            pool = self._caldav
        elif request.method not in _SAFE_METHODS:
            pool = self._writes
        elif request.path.startswith(_PRIVATE_PREFIX):
            pool = self._feeds
        unavailable = HTTPStatus.SERVICE_UNAVAILABLE
        try:
            return await pool.send(request)
        except PoolFullError:
            raise HttpError(unavailable, "The server is overloaded; try again soon.") from None
        except BackendUnavailableError:
            raise HttpError(unavailable, "The server is starting; try again soon.") from None
        except ConnectionLostError:
            raise HttpError(
                HTTPStatus.BAD_GATEWAY,
                "The server failed during this request; it may or may not have been processed.",
            ) from None

    def _send(
        self,
        stored: StoredResponse,
        path: str,
        method: str,
        headers: Mapping[str, str],
        proto: HTTPProtocol,
        *,
        counted: bool,
    ) -> None:
        get = headers.get
        status, response_headers, body = stored.choose(
            get("accept-encoding", ""), get("if-none-match"), get("if-modified-since")
        )
        if body and method != "HEAD":
            proto.response_bytes(status, response_headers, body)
        else:
            proto.response_empty(status, response_headers)
        if counted and stored.is_feed and method == "GET":
            size = len(body) if status == 200 else None
            self._poll_counter.count(path, get("user-agent", ""), size)

    @contextmanager
    def _limit(self, client: str) -> Iterator[None]:
        """Limit how many requests of a client are in flight. Raises HttpError (429) for more."""
        network = find_network(client)
        if not identifies_client(network, self._proxies):
            yield
            return
        if self._requests_by_network[network] >= _MAX_REQUESTS_PER_NETWORK:
            raise HttpError(
                HTTPStatus.TOO_MANY_REQUESTS,
                "Too many concurrent requests from this address; try again soon.",
            )
        self._requests_by_network[network] += 1
        try:
            yield
        finally:
            self._requests_by_network[network] -= 1
            if not self._requests_by_network[network]:
                del self._requests_by_network[network]

    def _send_counts_regularly(self) -> None:
        while True:
            time.sleep(_SEND_COUNTS_SECONDS)
            self._send_counts()

    def _send_counts(self) -> None:
        """Send the poll counts to the backend; if it is unavailable, keep the counts."""
        taken = self._poll_counter.take()
        if taken:
            try:
                with connect(self._address) as connection:
                    connection.send(PollReport(taken))
                    connection.poll(_ACKNOWLEDGE_SECONDS)
            except OSError:
                self._poll_counter.restore(taken)


def _send_error(proto: HTTPProtocol, error: HttpError) -> None:
    proto.response_str(error.status, error.headers, error.detail + "\n")
