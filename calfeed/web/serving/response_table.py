"""The responses that a frontend serves by itself: published feeds, and cached pages."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Mapping
from multiprocessing.connection import Connection
from typing import TypeAlias

from calfeed.web.pages.query import FEED_SUFFIX, normalize_query
from calfeed.web.pages.reader.offers import Offer
from calfeed.web.published.responses import ResponseCache, StoredResponse
from calfeed.web.serving.ipc import CacheableResponse, SnapshotUpdate, Subscribe, connect

Key: TypeAlias = tuple[str, str, str]

_MAX_CACHE_BYTES = 64_000_000
_MAX_URL_LENGTH = 1_000
"""Longer URLs are not cached; no page links to such a URL."""

_RECONNECT_SECONDS = 0.2


class _PageCache:
    """Cached responses of one generation, valid until a time (monotonic seconds)."""

    def __init__(self, generation: int, expires: float = 0.0) -> None:
        self.generation = generation
        self.expires = expires
        self.responses: ResponseCache[Key] = ResponseCache(_MAX_CACHE_BYTES)


class ResponseTable:
    """The responses of the newest snapshot by path, and a cache of pages.

    Use it from the event loop only. The constructor waits until the backend is available. If the
    backend becomes unavailable later, the table keeps its content.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self.responses: Mapping[str, StoredResponse] = {}
        self._languages: frozenset[str] = frozenset()
        self._offer: Offer
        self._cache = _PageCache(-1)
        self._connection, update = self._subscribe()
        self._apply(update, {})

    def find(self, path: str, query: str) -> StoredResponse | None:
        """Return None: the backend makes whatever is not in `responses`."""
        return None

    def make_key(self, path: str, query: str, accept_language: str) -> Key:
        """Return the cache key of a URL and an Accept-Language header.

        Unknown query parameters of pages are ignored, as in the backend.
        """
        if query and not path.endswith(FEED_SUFFIX):
            query = normalize_query(query, self._languages)
        return path, query, self._offer.choose(accept_language)

    def find_cached(self, key: Key) -> StoredResponse | None:
        """Return a cached response that is still valid."""
        cache = self._cache
        return cache.responses.get(key) if time.monotonic() < cache.expires else None

    def cache(self, key: Key, response: CacheableResponse) -> None:
        """Cache a response while it is valid, unless it is of another generation."""
        cache, now = self._cache, time.monotonic()
        if response.generation != cache.generation or len(key[0]) + len(key[1]) > _MAX_URL_LENGTH:
            return
        if now >= cache.expires:
            cache = self._cache = _PageCache(cache.generation, now + response.max_age_seconds)
        cache.responses.put(key, response.stored)

    def follow(self, loop: asyncio.AbstractEventLoop) -> None:
        """Apply each snapshot update from a background thread, for the life of the process."""

        def apply_updates() -> None:
            while True:
                try:
                    while True:
                        loop.call_soon_threadsafe(self._apply, self._connection.recv(), None)
                except (EOFError, OSError):
                    self._connection, update = self._subscribe()
                    loop.call_soon_threadsafe(self._apply, update, {})

        threading.Thread(target=apply_updates, daemon=True).start()

    def _subscribe(self) -> tuple[Connection, SnapshotUpdate]:
        """Wait for the backend; return a connection to it, and the first update from it."""
        while True:
            try:
                connection = connect(self._address)
                connection.send(Subscribe())
                return connection, connection.recv()
            except (EOFError, OSError):
                time.sleep(_RECONNECT_SECONDS)

    def _apply(self, update: SnapshotUpdate, base: Mapping[str, StoredResponse] | None) -> None:
        """Apply an update to the responses in `base`, or to the current ones if `base` is None."""
        responses = dict(self.responses if base is None else base)
        for path in update.removed_paths:
            responses.pop(path, None)
        responses.update(update.responses)
        self.responses = responses
        self._languages, self._offer = update.languages, update.offer
        self._cache = _PageCache(update.generation)
