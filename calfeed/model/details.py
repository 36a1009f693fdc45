"""Optional details of an event: their types, and checks of the text forms in definitions.

The checks return the parsed value or raise ValueError with a correct example.
"""

from __future__ import annotations

import re
from enum import StrEnum
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict

from calfeed.errors import InvalidValueError
from calfeed.model.texts import check_line, shortened

_NUMBER = r"[+-]?\d{1,3}(?:\.\d{1,20})?"
_POSITION = re.compile(rf"\s*({_NUMBER})\s*,\s*({_NUMBER})\s*", re.ASCII)
# A dot-atom (RFC 5322, 3.2.3) before the @, and a host name with at least one dot after it.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})+", re.ASCII)
_MAX_EMAIL_LENGTH = 254


class _Detail(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Format(StrEnum):
    """The markup of an event's descriptions."""

    PLAIN = "plain"
    MARKDOWN = "markdown"


class Classification(StrEnum):
    """How apps that share a calendar should treat an event (RFC 5545, 3.8.1.3)."""

    PUBLIC = "public"
    PRIVATE = "private"
    CONFIDENTIAL = "confidential"


class Position(_Detail):
    """A position in degrees (WGS 84); north and east are positive (RFC 5545, 3.8.1.6)."""

    latitude: float
    longitude: float

    def __str__(self) -> str:
        return f"{format_degrees(self.latitude)}, {format_degrees(self.longitude)}"


class Conference(_Detail):
    """An online meeting (RFC 7986, 5.11); `label` is the text of the link."""

    url: str
    label: str | None = None


class Organizer(_Detail):
    """The organizer of an event (RFC 5545, 3.8.4.3)."""

    name: str
    email: str

    @property
    def uri(self) -> str:
        """The address as a mailto URI (RFC 6068)."""
        return "mailto:" + quote(self.email, safe="@!$'*+")


def format_degrees(number: float) -> str:
    """Format a number with up to six decimals and no exponent (FLOAT, RFC 5545, 3.3.7)."""
    return f"{number:.6f}".rstrip("0").rstrip(".")


def check_position(text: str) -> Position:
    """Parse a position in degrees, rounded to six decimals (11 cm)."""
    found = _POSITION.fullmatch(text)
    if found is None:
        raise InvalidValueError(
            shortened(text),
            "is not a position; write latitude and longitude in degrees, "
            "as 24.8607, 67.0011 (minus is south and west)",
        )
    latitude, longitude = (round(float(number), 6) + 0.0 for number in found.groups())
    if abs(latitude) > 90 and abs(latitude) <= 180 and abs(longitude) <= 90:
        raise ValueError(
            f"latitude comes first and goes from -90 to 90; write {found[2]}, {found[1]}"
        )
    if abs(latitude) > 90:
        raise ValueError(f"the latitude must be from -90 to 90, not {found[1]}")
    if abs(longitude) > 180:
        raise ValueError(f"the longitude must be from -180 to 180, not {found[2]}")
    return Position(latitude=latitude, longitude=longitude)


def check_name(text: str) -> str:
    """Return a one-line name; raise ValueError if calendar apps would misread it."""
    name = check_line(text)
    if "\\" in name:
        # In a parameter, some apps treat a backslash as an escape and lose the address.
        instead = name.replace("\\", "/")
        raise ValueError(
            f'has a backslash, which some calendar apps misread in a name; write "{instead}"'
        )
    return name


def check_email(text: str) -> str:
    """Return an e-mail address in ASCII, without a display name."""
    address = text.strip().removeprefix("mailto:")
    if not _EMAIL.fullmatch(address) or len(address) > _MAX_EMAIL_LENGTH:
        raise InvalidValueError(
            shortened(text), "is not an e-mail address; write one such as desk@example.org"
        )
    return address


def check_priority(text: str) -> int:
    """Return a priority from 1 (highest) to 9 (RFC 5545, 3.8.1.9)."""
    if not re.fullmatch("[1-9]", text.strip()):
        raise InvalidValueError(
            shortened(text), "is not a priority; write a number from 1 (highest) to 9 (lowest)"
        )
    return int(text)
