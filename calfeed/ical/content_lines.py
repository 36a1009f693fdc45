"""Components as content lines (RFC 5545, 3.1): the bytes that icalendar writes, in less time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from operator import itemgetter
from types import MappingProxyType

import icalendar
from icalendar.parser import Parameters

_LIMIT = 74
"""The octets of a line, its line break left out: icalendar uses one less than is allowed."""

_ORDERS = {
    kind.name: {name: index for index, name in enumerate(kind.canonical_order or ())}
    for kind in (icalendar.Calendar, icalendar.Event, icalendar.Alarm)
}
"""The properties that come first in a component; the others follow by name."""

_PLACE = itemgetter(0, 1)
_NONE: Mapping[str, str] = MappingProxyType({})


class Component:
    """A component to be written: properties, and components within it.

    `name` is VCALENDAR, VEVENT or VALARM. Properties are written in icalendar's order, whatever
    the order in which they are put.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._order = _ORDERS[name]
        self._lines: list[tuple[int, str, str]] = []
        self._parts: list[Component] = []

    def put(self, name: str, value: str, parameters: Mapping[str, str] = _NONE) -> None:
        """Add a property with a value as iCalendar writes it, its parameters as plain text."""
        start = name + _write_parameters(tuple(parameters.items())) if parameters else name
        place = self._order.get(name, len(self._order))
        self._lines.append((place, name, f"{start}:{value}"))

    def put_text(self, name: str, text: str, parameters: Mapping[str, str] = _NONE) -> None:
        """Add a property whose value is a text (RFC 5545, 3.3.11)."""
        self.put(name, escape(text), parameters)

    def put_part(self, part: Component) -> None:
        """Add a component within this one."""
        self._parts.append(part)

    def to_bytes(self) -> bytes:
        """The component's lines, folded, each with CRLF at its end."""
        return "\r\n".join([*self._all_lines(), ""]).encode()

    def _all_lines(self) -> list[str]:
        # Properties of one name keep their order.
        found = [f"BEGIN:{self._name}"]
        found += [_fold(line) for _, _, line in sorted(self._lines, key=_PLACE)]
        for part in self._parts:
            found += part._all_lines()
        return [*found, f"END:{self._name}"]


def escape(text: str) -> str:
    """A text with its backslashes, semicolons, commas and line breaks escaped.

    icalendar takes a backslash and an N in the text itself for a line break, so that `C:\\New`
    would arrive in two lines.
    """
    text = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return text.replace("\r\n", "\\n").replace("\n", "\\n")


def write_moment(moment: date | datetime) -> str:
    """A date, a wall time without a zone, or any other datetime in UTC (RFC 5545, 3.3.4, 3.3.5)."""
    if isinstance(moment, datetime) and moment.tzinfo is not None:
        return _write_wall(moment.astimezone(UTC).replace(tzinfo=None)) + "Z"
    return _write_wall(moment)


# Not with a zone: of two equal wall times in it, the one may be an hour after the other.
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
    """A line in pieces of whole characters, of which none ends within an escaped one."""
    if len(line) <= _LIMIT and line.isascii():
        return line
    data = line.encode()
    pieces = []
    begin = 0
    while len(data) - begin > _LIMIT:
        end = begin + _LIMIT
        while data[end] & 0xC0 == 0x80:
            end -= 1
        if data[end - 1] in b"\\^":
            end -= 1
        pieces.append(data[begin:end])
        begin = end
    return b"\r\n ".join([*pieces, data[begin:]]).decode()
