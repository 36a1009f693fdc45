"""Checks of a request line and its headers, before a frontend looks anything up."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING

from calfeed.web.pages.query import MAX_QUERY_LENGTH
from calfeed.web.published.responses import Headers
from calfeed.web.serving.http_errors import HttpError
from calfeed.web.serving.request_bodies import MAX_BODY_BYTES, MAX_REPORT_BYTES

if TYPE_CHECKING:
    from granian.rsgi import Scope

METHODS = frozenset(
    {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
    # WebDAV (RFC 4918, RFC 3744, RFC 4791)
    | {"PROPFIND", "REPORT", "PROPPATCH", "MKCALENDAR", "MKCOL"}
    | {"COPY", "MOVE", "LOCK", "UNLOCK", "ACL"}
)
"""The methods that any URL of the site handles, if only by a refusal; all others get 501."""

CALDAV_PREFIX = "/dav/"
"""The beginning of the paths of the CalDAV server."""

# A name, an IPv4 address or an IPv6 address in brackets, with an optional port (RFC 9110, 7.2).
_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[\w.~%!$&'()*+,;=-]+)(?::[0-9]*)?", re.ASCII)

_BAD_HOST = HttpError(
    HTTPStatus.BAD_REQUEST, "Bad request: exactly one valid Host header is required."
)
_BAD_METHOD = HttpError(HTTPStatus.NOT_IMPLEMENTED, "This method is not supported.")
_BAD_PATH = HttpError(HTTPStatus.BAD_REQUEST, "Bad request: the path must begin with a slash.")
_TOO_LONG = HttpError(
    HTTPStatus.REQUEST_URI_TOO_LONG,
    f"The query string must have at most {MAX_QUERY_LENGTH:,} characters.",
)


def find_request_error(
    scope: Scope, listed: Headers, headers: Mapping[str, str]
) -> HttpError | None:
    """Return the error response for an invalid request, None if the request is valid.

    `headers` are the `listed` headers by name. A second or an invalid Host header is refused
    (RFC 9112, 3.2); HTTP/1.0 requests need no Host header.
    """
    host = headers.get("host", "")
    if len(headers) != len(listed) and sum(name == "host" for name, _ in listed) > 1:
        return _BAD_HOST
    if not (_HOST.fullmatch(host) if host else scope.http_version == "1"):
        return _BAD_HOST
    if scope.method not in METHODS:  # case-sensitive (RFC 9110, 9.1), unlike in Werkzeug
        return _BAD_METHOD
    if not scope.path.startswith("/"):
        return _BAD_PATH
    return _TOO_LONG if len(scope.query_string) > MAX_QUERY_LENGTH else None


def find_body_limit(method: str, path: str) -> int:
    """Return how many bytes the body of a request may have."""
    is_report = method == "REPORT" and path.startswith(CALDAV_PREFIX)
    return MAX_REPORT_BYTES if is_report else MAX_BODY_BYTES
