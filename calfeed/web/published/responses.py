"""Answers that are settled before they are asked for: a request only looks one up.

Headers, validators and compressed bytes are made once for each publish; what is left for a
request is one look-up and a comparison. The fronts do it (`front.py`), and so does `LookUp`,
middleware before Flask in the shape of WhiteNoise.
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

from calfeed.web.published.bounded_cache import Kept
from calfeed.web.serving.poll_tally import Tally

Headers: TypeAlias = list[tuple[str, str]]
StartResponse: TypeAlias = Callable[..., Any]
Application: TypeAlias = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]

Key = TypeVar("Key")

_HELD_BESIDE = 4_000
"""Bytes that an answer takes beside its bodies: headers, validators, its place among others."""

_LONGEST_ACCEPTED = 500
"""Characters of an Accept-Encoding that is read."""

SETTLED = "calfeed.settled"
"""The entry of a WSGI environment that is a list, to which the answer is added that was looked up.

Whoever runs the application learns by it that the response holds for other requests, too.
"""

_PHRASES = {200: "200 OK", 304: "304 Not Modified"}

_FEED = [
    ("Cache-Control", "public, max-age=60"),
    ("Vary", "Accept-Encoding"),
    ("Access-Control-Allow-Origin", "*"),
    ("X-Content-Type-Options", "nosniff"),
]


@dataclass(frozen=True, slots=True)
class Answer:
    """One resource in both its forms: as it is, and compressed.

    The two are different bytes, so they have different ETags (RFC 9110, 8.8.3); either of them
    answers If-None-Match. `unchanged` are the headers of a 304, for the one and for the other;
    `modified` is None where no date stands for what it says. `is_feed` says whether requests for
    it are counted.
    """

    etags: frozenset[str]
    modified: str | None
    plain: tuple[Headers, tuple[bytes, ...]]
    compressed: tuple[Headers, tuple[bytes, ...]]
    unchanged: tuple[Headers, Headers]
    is_feed: bool

    @property
    def size(self) -> int:
        """How many bytes both forms take."""
        return sum(len(part) for _, body in (self.plain, self.compressed) for part in body)

    def choose(
        self, accepted: str, none_match: str | None, modified_since: str | None
    ) -> tuple[int, Headers, bytes]:
        """The status, headers and body for a GET with these three headers (RFC 9110, 12.5, 13.1).

        `accepted` is Accept-Encoding, "" where there is none.
        """
        packed = _accepts_gzip(accepted)
        if self._is_unchanged(none_match, modified_since):
            return 304, self.unchanged[packed], b""
        headers, (body,) = self.compressed if packed else self.plain
        return 200, headers, body

    def _is_unchanged(self, none_match: str | None, modified_since: str | None) -> bool:
        """Whether the client has these bytes (RFC 9110, 13.1)."""
        if none_match is not None:
            if none_match in self.etags or none_match == "*":
                return True
            return any(tag.strip() in self.etags for tag in none_match.split(","))
        # A date is compared as it was given out: a feed that went back in time is sent again.
        return self.modified is not None and self.modified == modified_since


def transport_headers(base_url: str) -> Headers:
    """HSTS for a year (RFC 6797), where the public URL is https; otherwise no header."""
    https = base_url.startswith("https:")
    return [("Strict-Transport-Security", "max-age=31536000")] if https else []


def make_answer(
    body: bytes,
    content_type: str,
    modified: datetime | None,
    headers: Headers | None = None,
    *,
    base_url: str = "",
) -> Answer:
    """Settle everything about an answer. Equal arguments give equal bytes in every process.

    `headers` are said with it in the place of a feed's own, where it is no feed; to a feed's own
    belongs what `base_url` asks for.
    """
    digest = hashlib.sha256(body).hexdigest()[:32]
    # No time stamp inside, so that the content alone determines the bytes.
    packed = gzip.compress(body, 9, mtime=0)
    plain, compressed = f'"{digest}"', f'"{digest}-gzip"'
    stamp = format_datetime(modified, usegmt=True) if modified else None
    dated = [("Last-Modified", stamp)] if stamp else []
    feed = [*_FEED, *transport_headers(base_url)]
    common = [*dated, *(feed if headers is None else headers)]
    kind = ("Content-Type", content_type)
    return Answer(
        etags=frozenset({plain, compressed, f"W/{plain}", f"W/{compressed}"}),
        modified=stamp,
        plain=([kind, ("Content-Length", str(len(body))), ("ETag", plain), *common], (body,)),
        compressed=(
            [
                kind,
                ("Content-Length", str(len(packed))),
                ("Content-Encoding", "gzip"),
                ("ETag", compressed),
                *common,
            ],
            (packed,),
        ),
        unchanged=([("ETag", plain), *common], [("ETag", compressed), *common]),
        is_feed=headers is None,
    )


HEALTH = {
    "/healthz": make_answer(
        b"ok\n", "text/plain; charset=utf-8", None, [("Cache-Control", "no-store")]
    )
}
"""What a process answers for as long as it answers anything, by path."""


class KeptAnswers(Kept[Key, Answer], Generic[Key]):
    """Answers, those used last, up to a number of bytes with what holds them; for many threads."""

    def __init__(self, most_bytes: int) -> None:
        super().__init__(most_bytes, _measure)


def _measure(key: object, answer: Answer) -> int:
    """How many bytes an answer takes under its key: a character takes up to four."""
    return answer.size + _HELD_BESIDE + 4 * len(repr(key))


class Feeds(Protocol):
    """What can be looked up: answers settled before, by path, and those settled when asked for."""

    @property
    def answers(self) -> Mapping[str, Answer]:
        """The answers by path."""

    def find(self, path: str, query: str) -> Answer | None:
        """The answer for a path and a query; None where there is none here."""


class LookUp:
    """WSGI middleware: feeds are answered here, everything else by `application`.

    `feeds` may be replaced at any time; a request uses one or the other. Each GET of a feed is
    counted in `tally`, where there is one.
    """

    def __init__(self, application: Application, feeds: Feeds, tally: Tally | None = None) -> None:
        self._application = application
        self.feeds = feeds
        self._tally = tally

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
        if method not in ("GET", "HEAD"):
            return self._application(environ, start_response)
        answer = find(self.feeds, path, environ.get("QUERY_STRING", ""))
        if answer is None:
            return self._application(environ, start_response)
        body = respond(answer, environ, start_response)
        if self._tally is not None and answer.is_feed and method == "GET":
            size = len(body[0]) if body else None
            self._tally.count(path, environ.get("HTTP_USER_AGENT", ""), size)
        return body


def find(feeds: Feeds, path: str, query: str) -> Answer | None:
    """The answer to a GET or HEAD of this address; None where it is not settled."""
    answer = feeds.answers.get(path)
    if answer is None or query:
        answer = feeds.find(path, query) or HEALTH.get(path)
    return answer


def respond(
    answer: Answer, environ: Mapping[str, Any], start_response: StartResponse
) -> tuple[bytes, ...]:
    """Answer a GET or HEAD: 304 to who has these bytes, else the form that is accepted."""
    environ.get(SETTLED, []).append(answer)
    status, headers, body = answer.choose(
        environ.get("HTTP_ACCEPT_ENCODING", ""),
        environ.get("HTTP_IF_NONE_MATCH"),
        environ.get("HTTP_IF_MODIFIED_SINCE"),
    )
    start_response(_PHRASES[status], headers)
    return (body,) if status == 200 and environ["REQUEST_METHOD"] == "GET" else ()


def _accepts_gzip(accepted: str) -> bool:
    """Whether Accept-Encoding asks for gzip (RFC 9110, 12.5.3), and not rather for plain bytes.

    What is absurdly long asks for nothing.
    """
    return len(accepted) <= _LONGEST_ACCEPTED and _read_accepted(accepted)


# Clients send few different ones; whoever sends others has them read each time.
@lru_cache(maxsize=256)
def _read_accepted(accepted: str) -> bool:
    weights = parse_accept_header(accepted.lower().replace("x-gzip", "gzip"))
    return weights.quality("gzip") > 0 and weights.quality("gzip") >= weights.quality("identity")
