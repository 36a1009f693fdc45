"""Bodies of requests: read as a whole, up to a size and within a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable
from http import HTTPStatus

from calfeed.web.serving.refusals import RefusedError

LARGEST = 262_144
"""Bytes of a body. The applications take less; this one is for all of them."""

SECONDS = 10.0
"""How long a body may take to arrive, from the request's header on."""

_MOST_HELD = 64_000_000
"""Bytes of all bodies that a process holds before they are whole."""


class Bodies:
    """Reads bodies, with a bound on the bytes of all unfinished ones."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._held = 0

    async def read(self, arriving: AsyncIterable[bytes], length: str) -> bytes:
        """The body of a request; `length` is its Content-Length, "" where it has none.

        Raises RefusedError: 400 for one that breaks off, 413 for one that is too large, 408 for one
        that does not end in time, 503 where so much is being read already that there is no place
        for it.
        """
        if length.isdecimal() and (len(length) > 9 or int(length) > LARGEST):
            raise _too_large()
        parts: list[bytes] = []
        size = empty = 0
        try:
            async with asyncio.timeout(self._seconds):
                async for part in arriving:
                    size += len(part)
                    empty += not part
                    self._held += len(part)
                    if size > LARGEST:
                        raise _too_large()
                    if self._held > _MOST_HELD:
                        raise RefusedError(
                            HTTPStatus.SERVICE_UNAVAILABLE,
                            "Too much is being sent for now; try again soon.",
                        )
                    parts.append(part)
        except TimeoutError:
            raise RefusedError(
                HTTPStatus.REQUEST_TIMEOUT,
                f"The request's body did not arrive within {self._seconds:g} seconds.",
            ) from None
        finally:
            self._held -= size
        if empty > 1:
            # granian gives an empty part at the end of a body. Where the client has gone, or what
            # it sends cannot be read, there is another one before that. (Trailers, which no client
            # of ours sends, look the same.)
            raise RefusedError(HTTPStatus.BAD_REQUEST, "The request's body broke off.")
        return b"".join(parts)


def _too_large() -> RefusedError:
    return RefusedError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"A request's body has at most {LARGEST:,} bytes."
    )
