"""Read request bodies completely, with limits on size, time and memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable
from http import HTTPStatus

from calfeed.web.serving.http_errors import HttpError

MAX_BODY_BYTES = 262_144
"""The limit for all requests but REPORT; most applications have a lower limit of their own."""

MAX_REPORT_BYTES = 4_000_000
"""The limit for REPORT, in which a CalDAV client can list the URLs of about 20,000 events."""

BODY_TIMEOUT_SECONDS = 10.0
"""How long a body may take to arrive after the request's header."""

_MAX_BUFFERED_BYTES = 64_000_000
"""The maximum total size of the incomplete bodies in a process."""


class BodyReader:
    """Reads bodies, with a limit on the total size of the incomplete ones."""

    def __init__(self, seconds: float = BODY_TIMEOUT_SECONDS) -> None:
        self._seconds = seconds
        self._buffered = 0

    async def read(
        self, chunks: AsyncIterable[bytes], length: str, max_bytes: int = MAX_BODY_BYTES
    ) -> bytes:
        """Read a body; `length` is its Content-Length, "" if there is none.

        Raises HttpError: 400 for an incomplete body, 413 for one that is too large, 408 for one
        that is too slow, 503 while the buffers are full.
        """
        if length.isdecimal() and (len(length) > 9 or int(length) > max_bytes):
            raise _too_large(max_bytes)
        parts: list[bytes] = []
        size = empty = 0
        try:
            async with asyncio.timeout(self._seconds):
                async for chunk in chunks:
                    size += len(chunk)
                    empty += not chunk
                    self._buffered += len(chunk)
                    if size > max_bytes:
                        raise _too_large(max_bytes)
                    if self._buffered > _MAX_BUFFERED_BYTES:
                        raise HttpError(
                            HTTPStatus.SERVICE_UNAVAILABLE,
                            "The server is receiving too much data; try again soon.",
                        )
                    parts.append(chunk)
        except TimeoutError:
            raise HttpError(
                HTTPStatus.REQUEST_TIMEOUT,
                f"The request body did not arrive within {self._seconds:g} seconds.",
            ) from None
        finally:
            self._buffered -= size
        if empty > 1:
            # granian yields one empty chunk at the end of a body, and another one before it if the
            # client disconnected or sent invalid data. (Trailers look the same; no known client
            # sends them.)
            raise HttpError(HTTPStatus.BAD_REQUEST, "The request body is incomplete.")
        return b"".join(parts)


def _too_large(max_bytes: int) -> HttpError:
    return HttpError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"The request body must have at most {max_bytes:,} bytes.",
    )
