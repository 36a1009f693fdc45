"""iCalendar text to a plain tree of components and properties (RFC 5545, 3.4 to 3.6).

icalendar splits the lines; its own components are not made, because they read times at once, in
zones it remembers from one calendar to the next, and what a value was before is gone by then.
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
from calfeed.importing.losses import Report, printable
from calfeed.model.texts import shortened

# Most lines are as simple as this, and icalendar takes thirty times as long for one.
_SIMPLE = re.compile(r'([A-Za-z0-9-]+)((?:;[A-Za-z0-9-]+=[^;:,="^\\\s]+)*):(.*)', re.DOTALL)
_MOMENT = re.compile(r"\d{8}(?:T\d{6}Z?)?", re.ASCII)
# An offset from UTC in a TZID has a colon, which needs quotes.
_BARE_TZID = re.compile(
    r'([A-Z-]+;(?:VALUE=[A-Z-]+;)?TZID=)(\(?(?:UTC|GMT) ?[+-]\d{1,2}:\d\d[^":;]*):', re.IGNORECASE
)
_MOST_DEEP = 100
_LONGEST_PARAMS = 10_000
_NO_PARAMS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Property:
    """A property: its name in capitals, its parameters, its value as it stands, still escaped."""

    name: str
    params: Mapping[str, str]
    value: str

    @property
    def text(self) -> str:
        """The value as TEXT (RFC 5545, 3.3.11)."""
        return str(unescape_backslash(self.value))

    @property
    def texts(self) -> list[str]:
        """The value as a list of TEXT, split at its commas."""
        return split_on_unescaped_comma(self.value)


@dataclass
class Component:
    """A component: its properties and the components in it, in the order of the file.

    `broken` holds the lines that are no properties.
    """

    name: str
    properties: list[Property] = field(default_factory=list)
    components: list[Component] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    _by_name: dict[str, list[Property]] = field(default_factory=dict, repr=False, compare=False)

    def add(self, prop: Property) -> None:
        """Add a property as the last one."""
        self.properties.append(prop)
        self._by_name.setdefault(prop.name, []).append(prop)

    def replaced(self, values: Mapping[str, str]) -> Component:
        """The component with other values for some of its properties, or with these as well."""
        other = Component(self.name, components=self.components, broken=self.broken)
        for prop in self.properties:
            value = values.get(prop.name, prop.value)
            other.add(prop if value == prop.value else Property(prop.name, prop.params, value))
        for name in values.keys() - self._by_name.keys():
            other.add(Property(name, {}, values[name]))
        return other

    def on_clock(self, tzid: str, names: Collection[str]) -> Component:
        """The component with a TZID for the times of these properties that float."""
        other = Component(self.name, components=self.components, broken=self.broken)
        for prop in self.properties:
            floats = prop.name in names and "Z" not in prop.value.upper()
            params = {"TZID": tzid, **prop.params} if floats else prop.params
            other.add(Property(prop.name, params, prop.value))
        return other

    def all(self, name: str) -> list[Property]:
        """The properties of a name."""
        return self._by_name.get(name, [])

    def first(self, name: str) -> Property | None:
        """The first property of a name."""
        found = self._by_name.get(name)
        return found[0] if found else None

    def value(self, name: str) -> str:
        """The first property's value, trimmed and in capitals; empty where there is none."""
        found = self.first(name)
        return found.value.strip().upper() if found else ""

    def params(self, name: str) -> Mapping[str, str]:
        """The first property's parameters; none where it is not there."""
        found = self.first(name)
        return found.params if found else {}

    def within(self, name: str) -> list[Component]:
        """The components of a name that stand directly in this one."""
        return [each for each in self.components if each.name == name]


def read_components(data: bytes, report: Report) -> list[Component]:
    """Read the VCALENDARs of iCalendar text; events without one are as good as in one.

    Raises InvalidInputError where there is none, and for text that ends in the middle of one.
    """
    root = Component("")
    open_components = [root]
    for line in read_lines(data, report):
        here = open_components[-1]
        try:
            name, params, value = _split(line)
        except ValueError:
            _check_beginning(root, open_components, line)
            here.broken.append(line)
            continue
        if name == "BEGIN":
            if len(open_components) > _MOST_DEEP:
                raise InvalidInputError(
                    f"its components are nested deeper than {_MOST_DEEP} levels"
                )
            inner = Component(value.strip().upper())
            here.components.append(inner)
            open_components.append(inner)
        elif name == "END":
            if len(open_components) == 1 or value.strip().upper() != here.name:
                raise InvalidInputError(
                    f'"END:{_shown(value)}" closes what is not open; the file is damaged'
                )
            open_components.pop()
        else:
            _check_beginning(root, open_components, line)
            here.add(_decoded(Property(name, params, value), report))
    if len(open_components) > 1:
        raise InvalidInputError(
            f"the file ends before END:{_shown(open_components[-1].name)}; it was cut off, so "
            "fetch or export it once more"
        )
    if calendars := root.within("VCALENDAR"):
        return calendars
    if root.within("VEVENT"):
        return [root]
    found = root.components[0].name if root.components else "nothing"
    raise InvalidInputError(
        f"there is no calendar in it (VCALENDAR), but {_shown(found)}; export the calendar as "
        "iCalendar (.ics)"
    )


def parse_value(text: str) -> object:
    """A date, a datetime (naive, or in UTC), a duration or a period; ValueError for the rest."""
    text = text.strip().upper()
    if _MOMENT.fullmatch(text):
        moment = datetime.fromisoformat(text)
        return moment if len(text) > 8 else moment.date()
    value: object = vDDDTypes.from_ical(text)  # type: ignore[no-untyped-call]  # icalendar's
    return value


def _split(line: str) -> tuple[str, Mapping[str, str], str]:
    """The name in capitals, the parameters, and the value of a line; ValueError if it has none."""
    if bare := _BARE_TZID.match(line):
        line = f'{bare[1]}"{bare[2]}":{line[bare.end() :]}'
    if simple := _SIMPLE.fullmatch(line):
        name = _capitals(simple[1])
        if not simple[2]:
            return name, _NO_PARAMS, simple[3]
        pairs = (each.split("=") for each in simple[2].split(";")[1:])
        return name, {key.upper(): value for key, value in pairs}, simple[3]
    if ":" not in line[:_LONGEST_PARAMS]:
        raise ValueError("it has no value, or parameters without end")
    found = Contentline(line).raw_parts()  # type: ignore[no-untyped-call]  # icalendar's
    parts: tuple[str, Parameters, str] = found
    params = {
        key.upper(): each if isinstance(each, str) else ",".join(each)
        for key, each in parts[1].items()
    }
    return parts[0].upper(), params, parts[2]


@lru_cache(maxsize=256)
def _capitals(name: str) -> str:
    """The name in capitals: one object for all properties that have it, of which there are many."""
    return name.upper()


def _decoded(prop: Property, report: Report) -> Property:
    """The property with its value as TEXT, where that is encoded for mail (vCalendar 1.0)."""
    encoding = prop.params.get("ENCODING", "").upper()
    if encoding not in ("BASE64", "B", "QUOTED-PRINTABLE") or prop.params.get("VALUE") == "BINARY":
        return prop
    try:
        value = decode_value(prop.value, encoding, prop.params.get("CHARSET", ""))
    except ValueError:
        report(prop.name, f"is not kept: it is said to be {encoding}, and is not")
        return Property(prop.name, prop.params, "")
    return Property(prop.name, prop.params, value)


def _check_beginning(root: Component, open_components: list[Component], line: str) -> None:
    """Refuse text that does not begin as iCalendar does: a web page, an address book."""
    if len(open_components) == 1 and not root.components:
        raise InvalidInputError(
            f'this is not iCalendar: it begins with "{_shown(line)}", not with BEGIN:VCALENDAR'
        )


def _shown(text: str) -> str:
    """A part of the file as an error may repeat it."""
    return shortened(printable(text.strip()))


def name_event(component: Component) -> str:
    """How an event is called in a report: its title, and its day where it has one."""
    summary, start = component.first("SUMMARY"), component.value("DTSTART")
    day = f"{start[:4]}-{start[4:6]}-{start[6:8]}" if start[:8].isdigit() else ""
    return label(summary.text if summary else "", day)


def label(title: str, day: object) -> str:
    """A title and a day as a report has them."""
    shown = shortened(" ".join(title.split()))
    name = f'"{shown}"' if shown else "what has no title"
    return f"{name} ({day})" if day else name
