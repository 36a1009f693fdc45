"""Stored responses: headers, validators and compressed bytes are made before any request.

They are made once for each publish, so that a request costs one look-up and one comparison. The
frontends serve them (`frontend.py`), and so does `StoredResponseMiddleware`.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from werkzeug.http import parse_accept_header

from calfeed.web.prefix import prefix_of
from calfeed.web.published.bounded_cache import BoundedCache
from calfeed.web.serving.poll_counter import PollCounter

Headers: TypeAlias = list[tuple[str, str]]
StartResponse: TypeAlias = Callable[..., Any]
Application: TypeAlias = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]

Key = TypeVar("Key")

_OVERHEAD_BYTES = 4_000
"""The memory of a response without its bodies: headers, validators, cache entry."""

_MAX_ACCEPT_ENCODING_LENGTH = 500

STORED_RESPONSES = "calfeed.stored_responses"
"""The key, in the WSGI environment, of a list to which the served stored response is appended.

It tells the caller of the application that the response is valid for other requests too.
"""

_PHRASES = {200: "200 OK", 304: "304 Not Modified"}

_FEED_HEADERS = [
    ("Cache-Control", "public, max-age=60"),
    ("Vary", "Accept-Encoding"),
    ("Access-Control-Allow-Origin", "*"),
    ("X-Content-Type-Options", "nosniff"),
]


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """A response in two representations, plain and compressed.

    They have different bytes and so different ETags (RFC 9110, 8.8.3); If-None-Match accepts both.
    `unchanged` are the headers of a 304, for plain and compressed; `modified` is None if there is
    no Last-Modified. Requests are counted if `is_feed`. `status` is for responses other than 304.
    """

    etags: frozenset[str]
    modified: str | None
    plain: tuple[Headers, tuple[bytes, ...]]
    compressed: tuple[Headers, tuple[bytes, ...]]
    unchanged: tuple[Headers, Headers]
    is_feed: bool
    status: int = 200

    @property
    def size(self) -> int:
        return sum(len(part) for _, body in (self.plain, self.compressed) for part in body)

    def choose(
        self, accept_encoding: str, none_match: str | None, modified_since: str | None
    ) -> tuple[int, Headers, bytes]:
        """Return status, headers and body for a request with these headers (RFC 9110, 12.5, 13.1).

        `accept_encoding` is "" if the header is missing.
        """
        compress = _accepts_gzip(accept_encoding)
        if self._is_unchanged(none_match, modified_since):
            return 304, self.unchanged[compress], b""
        headers, (body,) = self.compressed if compress else self.plain
        return self.status, headers, body

    def _is_unchanged(self, none_match: str | None, modified_since: str | None) -> bool:
        """Check whether the client has a current copy (RFC 9110, 13.1)."""
        if none_match is not None:
            if none_match in self.etags or none_match == "*":
                return True
            return any(tag.strip() in self.etags for tag in none_match.split(","))
        # Dates are compared for equality: after a restore, the feed may be older than the copy.
        return self.modified is not None and self.modified == modified_since


def hsts_headers(base_url: str) -> Headers:
    """Return the HSTS header (RFC 6797, one year) if the public URL is https and has no path.

    The header applies to a whole host. If the site is below a path, the rest of the host may belong
    to others.
    """
    own_host = base_url.startswith("https:") and not prefix_of(base_url)
    return [("Strict-Transport-Security", "max-age=31536000")] if own_host else []


def build_response(
    body: bytes,
    content_type: str,
    modified: datetime | None,
    headers: Headers | None = None,
    *,
    base_url: str = "",
) -> StoredResponse:
    """Build a response. Equal arguments give equal bytes in every process.

    `headers` replace those of a feed; without them, the response is a feed, and gets the HSTS
    header that fits `base_url`.
    """
    digest = hashlib.sha256(body).hexdigest()[:32]
    # No timestamp, so that the content alone determines the bytes.
    compressed_body = gzip.compress(body, 9, mtime=0)
    plain, compressed = f'"{digest}"', f'"{digest}-gzip"'
    stamp = format_datetime(modified, usegmt=True) if modified else None
    dated = [("Last-Modified", stamp)] if stamp else []
    feed = [*_FEED_HEADERS, *hsts_headers(base_url)]
    common = [*dated, *(feed if headers is None else headers)]
    kind = ("Content-Type", content_type)
    return StoredResponse(
        etags=frozenset({plain, compressed, f"W/{plain}", f"W/{compressed}"}),
        modified=stamp,
        plain=([kind, ("Content-Length", str(len(body))), ("ETag", plain), *common], (body,)),
        compressed=(
            [
                kind,
                ("Content-Length", str(len(compressed_body))),
                ("Content-Encoding", "gzip"),
                ("ETag", compressed),
                *common,
            ],
            (compressed_body,),
        ),
        unchanged=([("ETag", plain), *common], [("ETag", compressed), *common]),
        is_feed=headers is None,
    )


HEALTH_RESPONSES = {
    "/healthz": build_response(
        b"ok\n", "text/plain; charset=utf-8", None, [("Cache-Control", "no-store")]
    )
}
"""The liveness check, by path; it does not depend on the database."""


class ResponseCache(BoundedCache[Key, StoredResponse], Generic[Key]):
    """A thread-safe LRU cache of responses, limited in bytes including overhead."""

    def __init__(self, max_bytes: int) -> None:
        super().__init__(max_bytes, _measure)


def _measure(key: object, response: StoredResponse) -> int:
    """Return the memory of a cache entry in bytes; a character takes up to four bytes."""
    return response.size + _OVERHEAD_BYTES + 4 * len(repr(key))


class ResponseSource(Protocol):
    """A source of stored responses."""

    @property
    def responses(self) -> Mapping[str, StoredResponse]:
        """The responses made in advance, by path."""

    def find(self, path: str, query: str) -> StoredResponse | None:
        """Return any other response, made on first use; None if there is none."""


class StoredResponseMiddleware:
    """WSGI middleware that serves stored responses; other requests go to `application`.

    `source` may be replaced at any time; each request uses one source. GET requests of feeds are
    counted in `poll_counter`, if given.
    """

    def __init__(
        self,
        application: Application,
        source: ResponseSource,
        poll_counter: PollCounter | None = None,
    ) -> None:
        self._application = application
        self.source = source
        self._poll_counter = poll_counter

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
        if method not in ("GET", "HEAD"):
            return self._application(environ, start_response)
        response = find_response(self.source, path, environ.get("QUERY_STRING", ""))
        if response is None:
            return self._application(environ, start_response)
        body = respond(response, environ, start_response)
        if self._poll_counter is not None and response.is_feed and method == "GET":
            size = len(body[0]) if body else None
            self._poll_counter.count(path, environ.get("HTTP_USER_AGENT", ""), size)
        return body


def find_response(source: ResponseSource, path: str, query: str) -> StoredResponse | None:
    """Return the stored response to a GET or HEAD of a URL, if there is one."""
    response = source.responses.get(path)
    if response is None or query:
        response = source.find(path, query) or HEALTH_RESPONSES.get(path)
    return response


def respond(
    response: StoredResponse, environ: Mapping[str, Any], start_response: StartResponse
) -> tuple[bytes, ...]:
    """Respond to a GET or HEAD with a stored response, or with 304."""
    environ.get(STORED_RESPONSES, []).append(response)
    status, headers, body = response.choose(
        environ.get("HTTP_ACCEPT_ENCODING", ""),
        environ.get("HTTP_IF_NONE_MATCH"),
        environ.get("HTTP_IF_MODIFIED_SINCE"),
    )
    start_response(_PHRASES[status], headers)
    return (body,) if status == 200 and environ["REQUEST_METHOD"] == "GET" else ()


def _accepts_gzip(accept_encoding: str) -> bool:
    """Check whether Accept-Encoding allows gzip and does not prefer identity (RFC 9110, 12.5.3)."""
    too_long = len(accept_encoding) > _MAX_ACCEPT_ENCODING_LENGTH
    return not too_long and _prefers_gzip(accept_encoding)


# Clients send few different values.
@lru_cache(maxsize=256)
def _prefers_gzip(accept_encoding: str) -> bool:
    weights = parse_accept_header(accept_encoding.lower().replace("x-gzip", "gzip"))
    return weights.quality("gzip") > 0 and weights.quality("gzip") >= weights.quality("identity")
