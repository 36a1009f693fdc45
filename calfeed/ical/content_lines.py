"""Write components as content lines (RFC 5545, 3.1), like icalendar but faster."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from operator import itemgetter
from types import MappingProxyType

import icalendar
from icalendar.parser import Parameters

_MAX_LINE_OCTETS = 74
"""The maximum number of octets in a line, without its line break: like icalendar, one below 75."""

_PROPERTY_ORDERS = {
    kind.name: {name: index for index, name in enumerate(kind.canonical_order or ())}
    for kind in (icalendar.Calendar, icalendar.Event, icalendar.Alarm, icalendar.Todo)
}
"""The properties that come first in each component; the others follow by name."""

_SORT_KEY = itemgetter(0, 1)
_NO_PARAMETERS: Mapping[str, str] = MappingProxyType({})


class Component:
    """A component (VCALENDAR, VEVENT, VTODO or VALARM) with properties and subcomponents.

    Properties are written in icalendar's order.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._order = _PROPERTY_ORDERS[name]
        self._lines: list[tuple[int, str, str]] = []
        self._parts: list[Component] = []

    def put(self, name: str, value: str, parameters: Mapping[str, str] = _NO_PARAMETERS) -> None:
        """Add a property with an encoded value and unencoded parameters."""
        start = name + _write_parameters(tuple(parameters.items())) if parameters else name
        place = self._order.get(name, len(self._order))
        self._lines.append((place, name, f"{start}:{value}"))

    def put_text(
        self, name: str, text: str, parameters: Mapping[str, str] = _NO_PARAMETERS
    ) -> None:
        """Add a TEXT property (RFC 5545, 3.3.11)."""
        self.put(name, escape(text), parameters)

    def put_part(self, part: Component) -> None:
        """Add a subcomponent."""
        self._parts.append(part)

    def to_bytes(self) -> bytes:
        """Return the component as folded lines that end in CRLF."""
        return "\r\n".join([*self._all_lines(), ""]).encode()

    def _all_lines(self) -> list[str]:
        # Properties of the same name keep the order in which they were added.
        lines = [f"BEGIN:{self._name}"]
        lines += [_fold(line) for _, _, line in sorted(self._lines, key=_SORT_KEY)]
        for part in self._parts:
            lines += part._all_lines()
        return [*lines, f"END:{self._name}"]


def escape(text: str) -> str:
    """Escape backslashes, semicolons, commas and line breaks.

    icalendar's own function is not used: it reads `\\N` in a text (`C:\\New`) as a line break.
    """
    text = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return text.replace("\r\n", "\\n").replace("\n", "\\n")


def write_moment(moment: date | datetime) -> str:
    """Write a date, a naive datetime, or an aware one in UTC (RFC 5545, 3.3.4, 3.3.5)."""
    if isinstance(moment, datetime) and moment.tzinfo is not None:
        return _write_wall(moment.astimezone(UTC).replace(tzinfo=None)) + "Z"
    return _write_wall(moment)


# Not for aware datetimes: those that differ only in `fold` are equal.
@lru_cache(maxsize=4096)
def _write_wall(moment: date | datetime) -> str:
    day = f"{moment.year:04}{moment.month:02}{moment.day:02}"
    if not isinstance(moment, datetime):
        return day
    return f"{day}T{moment.hour:02}{moment.minute:02}{moment.second:02}"


@lru_cache(maxsize=4096)
def _write_parameters(parameters: tuple[tuple[str, str], ...]) -> str:
    written: bytes = Parameters(parameters).to_ical()
    return ";" + written.decode()


def _fold(line: str) -> str:
    """Fold a line without splitting characters or escape sequences."""
    if len(line) <= _MAX_LINE_OCTETS and line.isascii():
        return line
    data = line.encode()
    pieces = []
    begin = 0
    while len(data) - begin > _MAX_LINE_OCTETS:
        end = begin + _MAX_LINE_OCTETS
        while data[end] & 0xC0 == 0x80:
            end -= 1
        if data[end - 1] in b"\\^":
            end -= 1
        pieces.append(data[begin:end])
        begin = end
    return b"\r\n ".join([*pieces, data[begin:]]).decode()
