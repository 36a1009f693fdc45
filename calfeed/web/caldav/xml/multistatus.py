"""Write the XML of responses: multistatus, properties, errors (RFC 4918, 13 and 16).

Properties come from tables: a function for each name, from a resource to the XML of its value, or
None if the resource has no such property.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, TypeAlias
from xml.sax.saxutils import escape, quoteattr

from calfeed.web.caldav.xml.requests import Wanted

Table: TypeAlias = Mapping[str, Callable[[Any], str | None]]

PREFIXES = {
    "DAV:": "D",
    "urn:ietf:params:xml:ns:caldav": "C",
    "http://calendarserver.org/ns/": "CS",
    "http://apple.com/ns/ical/": "A",
    "https://bitfire.at/webdav-push": "P",
}

_DECLARED = "".join(f' xmlns:{prefix}="{uri}"' for uri, prefix in PREFIXES.items())
_PROLOGUE = '<?xml version="1.0" encoding="utf-8"?>\n'


def write_element(name: str, content: str = "") -> str:
    """Write an element; `name` is in Clark notation, `content` is XML."""
    uri, _, local = name.rpartition("}")
    prefix = PREFIXES.get(uri[1:])
    # Any other namespace comes from the client's request, and is declared in the element.
    tag = f"{prefix}:{local}" if prefix else f"X:{local}" if uri else local
    declared = "" if prefix or not uri else f" xmlns:X={quoteattr(uri[1:])}"
    return f"<{tag}{declared}>{content}</{tag}>" if content else f"<{tag}{declared}/>"


def write_href(href: str) -> str:
    return f"<D:href>{escape(href)}</D:href>"


class ResponseWriter:
    """Writes the D:response elements of resources that share a table of properties."""

    def __init__(self, table: Table, wanted: Wanted, ordinary: Sequence[str] = ()) -> None:
        """`ordinary` are the properties in the response to allprop (RFC 4791, 5.2)."""
        self._names_only = wanted.names_only
        names = wanted.names
        if wanted.everything:
            names = tuple(table) if wanted.names_only else tuple(ordinary)
        self._asked = not wanted.everything
        self._known = [(name, table[name]) for name in names if name in table]
        # For a request for all properties, only existing ones are reported.
        asked = () if wanted.everything else names
        self._unknown = "".join(write_element(name) for name in asked if name not in table)

    def write(self, href: str, resource: Any) -> str:
        found, missing = [], self._unknown
        for name, find in self._known:
            value = find(resource)
            if value is not None:
                found.append(write_element(name, "" if self._names_only else value))
            elif self._asked:
                missing += write_element(name)
        parts = [_write_propstat("".join(found), HTTPStatus.OK)] if found or not missing else []
        if missing:
            parts.append(_write_propstat(missing, HTTPStatus.NOT_FOUND))
        return f"<D:response>{write_href(href)}{''.join(parts)}</D:response>"


def write_status(href: str, status: HTTPStatus) -> str:
    """Write the D:response of a resource that has only a status."""
    return f"<D:response>{write_href(href)}{_write_status(status)}</D:response>"


def write_refused_update(href: str, names: Iterable[str]) -> str:
    """Write the D:response of a PROPPATCH of properties that cannot be changed."""
    properties = "".join(write_element(name) for name in names)
    reason = "<D:error><D:cannot-modify-protected-property/></D:error>"
    propstat = _write_propstat(properties, HTTPStatus.FORBIDDEN, reason)
    return f"<D:response>{write_href(href)}{propstat}</D:response>"


def write_multistatus(responses: Iterable[str], sync_token: str | None = None) -> bytes:
    """Write a whole multistatus; only a sync-collection report has a `sync_token`."""
    end = "" if sync_token is None else f"<D:sync-token>{escape(sync_token)}</D:sync-token>"
    text = "".join(responses)
    return f"{_PROLOGUE}<D:multistatus{_DECLARED}>{text}{end}</D:multistatus>\n".encode()


def write_error(condition: str, content: str = "") -> bytes:
    """Write the body of an error: the condition that failed, in Clark notation."""
    return (
        f"{_PROLOGUE}<D:error{_DECLARED}>{write_element(condition, content)}</D:error>\n".encode()
    )


def _write_propstat(properties: str, status: HTTPStatus, reason: str = "") -> str:
    prop = f"<D:prop>{properties}</D:prop>"
    return f"<D:propstat>{prop}{_write_status(status)}{reason}</D:propstat>"


def _write_status(status: HTTPStatus) -> str:
    return f"<D:status>HTTP/1.1 {status.value} {status.phrase}</D:status>"
