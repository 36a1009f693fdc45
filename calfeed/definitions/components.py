"""iCalendar text to a plain tree of components and properties (RFC 5545, 3.4 to 3.6).

icalendar splits the lines; its own components are not made, because they read times at once, in
zones it remembers from one calendar to the next, and what a value was before is gone by then.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from icalendar.parser import Contentline, Parameters, split_on_unescaped_comma, unescape_backslash

from calfeed.definitions.texts import shortened
from calfeed.errors import InvalidInputError

_FOLD = re.compile(rb"\r?\n[ \t]")
_LINE = re.compile(r"\r?\n")

Report: TypeAlias = Callable[[str, str], None]
"""Takes the name of a property and why it, or part of it, is not kept."""


@dataclass(frozen=True, order=True)
class Loss:
    """What an import does not keep: of which event (or of the calendar), which property, why."""

    event: str
    property: str
    reason: str

    def __str__(self) -> str:
        return f"{self.event}: {self.property}: {self.reason}"


@dataclass(frozen=True)
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

    def all(self, name: str) -> list[Property]:
        """The properties of a name."""
        return [each for each in self.properties if each.name == name]

    def first(self, name: str) -> Property | None:
        """The first property of a name."""
        return next((each for each in self.properties if each.name == name), None)

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
    for line in _LINE.split(_decode(_FOLD.sub(b"", data), report)):
        if not line.strip():
            continue
        here = open_components[-1]
        try:
            # icalendar leaves this call without types.
            parts: tuple[str, Parameters, str] = Contentline(line).raw_parts()  # type: ignore[no-untyped-call]
        except ValueError:
            _check_beginning(root, open_components, line)
            here.broken.append(line)
            continue
        name, params, value = parts[0].upper(), parts[1], parts[2]
        if name == "BEGIN":
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
            flat = {
                key.upper(): each if isinstance(each, str) else ",".join(each)
                for key, each in params.items()
            }
            here.properties.append(Property(name, flat, value))
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


def _check_beginning(root: Component, open_components: list[Component], line: str) -> None:
    """Refuse text that does not begin as iCalendar does: a web page, an address book."""
    if len(open_components) == 1 and not root.components:
        raise InvalidInputError(
            f'this is not iCalendar: it begins with "{_shown(line)}", not with BEGIN:VCALENDAR'
        )


def printable(text: str) -> str:
    """The text with nothing in it that a terminal could take for more than text."""
    return "".join(each if each.isprintable() else "?" for each in text)


def _shown(text: str) -> str:
    """A part of the file as an error may repeat it."""
    return shortened(printable(text.strip()))


def _decode(data: bytes, report: Report) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        report("the file", "is not UTF-8, which iCalendar is written in; read as Latin-1 instead")
        return data.decode("latin-1")


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
