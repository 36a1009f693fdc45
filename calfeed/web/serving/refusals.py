"""What a front says of a request that it does not take."""

from __future__ import annotations

from http import HTTPStatus

from calfeed.web.published.responses import Headers

# Browsers and calendar apps come back by themselves.
_AGAIN = {HTTPStatus.SERVICE_UNAVAILABLE: "2", HTTPStatus.TOO_MANY_REQUESTS: "5"}

# What is left of the body is not read, so the connection is of no use any more.
_CLOSING = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE}


class RefusedError(Exception):
    """A request that is answered with an error: its status, and a sentence for people."""

    def __init__(self, status: HTTPStatus, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text

    @property
    def headers(self) -> Headers:
        """The headers to send with it: a time after which to try again, where that helps."""
        headers = [("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store")]
        if self.status in _AGAIN:
            headers.append(("Retry-After", _AGAIN[self.status]))
        if self.status in _CLOSING:
            headers.append(("Connection", "close"))
        return headers
