"""Which requests a front takes at all: those that HTTP allows, and that can have an answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING

from calfeed.web.pages.query import LONGEST
from calfeed.web.published.responses import Headers
from calfeed.web.serving.refusals import RefusedError

if TYPE_CHECKING:
    from granian.rsgi import Scope

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

# A name, an IPv4 address, or an IPv6 address in brackets, and perhaps a port (RFC 9110, 7.2).
_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[\w.~%!$&'()*+,;=-]+)(?::[0-9]*)?", re.ASCII)

_BAD_HOST = RefusedError(
    HTTPStatus.BAD_REQUEST, "Bad request: exactly one valid Host header is required."
)
_BAD_METHOD = RefusedError(HTTPStatus.NOT_IMPLEMENTED, "There is no such method here.")
_BAD_PATH = RefusedError(HTTPStatus.BAD_REQUEST, "Bad request: a path begins with a slash.")
_TOO_LONG = RefusedError(
    HTTPStatus.REQUEST_URI_TOO_LONG,
    f"The part of an address after ? has at most {LONGEST:,} characters.",
)


def find_fault(scope: Scope, listed: Headers, headers: Mapping[str, str]) -> RefusedError | None:
    """Why a request is not taken; None for one that is. `headers` are those `listed`, by name.

    A second Host header, or one that is not valid, is refused (RFC 9112, 3.2). HTTP/1.0 has none.
    """
    host = headers.get("host", "")
    if len(headers) != len(listed) and sum(name == "host" for name, _ in listed) > 1:
        return _BAD_HOST
    if not (_HOST.fullmatch(host) if host else scope.http_version == "1"):
        return _BAD_HOST
    if scope.method not in _METHODS:  # they are case-sensitive (RFC 9110, 9.1); werkzeug's are not
        return _BAD_METHOD
    if not scope.path.startswith("/"):
        return _BAD_PATH
    return _TOO_LONG if len(scope.query_string) > LONGEST else None
