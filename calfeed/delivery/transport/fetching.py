"""Fetch one file from elsewhere, past the same guard as every message that goes out."""

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

_SECONDS = 15.0
_CONNECT_SECONDS = 5.0
_MOST_REDIRECTS = 3
_HEADERS = {"Accept": "text/calendar, */*;q=0.1", "User-Agent": f"calfeed/{__version__}"}


def fetch(
    url: str,
    *,
    allow_private: bool = False,
    egress_proxy: str | None = None,
    ca_file: str | None = None,
    most_bytes: int,
    seconds: float = _SECONDS,
) -> bytes:
    """Fetch a file by http, https or webcal, which is https by another name.

    At most three redirects are followed, none from https to http. Every connection passes the
    address guard unless `allow_private`; with `egress_proxy` (a URL) it is the proxy that connects
    and that has to guard. `ca_file` (PEM) replaces the system's certificate authorities.
    `most_bytes` counts the body unpacked, `seconds` is the limit for all of it. Raises
    InvalidInputError, which repeats nothing of the URL but its host, for whatever goes wrong.
    """
    deadline = time.monotonic() + seconds
    guarded = not allow_private and egress_proxy is None
    transfer = _Get(make_options(egress_proxy, ca_file), guarded, most_bytes)
    try:
        for _ in range(_MOST_REDIRECTS + 1):
            target = check_url(re.sub("^webcals?:", "https:", url, flags=re.I), allow_private)
            outcome = transfer.get(target, max(0.001, deadline - time.monotonic()))
            if outcome.error is not None:
                raise InvalidInputError(f"{_host(target)}: {outcome.error}")
            if outcome.status == 200:
                return bytes(transfer.body)
            url = transfer.location
            if not url:
                raise InvalidInputError(f"{_host(target)} answers {outcome.status}, not 200")
            if target.startswith("https:") and not url.lower().startswith("https:"):
                raise InvalidInputError(f"{_host(target)} leads from https to http; refused")
        raise InvalidInputError(f"there are more than {_MOST_REDIRECTS} redirects")
    finally:
        transfer.curl.close()


class _Get(Transfer):
    """A transfer that fetches: the whole body is kept, and where a redirect leads to."""

    def __init__(self, options: Mapping[int, Any], guarded: bool, most_bytes: int) -> None:
        more = {
            pycurl.ACCEPT_ENCODING: "",  # all that libcurl can unpack
            pycurl.CONNECTTIMEOUT_MS: int(_CONNECT_SECONDS * 1000),
        }
        super().__init__({**options, **more}, guarded)
        self.body = bytearray()
        self._most_bytes = most_bytes
        self.curl.setopt(pycurl.WRITEFUNCTION, self._keep)

    def get(self, url: str, seconds: float) -> Outcome:
        """Fetch a URL that `check_url` returned; what came is in `body`."""
        self.body.clear()
        self.prepare(Request("fetch", url, _HEADERS, b""))
        self.curl.setopt(pycurl.HTTPGET, 1)
        self.curl.setopt(pycurl.TIMEOUT_MS, max(1, int(seconds * 1000)))
        try:
            self.curl.perform()
        except pycurl.error as error:
            if len(self.body) > self._most_bytes:
                raise InvalidInputError(
                    f"{_host(url)}: the file is larger than {self._most_bytes:,} bytes"
                ) from error
            return self.outcome(*error.args)
        return self.outcome()

    @property
    def location(self) -> str:
        """Where a redirect leads to, as a whole URL; empty where there is none."""
        location: str = self.curl.getinfo(pycurl.REDIRECT_URL) or ""
        return location.partition("#")[0]

    def _keep(self, chunk: bytes) -> int:
        self.body += chunk
        return len(chunk) if len(self.body) <= self._most_bytes else 0


def _host(url: str) -> str:
    return urlsplit(url).hostname or "the server"
