"""The iCalendar properties of an event's details: how each value is written and read (RFC 5545).

`Event` names for each of its details the property that it is. Feeds, messages, the JSON form and
the importer go by that, so none of them has to know a detail by name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from calfeed.model.details import Classification, Conference, Organizer, Position, format_degrees

Parameters = Mapping[str, str]

_MEDIA_TYPES = {
    ".avif": "image/avif",
    ".gif": "image/gif",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
}


@dataclass(frozen=True)
class Property:
    """The property of a detail: its key in definitions and in JSON, its name in iCalendar.

    `write` makes the property's value and parameters; without it the detail is a text, escaped as
    one. `read` makes of a value (without white space around it) and its parameters what a
    definition says: a text, a map, or None for nothing. It raises ValueError for what is not known;
    without it the value is a text of one line. Definitions check the rest.
    """

    key: str
    name: str
    write: Callable[[Any], tuple[str, Parameters]] | None = None
    read: Callable[[str, Parameters], object] | None = None


def quotable(text: str) -> str:
    """A label that every reader takes for the same parameter value (RFC 5545, 3.2).

    A backslash is a character like others there, but some take it for an escape, and one at the
    end for a part of what follows. A name with one is refused in a definition.
    """
    return text.replace("\\", "/")


def _write_word(word: Classification) -> tuple[str, Parameters]:
    return word.value.upper(), {}


def _read_classification(value: str, _: Parameters) -> str | None:
    """A class that is not the usual one (3.8.1.3)."""
    level = value.lower()
    if level and level not in list(Classification):
        raise ValueError("is not known")
    return None if level in ("", Classification.PUBLIC) else level


def _write_number(number: int) -> tuple[str, Parameters]:
    return str(number), {}


def _read_priority(value: str, _: Parameters) -> str | None:
    """A priority, in which 0 says that there is none (3.8.1.9)."""
    return None if value in ("", "0") else value


def _write_position(position: Position) -> tuple[str, Parameters]:
    return ";".join(map(format_degrees, (position.latitude, position.longitude))), {}


def _read_position(value: str, _: Parameters) -> str:
    return ", ".join(value.split(";"))


def _write_organizer(organizer: Organizer) -> tuple[str, Parameters]:
    return organizer.uri, {"CN": quotable(organizer.name)}


def _read_organizer(value: str, parameters: Parameters) -> dict[str, str]:
    """Name and address; who has no name is called by the address."""
    address = re.sub("^mailto:", "", value, flags=re.IGNORECASE)
    return {"name": parameters.get("CN", "").strip() or address, "email": address}


def _write_conference(conference: Conference) -> tuple[str, Parameters]:
    """Where people meet, without FEATURE: an address does not say whether it is sound or video.

    RFC 7986, 5.11 and 6.3.
    """
    label = {"LABEL": quotable(conference.label)} if conference.label else {}
    return conference.url, {"VALUE": "URI", **label}


def _read_conference(value: str, parameters: Parameters) -> object:
    label = parameters.get("LABEL", "").strip()
    return {"url": value, "label": label} if label else value


def _write_image(url: str) -> tuple[str, Parameters]:
    """A picture (RFC 7986, 5.10), with its media type where its name says it."""
    media_type = _MEDIA_TYPES.get(PurePosixPath(urlsplit(url).path).suffix.lower())
    known = {"FMTTYPE": media_type} if media_type else {}
    return url, {"VALUE": "URI", "DISPLAY": "BADGE", **known}


def _read_uri(value: str, _: Parameters) -> str:
    return value


IMAGE = Property("image", "IMAGE", _write_image, _read_uri)
CONFERENCE = Property("conference", "CONFERENCE", _write_conference, _read_conference)
GEO = Property("geo", "GEO", _write_position, _read_position)
ORGANIZER = Property("organizer", "ORGANIZER", _write_organizer, _read_organizer)
CONTACT = Property("contact", "CONTACT")
CLASS = Property("class", "CLASS", _write_word, _read_classification)
PRIORITY = Property("priority", "PRIORITY", _write_number, _read_priority)
