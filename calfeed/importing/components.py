"""Parse iCalendar text into a tree of components and properties (RFC 5545, 3.4 to 3.6).

icalendar splits the lines. Its components are not used, because they convert times at once, with
zones cached across calendars, and lose the original values.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from icalendar.parser import Contentline, Parameters, split_on_unescaped_comma, unescape_backslash
from icalendar.prop import vDDDTypes

from calfeed.errors import InvalidInputError
from calfeed.importing.decoding import decode_value, read_lines
from calfeed.importing.losses import LossReporter, printable
from calfeed.model.texts import shortened

# A fast path for most lines; icalendar is thirty times slower.
_SIMPLE = re.compile(r'([A-Za-z0-9-]+)((?:;[A-Za-z0-9-]+=[^;:,="^\\\s]+)*):(.*)', re.DOTALL)
_MOMENT = re.compile(r"\d{8}(?:T\d{6}Z?)?", re.ASCII)
# A UTC offset in a TZID contains a colon, so the value should be in quotes; this one is not.
_BARE_TZID = re.compile(
    r'([A-Z-]+;(?:VALUE=[A-Z-]+;)?TZID=)(\(?(?:UTC|GMT) ?[+-]\d{1,2}:\d\d[^":;]*):', re.IGNORECASE
)
_MAX_DEPTH = 100
_MAX_PARAMS_LENGTH = 10_000
_NO_PARAMS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Property:
    """A property: its name in upper case, its parameters, and its escaped value."""

    name: str
    params: Mapping[str, str]
    value: str

    @property
    def text(self) -> str:
        """The unescaped TEXT value (RFC 5545, 3.3.11)."""
        return str(unescape_backslash(self.value))

    @property
    def texts(self) -> list[str]:
        """The value as a comma-separated list of TEXT."""
        return split_on_unescaped_comma(self.value)


@dataclass
class Component:
    """A component with its properties and subcomponents in file order.

    `invalid_lines` holds the lines that are not properties.
    """

    name: str
    properties: list[Property] = field(default_factory=list)
    components: list[Component] = field(default_factory=list)
    invalid_lines: list[str] = field(default_factory=list)
    _by_name: dict[str, list[Property]] = field(default_factory=dict, repr=False, compare=False)

    def add(self, prop: Property) -> None:
        """Append a property."""
        self.properties.append(prop)
        self._by_name.setdefault(prop.name, []).append(prop)

    def with_values(self, values: Mapping[str, str]) -> Component:
        """Return a copy with some property values replaced or added."""
        other = Component(self.name, components=self.components, invalid_lines=self.invalid_lines)
        for prop in self.properties:
            value = values.get(prop.name, prop.value)
            other.add(prop if value == prop.value else Property(prop.name, prop.params, value))
        for name in values.keys() - self._by_name.keys():
            other.add(Property(name, {}, values[name]))
        return other

    def with_tzid(self, tzid: str, names: Collection[str]) -> Component:
        """Return a copy with a TZID on the floating times of these properties."""
        other = Component(self.name, components=self.components, invalid_lines=self.invalid_lines)
        for prop in self.properties:
            floats = prop.name in names and "Z" not in prop.value.upper()
            params = {"TZID": tzid, **prop.params} if floats else prop.params
            other.add(Property(prop.name, params, prop.value))
        return other

    def all(self, name: str) -> list[Property]:
        """Return the properties with a name."""
        return self._by_name.get(name, [])

    def first(self, name: str) -> Property | None:
        """Return the first property with a name."""
        found = self._by_name.get(name)
        return found[0] if found else None

    def value(self, name: str) -> str:
        """Return the first property's value, trimmed and in upper case, or ""."""
        first = self.first(name)
        return first.value.strip().upper() if first else ""

    def params(self, name: str) -> Mapping[str, str]:
        """Return the first property's parameters, if any."""
        first = self.first(name)
        return first.params if first else {}

    def children(self, name: str) -> list[Component]:
        """Return the direct subcomponents with a name."""
        return [component for component in self.components if component.name == name]


def read_components(data: bytes, report: LossReporter) -> list[Component]:
    """Parse the VCALENDARs of iCalendar text; events outside of a VCALENDAR are accepted.

    Raises InvalidInputError if there is no calendar, or the text is truncated.
    """
    root = Component("")
    open_components = [root]
    for line in read_lines(data, report):
        here = open_components[-1]
        try:
            name, params, value = _split(line)
        except ValueError:
            _check_beginning(root, open_components, line)
            here.invalid_lines.append(line)
            continue
        if name == "BEGIN":
            if len(open_components) > _MAX_DEPTH:
                raise InvalidInputError(
                    f"its components are nested deeper than {_MAX_DEPTH} levels"
                )
            inner = Component(value.strip().upper())
            here.components.append(inner)
            open_components.append(inner)
        elif name == "END":
            if len(open_components) == 1 or value.strip().upper() != here.name:
                raise InvalidInputError(
                    f'"END:{_shown(value)}" has no matching BEGIN; the file is damaged'
                )
            open_components.pop()
        else:
            _check_beginning(root, open_components, line)
            here.add(_decoded(Property(name, params, value), report))
    if len(open_components) > 1:
        raise InvalidInputError(
            f"the file ends before END:{_shown(open_components[-1].name)}; it is truncated, so "
            "download or export it again"
        )
    if calendars := root.children("VCALENDAR"):
        return calendars
    if root.children("VEVENT"):
        return [root]
    found = root.components[0].name if root.components else "nothing"
    raise InvalidInputError(
        f"there is no calendar in it (VCALENDAR), but {_shown(found)}; export the calendar as "
        "iCalendar (.ics)"
    )


def parse_value(text: str) -> object:
    """Parse a date, a datetime (naive or UTC), a duration or a period; else raise ValueError."""
    text = text.strip().upper()
    if _MOMENT.fullmatch(text):
        moment = datetime.fromisoformat(text)
        return moment if len(text) > 8 else moment.date()
    value: object = vDDDTypes.from_ical(text)  # type: ignore[no-untyped-call]  # icalendar's
    return value


def _split(line: str) -> tuple[str, Mapping[str, str], str]:
    """Split a line into upper-case name, parameters and value; raise ValueError if invalid."""
    if bare := _BARE_TZID.match(line):
        line = f'{bare[1]}"{bare[2]}":{line[bare.end() :]}'
    if simple := _SIMPLE.fullmatch(line):
        name = _capitals(simple[1])
        if not simple[2]:
            return name, _NO_PARAMS, simple[3]
        pairs = (each.split("=") for each in simple[2].split(";")[1:])
        return name, {key.upper(): value for key, value in pairs}, simple[3]
    if ":" not in line[:_MAX_PARAMS_LENGTH]:
        raise ValueError("it has no value, or its parameters are too long")
    found = Contentline(line).raw_parts()  # type: ignore[no-untyped-call]  # icalendar's
    parts: tuple[str, Parameters, str] = found
    params = {
        key.upper(): each if isinstance(each, str) else ",".join(each)
        for key, each in parts[1].items()
    }
    return parts[0].upper(), params, parts[2]


@lru_cache(maxsize=256)
def _capitals(name: str) -> str:
    """Return the name in upper case; cached, so that equal names share one object."""
    return name.upper()


def _decoded(prop: Property, report: LossReporter) -> Property:
    """Decode a value in BASE64 or QUOTED-PRINTABLE (vCalendar 1.0)."""
    encoding = prop.params.get("ENCODING", "").upper()
    if encoding not in ("BASE64", "B", "QUOTED-PRINTABLE") or prop.params.get("VALUE") == "BINARY":
        return prop
    try:
        value = decode_value(prop.value, encoding, prop.params.get("CHARSET", ""))
    except ValueError:
        report(prop.name, f"is not kept: it is not valid {encoding}")
        return Property(prop.name, prop.params, "")
    return Property(prop.name, prop.params, value)


def _check_beginning(root: Component, open_components: list[Component], line: str) -> None:
    """Reject text that is not iCalendar, such as a web page or an address book."""
    if len(open_components) == 1 and not root.components:
        raise InvalidInputError(
            f'this is not iCalendar: it begins with "{_shown(line)}", not with BEGIN:VCALENDAR'
        )


def _shown(text: str) -> str:
    """Make a part of the file printable for an error message."""
    return shortened(printable(text.strip()))


def name_event(component: Component) -> str:
    """Return the name of an event for reports: its title and day."""
    summary, start = component.first("SUMMARY"), component.value("DTSTART")
    day = f"{start[:4]}-{start[4:6]}-{start[6:8]}" if start[:8].isdigit() else ""
    return label(summary.text if summary else "", day)


def label(title: str, day: object) -> str:
    """Format a title and a day for reports."""
    shown = shortened(" ".join(title.split()))
    name = f'"{shown}"' if shown else "an entry without a title"
    return f"{name} ({day})" if day else name
