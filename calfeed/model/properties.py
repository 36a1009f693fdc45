"""The iCalendar properties of event details: how their values are written and read (RFC 5545).

`Event` annotates each detail with its property. Feeds, messages, the JSON form and the importer
use these annotations, so they need no code for individual details.
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
    """A detail's key in definitions and JSON, and its property name in iCalendar.

    `write` returns the property's value and parameters; if it is None, the detail is written as an
    escaped text. `read` converts a stripped value and its parameters to the form in definitions: a
    text, a map, or None for no value. It raises ValueError for unknown values. If `read` is None,
    the value is read as a one-line text. The definition reader validates the result.
    """

    key: str
    name: str
    write: Callable[[Any], tuple[str, Parameters]] | None = None
    read: Callable[[str, Parameters], object] | None = None


def replace_backslashes(text: str) -> str:
    """Replace backslashes in a parameter value (RFC 5545, 3.2).

    A backslash has no special meaning there, but some clients treat it as an escape. Definitions
    reject names that contain one.
    """
    return text.replace("\\", "/")


def _write_word(word: Classification) -> tuple[str, Parameters]:
    return word.value.upper(), {}


def _read_classification(value: str, _: Parameters) -> str | None:
    """Return the class (3.8.1.3), None for the default, `public`."""
    level = value.lower()
    if level and level not in list(Classification):
        raise ValueError("is not known")
    return None if level in ("", Classification.PUBLIC) else level


def _write_number(number: int) -> tuple[str, Parameters]:
    return str(number), {}


def _read_priority(value: str, _: Parameters) -> str | None:
    """Return the priority (3.8.1.9), None for 0, which means that it is undefined."""
    return None if value in ("", "0") else value


def _write_position(position: Position) -> tuple[str, Parameters]:
    return ";".join(map(format_degrees, (position.latitude, position.longitude))), {}


def _read_position(value: str, _: Parameters) -> str:
    return ", ".join(value.split(";"))


def _write_organizer(organizer: Organizer) -> tuple[str, Parameters]:
    return organizer.uri, {"CN": replace_backslashes(organizer.name)}


def _read_organizer(value: str, parameters: Parameters) -> dict[str, str]:
    """Return the name and the address; the address is also the name if that is missing."""
    address = re.sub("^mailto:", "", value, flags=re.IGNORECASE)
    return {"name": parameters.get("CN", "").strip() or address, "email": address}


def _write_conference(conference: Conference) -> tuple[str, Parameters]:
    """Write a conference (RFC 7986, 5.11); its features (FEATURE, 6.3) are unknown."""
    label = {"LABEL": replace_backslashes(conference.label)} if conference.label else {}
    return conference.url, {"VALUE": "URI", **label}


def _read_conference(value: str, parameters: Parameters) -> object:
    label = parameters.get("LABEL", "").strip()
    return {"url": value, "label": label} if label else value


def _write_image(url: str) -> tuple[str, Parameters]:
    """Write an image (RFC 7986, 5.10), with the media type of its file name extension."""
    media_type = _MEDIA_TYPES.get(PurePosixPath(urlsplit(url).path).suffix.lower())
    format_type = {"FMTTYPE": media_type} if media_type else {}
    return url, {"VALUE": "URI", "DISPLAY": "BADGE", **format_type}


def _read_uri(value: str, _: Parameters) -> str:
    return value


IMAGE = Property("image", "IMAGE", _write_image, _read_uri)
CONFERENCE = Property("conference", "CONFERENCE", _write_conference, _read_conference)
GEO = Property("geo", "GEO", _write_position, _read_position)
ORGANIZER = Property("organizer", "ORGANIZER", _write_organizer, _read_organizer)
CONTACT = Property("contact", "CONTACT")
CLASS = Property("class", "CLASS", _write_word, _read_classification)
PRIORITY = Property("priority", "PRIORITY", _write_number, _read_priority)
