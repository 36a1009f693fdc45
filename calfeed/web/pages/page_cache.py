"""A cache of rendered pages in front of Flask.

A page depends on the snapshot, the reader's language and the time ("tomorrow", "now"). So pages
that Flask marks as public are cached by URL and language until the minute ends. Unknown query
parameters are removed before Flask sees them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from calfeed.web.pages.query import FEED_SUFFIX, normalize_query
from calfeed.web.published.responses import (
    Application,
    Headers,
    ResponseCache,
    StartResponse,
    StoredResponse,
    build_response,
    respond,
)
from calfeed.web.published.snapshot import EMPTY, Snapshot
from calfeed.web.published.state import State

PUBLIC = "public, no-cache"
"""The Cache-Control of a page that is the same for everybody: cache, but revalidate."""

_REPLACED_HEADERS = {"Content-Length", "ETag", "Last-Modified", "Accept-Ranges", "Date"}
"""Headers that Flask sets for its own bytes; the stored response has others."""


@dataclass(frozen=True)
class _MinuteCache:
    """The pages of one minute and one snapshot."""

    minute: int
    snapshot: Snapshot
    pages: ResponseCache[tuple[str, str, str]]


class PageCache:
    """WSGI middleware that caches the public pages of an application."""

    def __init__(self, application: Application, state: State, max_bytes: int = 32_000_000) -> None:
        self._application = application
        self._state = state
        self._max_bytes = max_bytes
        self._cache = _MinuteCache(0, EMPTY, ResponseCache(max_bytes))

    @property
    def size(self) -> int:
        return self._cache.pages.size

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        path, query = environ["PATH_INFO"], environ.get("QUERY_STRING", "")
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD") or path.endswith(FEED_SUFFIX):
            return self._application(environ, start_response)
        snapshot = self._state.snapshot
        if query:
            query = normalize_query(query, snapshot.languages, path)
            environ = {**environ, "QUERY_STRING": query}
        accepted = environ.get("HTTP_ACCEPT_LANGUAGE", "")
        key = (path, query, snapshot.offered.offer.choose(accepted))
        pages = self._current_pages(snapshot)
        cached = pages.get(key)
        if cached is not None:
            return respond(cached, environ, start_response)
        public_headers: Headers = []

        def start(status: str, headers: Headers, exc_info: Any = None) -> Any:
            if status.startswith("200 ") and ("Cache-Control", PUBLIC) in headers:
                public_headers.extend(headers)
                return None  # a public page is sent below, with validators
            return start_response(status, headers, exc_info)

        # A HEAD request gets the headers of GET, so the page is always rendered.
        body = self._application({**environ, "REQUEST_METHOD": "GET"}, start)
        if not public_headers:
            return body if environ["REQUEST_METHOD"] == "GET" else _close(body)
        page = _store(b"".join(body), public_headers)
        _close(body)
        pages.put(key, page)
        return respond(page, environ, start_response)

    def _current_pages(self, snapshot: Snapshot) -> ResponseCache[tuple[str, str, str]]:
        minute = int(self._state.clock().timestamp()) // 60
        cache = self._cache
        if cache.minute != minute or cache.snapshot is not snapshot:
            cache = self._cache = _MinuteCache(minute, snapshot, ResponseCache(self._max_bytes))
        return cache.pages


def _store(body: bytes, headers: Headers) -> StoredResponse:
    """Return a page as a stored response, with the headers that Flask set."""
    kept = {name: text for name, text in headers if name not in _REPLACED_HEADERS}
    content_type = kept.pop("Content-Type")
    return build_response(body, content_type, None, list(kept.items()))


def _close(body: Iterable[bytes]) -> tuple[bytes, ...]:
    """Close a WSGI response that is not sent (PEP 3333)."""
    close = getattr(body, "close", None)
    if close is not None:
        close()
    return ()
