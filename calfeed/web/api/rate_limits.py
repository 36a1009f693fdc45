"""Rate limits by token or client network, counted in this process."""

from __future__ import annotations

import time
from collections.abc import Iterable
from http import HTTPStatus

from flask import Flask, Response, abort, g
from limits import RateLimitItem, WindowStats, parse
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter


class RateLimit:
    """A rate limit in the notation of the library limits: "600 per minute"."""

    def __init__(self, rate: str) -> None:
        self._rate = parse(rate)
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    def count(self, client: str) -> None:
        """Count a request of a client; abort with 429 if the limit is exceeded."""
        allowed = self._limiter.hit(self._rate, client)
        g.rate_limit = self._rate, self._limiter.get_window_stats(self._rate, client)
        if not allowed:
            abort(HTTPStatus.TOO_MANY_REQUESTS)


def add_rate_limit_headers(app: Flask) -> None:
    """Add the X-RateLimit headers to the responses of counted requests."""

    @app.after_request
    def add(response: Response) -> Response:
        if "rate_limit" in g:
            response.headers.extend(_headers(*g.rate_limit))
            if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
                response.headers["Retry-After"] = str(_retry_seconds(g.rate_limit[1]))
        return response


def _headers(rate: RateLimitItem, use: WindowStats) -> Iterable[tuple[str, str]]:
    yield "X-RateLimit-Limit", str(rate.amount)
    yield "X-RateLimit-Remaining", str(use.remaining)
    yield "X-RateLimit-Reset", str(int(use.reset_time))


def _retry_seconds(use: WindowStats) -> int:
    return max(1, round(use.reset_time - time.time()))
