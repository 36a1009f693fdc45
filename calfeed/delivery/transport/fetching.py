"""Fetch a remote file, under the same address guard as messages."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import pycurl

from calfeed import __version__
from calfeed.delivery.transport.egress import make_options
from calfeed.delivery.transport.guard import check_url
from calfeed.delivery.transport.transfer import Request, Transfer
from calfeed.errors import InvalidInputError
from calfeed.reminders.retry import Outcome

_TIMEOUT_SECONDS = 15.0
_CONNECT_TIMEOUT_SECONDS = 5.0
_MAX_REDIRECTS = 3
_MAX_PING_RESPONSE_BYTES = 64 * 1024
_HEADERS = {"Accept": "text/calendar, */*;q=0.1", "User-Agent": f"calfeed/{__version__}"}


def fetch(
    url: str,
    *,
    allow_private: bool = False,
    egress_proxy: str | None = None,
    ca_file: str | None = None,
    max_bytes: int,
    seconds: float = _TIMEOUT_SECONDS,
) -> bytes:
    """Fetch a file by http, https or webcal, which is an alias of https.

    Follows at most three redirects, none from https to http. Refuses connections to private
    addresses unless `allow_private`; with `egress_proxy` (a URL) the proxy connects and has to
    check addresses itself. `ca_file` (PEM) replaces the system's certificate authorities.
    `max_bytes` limits the decompressed body, `seconds` the whole fetch. Raises InvalidInputError
    for every failure; its text has only the host of the URL.
    """
    deadline = time.monotonic() + seconds
    guarded = not allow_private and egress_proxy is None
    transfer = _Get(make_options(egress_proxy, ca_file), guarded, max_bytes)
    try:
        for _ in range(_MAX_REDIRECTS + 1):
            target = check_url(re.sub("^webcals?:", "https:", url, flags=re.I), allow_private)
            outcome = transfer.get(target, max(0.001, deadline - time.monotonic()))
            if outcome.error is not None:
                raise InvalidInputError(f"{_host(target)}: {outcome.error}")
            if outcome.status == 200:
                return bytes(transfer.body)
            url = transfer.location
            if not url:
                raise InvalidInputError(f"{_host(target)} responds with {outcome.status}, not 200")
            if target.startswith("https:") and not url.lower().startswith("https:"):
                raise InvalidInputError(
                    f"{_host(target)} redirects from https to http, which is refused"
                )
        raise InvalidInputError(f"there are more than {_MAX_REDIRECTS} redirects")
    finally:
        transfer.curl.close()


def ping(url: str, *, allow_private: bool = False, egress_proxy: str | None = None) -> None:
    """Send a GET whose response does not matter, with the same checks as `fetch`.

    Redirects are not followed. Raises InvalidInputError for every failure, including any status
    other than 2xx; its text has only the host of the URL.
    """
    target = check_url(url, allow_private)
    guarded = not allow_private and egress_proxy is None
    transfer = _Get(make_options(egress_proxy), guarded, _MAX_PING_RESPONSE_BYTES)
    try:
        outcome = transfer.get(target, _TIMEOUT_SECONDS)
    finally:
        transfer.curl.close()
    if not outcome.received:
        reason = outcome.error or f"it responds with {outcome.status}"
        raise InvalidInputError(f"{_host(target)}: {reason}")


class _Get(Transfer):
    """A GET transfer, which keeps the whole body and the target of a redirect."""

    def __init__(self, options: Mapping[int, Any], guarded: bool, max_bytes: int) -> None:
        more = {
            pycurl.ACCEPT_ENCODING: "",  # every encoding that libcurl supports
            pycurl.CONNECTTIMEOUT_MS: int(_CONNECT_TIMEOUT_SECONDS * 1000),
        }
        super().__init__({**options, **more}, guarded)
        self.body = bytearray()
        self._max_bytes = max_bytes
        self.curl.setopt(pycurl.WRITEFUNCTION, self._keep)

    def get(self, url: str, seconds: float) -> Outcome:
        """Fetch a URL that `check_url` returned, into `body`."""
        self.body.clear()
        self.prepare(Request("fetch", url, _HEADERS, b""))
        self.curl.setopt(pycurl.HTTPGET, 1)
        self.curl.setopt(pycurl.TIMEOUT_MS, max(1, int(seconds * 1000)))
        try:
            self.curl.perform()
        except pycurl.error as error:
            if len(self.body) > self._max_bytes:
                raise InvalidInputError(
                    f"{_host(url)}: the file is larger than {self._max_bytes:,} bytes"
                ) from error
            return self.outcome(*error.args)
        return self.outcome()

    @property
    def location(self) -> str:
        """The absolute URL of a redirect; empty if there is none."""
        location: str = self.curl.getinfo(pycurl.REDIRECT_URL) or ""
        return location.partition("#")[0]

    def _keep(self, chunk: bytes) -> int:
        self.body += chunk
        return len(chunk) if len(self.body) <= self._max_bytes else 0


def _host(url: str) -> str:
    return urlsplit(url).hostname or "the server"
