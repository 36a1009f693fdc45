"""Headers of an operator's own, which go along with every message to an endpoint.

They are there for what a receiver asks for before it looks at a signature: a token, mostly. So
no error repeats a value, nor what may be one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from calfeed.errors import InvalidInputError

_MOST = 20
_LONGEST = 4096

# RFC 9110: a token (5.6.2); visible characters with blanks between them (5.5), ASCII only.
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}", re.ASCII)
_VALUE = re.compile(r"[!-~](?:[ -~\t]*[!-~])?", re.ASCII)

# What calfeed itself says, and what belongs to the connection (RFC 9110, 7.6.1).
_TAKEN = {
    *("content-encoding", "content-length", "content-type", "expect", "host"),
    *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection"),
    *("http2-settings", "te", "trailer", "transfer-encoding", "upgrade"),
}


def parse_headers(lines: Iterable[str]) -> dict[str, str]:
    """Read headers written `Name: value`.

    Raises InvalidInputError for what is not one, for a name that is taken, and for one that is
    there twice. No value is in the message.
    """
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        name, value = name.strip(), value.strip()
        if not colon or not _NAME.fullmatch(name):
            raise InvalidInputError(
                'a header is written "Name: value", with a name of letters, digits and - (what '
                "was given is not repeated here, to keep it secret)"
            )
        if name.lower() in _TAKEN or name.lower().startswith("webhook-"):
            raise InvalidInputError(f"the header {name} is set by calfeed itself; leave it out")
        if len(value) > _LONGEST or not _VALUE.fullmatch(value):
            raise InvalidInputError(
                f"the value of the header {name} has to be visible ASCII characters with blanks "
                f"between them, from 1 to {_LONGEST} in all"
            )
        if find_header(headers, name) is not None:
            raise InvalidInputError(f"the header {name} is given twice")
        headers[name] = value
    if len(headers) > _MOST:
        raise InvalidInputError(f"an endpoint can have {_MOST} headers of its own, not more")
    return headers


def change_headers(
    headers: Mapping[str, str], added: Mapping[str, str], removed: Iterable[str]
) -> dict[str, str]:
    """Headers without those that are removed, and with those that are added in their place.

    Raises InvalidInputError for the removal of one that is not there, and for too many.
    """
    changed = dict(headers)
    for name in removed:
        known = find_header(changed, name)
        if known is None:
            there = ", ".join(changed) or "none"
            raise InvalidInputError(f'the endpoint has no header "{name}"; it has {there}')
        del changed[known]
    for name in added:
        known = find_header(changed, name)
        if known is not None:
            del changed[known]
    return parse_headers(f"{name}: {value}" for name, value in {**changed, **added}.items())


def find_header(headers: Mapping[str, str], name: str) -> str | None:
    """The name of a header as it stands among these, whatever its case."""
    return next((each for each in headers if each.lower() == name.strip().lower()), None)
