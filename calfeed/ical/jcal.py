"""A feed as jCal (RFC 7265), as icalendar reads it, in a twentieth of the time.

The lines that nearly all of a feed consists of are read here; icalendar reads every other one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, TypeAlias

import icalendar

from calfeed.ical.feed import FOOTER

Property: TypeAlias = list[Any]

_EVENT = re.compile(rb"^BEGIN:VEVENT\r\n", re.MULTILINE)
_LINE = re.compile(r'([A-Z-]+)((?:;[A-Z-]+=(?:"[^"^\\]*"|[^";:,^\\]*))*):(.*)', re.DOTALL)
_PARAMETER = re.compile(r';([A-Z-]+)=(?:"([^"]*)"|([^;]*))')
_ESCAPED = re.compile(r"\\([\\;,nN])")
_TYPES = {
    **dict.fromkeys(("SUMMARY", "DESCRIPTION", "LOCATION", "UID", "CONTACT"), "text"),
    **dict.fromkeys(("URL", "LINK", "IMAGE", "CONFERENCE"), "uri"),
    **dict.fromkeys(("DTSTART", "DTEND", "DTSTAMP", "CREATED", "LAST-MODIFIED"), "date-time"),
    **dict.fromkeys(("RECURRENCE-ID", "EXDATE", "RDATE"), "date-time"),
    "SEQUENCE": "integer",
    "X-ALT-DESC": "unknown",
}
"""The types of the properties whose values differ from event to event."""


def render_jcal(feed: bytes) -> bytes:
    """A feed of ours as jCal in UTF-8, each event on a line of its own."""
    # A line of text can end so, but it cannot begin so: what is folded begins with a space.
    head, *events = _EVENT.split(feed.removesuffix(FOOTER))
    name, properties, zones = icalendar.Calendar.from_ical(head + FOOTER).to_jcal()
    components = [*map(_dump, zones), *(_dump(_read_event(one.decode())) for one in events)]
    joined = ",\n".join(components)
    return f'["{name}",{_dump(properties)},[\n{joined}\n]]\n'.encode()


def _read_event(text: str) -> list[Any]:
    """An event, without its first line, with the components in it."""
    lines = iter(text.replace("\r\n ", "").split("\r\n"))
    return ["vevent", *_read_component(lines)]


def _read_component(lines: Iterator[str]) -> tuple[list[Property], list[Any]]:
    properties: list[Property] = []
    components: list[Any] = []
    for line in lines:
        if line.startswith("BEGIN:"):
            components.append([line[6:].lower(), *_read_component(lines)])
        elif line.startswith("END:"):
            break
        else:
            properties.append(_read_quickly(line) or _read_line(line))
    return properties, components


def _read_quickly(line: str) -> Property | None:
    """A property of a known type; None where there is more to it."""
    found = _LINE.fullmatch(line)
    if found is None or (kind := _TYPES.get(found[1])) is None:
        return None
    parameters = {name: quoted or plain for name, quoted, plain in _PARAMETER.findall(found[2])}
    kind = parameters.pop("VALUE", kind).lower()
    text = found[3]
    values: list[Any] = [text]
    if kind == "text":
        values = [_ESCAPED.sub(_unescape, text)]
    elif kind in ("date", "date-time"):
        # icalendar takes the wall times of some zones for UTC, Iceland's for one.
        values = [_write_moment(part) for part in text.split(",")]
    elif kind == "integer":
        values = [int(text)]
    elif "\\" in text and kind != "unknown":
        return None
    return [found[1].lower(), {name.lower(): of for name, of in parameters.items()}, kind, *values]


def _write_moment(text: str) -> str:
    """A DATE or DATE-TIME as jCal has it: `2030-02-11T10:30:00`."""
    day = f"{text[:4]}-{text[4:6]}-{text[6:8]}"
    return f"{day}T{text[9:11]}:{text[11:13]}:{text[13:]}" if len(text) > 8 else day


# The lines that are left say the same of many events: their status, their rule, their alarm.
@lru_cache(maxsize=2048)
def _read_line(line: str) -> Property:
    """A property, as icalendar reads it."""
    component = f"BEGIN:VEVENT\r\n{line}\r\nEND:VEVENT\r\n"
    ((read,), _) = icalendar.Event.from_ical(component).to_jcal()[1:]
    return list(read)


def _unescape(found: re.Match[str]) -> str:
    return "\n" if found[1] in "nN" else found[1]


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
