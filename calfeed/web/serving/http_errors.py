"""Error responses that a frontend makes by itself, without the backend."""

from __future__ import annotations

from http import HTTPStatus

from calfeed.web.published.responses import Headers

_RETRY_SECONDS = {HTTPStatus.SERVICE_UNAVAILABLE: "2", HTTPStatus.TOO_MANY_REQUESTS: "5"}

# The rest of the body is not read, so the connection cannot be used again.
_CLOSING = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE}


class HttpError(Exception):
    """An error response: its status, and a sentence for people."""

    def __init__(self, status: HTTPStatus, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail

    @property
    def headers(self) -> Headers:
        """The headers of the response, with Retry-After where a retry helps."""
        headers = [("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store")]
        if self.status in _RETRY_SECONDS:
            headers.append(("Retry-After", _RETRY_SECONDS[self.status]))
        if self.status in _CLOSING:
            headers.append(("Connection", "close"))
        return headers
