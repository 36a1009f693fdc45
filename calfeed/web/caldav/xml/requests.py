"""Read the XML bodies of PROPFIND, PROPPATCH and REPORT, with limits on what they may contain.

Names are in Clark notation: `{DAV:}getetag`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from calfeed.errors import InvalidInputError

DAV = "{DAV:}"
CALDAV = "{urn:ietf:params:xml:ns:caldav}"
PUSH = "{https://bitfire.at/webdav-push}"

_MAX_PROPERTIES = 200
_MAX_NAMES_LENGTH = 10_000
"""The maximum length of all names together, because the response repeats them for each resource."""


@dataclass(frozen=True)
class Wanted:
    """The requested properties: those in `names`, or all of a resource.

    With `names_only`, the values are not requested (RFC 4918, 9.1).
    """

    names: tuple[str, ...] = ()
    everything: bool = False
    names_only: bool = False


ALL = Wanted(everything=True)


def parse_body(body: bytes) -> Element:
    """Parse a body. Raises InvalidInputError unless it is XML without a document type."""
    try:
        root: Element = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise InvalidInputError("the body is not XML, or has a document type") from error
    return root


def read_propfind(body: bytes) -> Wanted:
    """Read a PROPFIND body; an empty one asks for all properties (RFC 4918, 9.1).

    Raises InvalidInputError if it is not valid.
    """
    if not body.strip():
        return ALL
    root = parse_body(body)
    if root.tag != f"{DAV}propfind":
        raise InvalidInputError("the body of PROPFIND must be a DAV:propfind element")
    return read_wanted(root)


def read_wanted(element: Element) -> Wanted:
    """Read the requested properties of an element; ALL if it names none."""
    if element.find(f"{DAV}propname") is not None:
        return Wanted(everything=True, names_only=True)
    prop = element.find(f"{DAV}prop")
    return ALL if prop is None else Wanted(read_names(prop))


def read_names(prop: Element) -> tuple[str, ...]:
    """Return the names in a DAV:prop element, each once. Raises InvalidInputError for too many."""
    names = tuple(dict.fromkeys(child.tag for child in prop))
    if len(names) > _MAX_PROPERTIES:
        raise InvalidInputError(f"a request may ask for at most {_MAX_PROPERTIES} properties")
    if sum(map(len, names)) > _MAX_NAMES_LENGTH:
        raise InvalidInputError("the names of the properties are too long")
    return names


def read_proppatch(body: bytes) -> tuple[str, ...]:
    """Return the names of the properties that a PROPPATCH wants to set or remove.

    Raises InvalidInputError if it is not valid.
    """
    root = parse_body(body)
    if root.tag != f"{DAV}propertyupdate":
        raise InvalidInputError("the body of PROPPATCH must be a DAV:propertyupdate element")
    return tuple(dict.fromkeys(name for prop in _find_props(root) for name in read_names(prop)))


def _find_props(root: Element) -> Iterator[Element]:
    for kind in ("set", "remove"):
        for update in root.findall(f"{DAV}{kind}"):
            yield from update.findall(f"{DAV}prop")
