"""Custom headers, which are sent with every message to an endpoint.

Most contain tokens that a receiver requires in addition to the signature. So no error text quotes a
value, or input that may be one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from calfeed.errors import InvalidInputError

_MAX_HEADERS = 20
_MAX_VALUE_LENGTH = 4096

# RFC 9110: a token (5.6.2); visible ASCII characters and white space between them (5.5).
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}", re.ASCII)
_VALUE = re.compile(r"[!-~](?:[ -~\t]*[!-~])?", re.ASCII)

# Set by calfeed, or connection-specific (RFC 9110, 7.6.1).
_RESERVED = {
    *("content-encoding", "content-length", "content-type", "expect", "host"),
    *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection"),
    *("http2-settings", "te", "trailer", "transfer-encoding", "upgrade"),
    *("traceparent", "tracestate"),
}


def parse_headers(lines: Iterable[str]) -> dict[str, str]:
    """Parse headers written `Name: value`.

    Raises InvalidInputError, without any value, for invalid, reserved and repeated headers.
    """
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        name, value = name.strip(), value.strip()
        if not colon or not _NAME.fullmatch(name):
            raise InvalidInputError(
                'not a valid header; write "Name: value", with a name of letters, digits and - '
                "(the input is not shown, because it may be secret)"
            )
        if name.lower() in _RESERVED or name.lower().startswith("webhook-"):
            raise InvalidInputError(f"the header {name} is set by calfeed itself; leave it out")
        if len(value) > _MAX_VALUE_LENGTH or not _VALUE.fullmatch(value):
            raise InvalidInputError(
                f"the value of the header {name} must be 1 to {_MAX_VALUE_LENGTH} visible ASCII "
                "characters, with white space only between them"
            )
        if find_header(headers, name) is not None:
            raise InvalidInputError(f"the header {name} is given twice")
        headers[name] = value
    if len(headers) > _MAX_HEADERS:
        raise InvalidInputError(f"an endpoint can have at most {_MAX_HEADERS} custom headers")
    return headers


def change_headers(
    headers: Mapping[str, str], added: Mapping[str, str], removed: Iterable[str]
) -> dict[str, str]:
    """Return headers after removing some, and adding or replacing others.

    Raises InvalidInputError for the removal of a header that does not exist, and for too many.
    """
    changed = dict(headers)
    for name in removed:
        existing = find_header(changed, name)
        if existing is None:
            names = ", ".join(changed) or "none"
            raise InvalidInputError(f'the endpoint has no header "{name}"; it has {names}')
        del changed[existing]
    for name in added:
        existing = find_header(changed, name)
        if existing is not None:
            del changed[existing]
    return parse_headers(f"{name}: {value}" for name, value in {**changed, **added}.items())


def find_header(headers: Mapping[str, str], name: str) -> str | None:
    """Find a header's name regardless of case."""
    return next((header for header in headers if header.lower() == name.strip().lower()), None)
