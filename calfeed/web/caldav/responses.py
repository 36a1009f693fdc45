"""The responses of the CalDAV server: multistatus bodies, plain and compressed, and refusals."""

from __future__ import annotations

import gzip
from functools import cached_property
from http import HTTPStatus

from flask import Response, request

from calfeed.web.caldav.xml.multistatus import write_error
from calfeed.web.published.responses import Headers, StoredResponse

XML_TYPE = "application/xml; charset=utf-8"

_MIN_COMPRESSED = 1_000
"""In bytes; smaller responses fit into one packet anyway."""


class RefusedError(Exception):
    """A request that is refused: its status, and the condition that failed (RFC 4918, 16)."""

    def __init__(self, status: HTTPStatus, condition: str, content: str = "") -> None:
        super().__init__(condition)
        self.status = status
        self.condition = condition
        self.content = content

    def make_response(self) -> Response:
        body = write_error(self.condition, self.content)
        return Response(body, self.status, content_type=XML_TYPE)


class Multistatus:
    """The body of a 207, plain and compressed."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    @property
    def size(self) -> int:
        """The size of the plain body in bytes; the compressed one is much smaller."""
        return len(self.body)

    @cached_property
    def compressed(self) -> bytes:
        return gzip.compress(self.body, 6, mtime=0)

    def store(self, headers: Headers) -> StoredResponse:
        """Return a response that frontends cache, with additional headers."""
        kept = [("Content-Type", XML_TYPE), ("Vary", "Accept-Encoding, Authorization"), *headers]

        def represent(body: bytes, *more: tuple[str, str]) -> tuple[Headers, tuple[bytes, ...]]:
            return [*kept, ("Content-Length", str(len(body))), *more], (body,)

        return StoredResponse(
            etags=frozenset(),
            modified=None,
            plain=represent(self.body),
            compressed=represent(self.compressed, ("Content-Encoding", "gzip")),
            unchanged=([], []),
            is_feed=False,
            status=HTTPStatus.MULTI_STATUS,
        )

    def make_response(self) -> Response:
        """Make the response to the current request."""
        accepted = request.accept_encodings
        compress = len(self.body) >= _MIN_COMPRESSED and accepted["gzip"] > 0
        body = self.compressed if compress else self.body
        response = Response(body, HTTPStatus.MULTI_STATUS, content_type=XML_TYPE)
        if compress:
            response.content_encoding = "gzip"
        response.vary.update(["Accept-Encoding", "Authorization"])
        return response
