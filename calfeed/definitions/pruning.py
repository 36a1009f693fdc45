"""A definition without what calfeed would refuse: the reader itself says what that is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from calfeed.definitions.components import Report, label
from calfeed.definitions.reader import read_definitions
from calfeed.definitions.writing import write_definition
from calfeed.errors import DefinitionError, InvalidInputError, Problem

_PROPERTIES = {
    "start": "DTSTART",
    "end": "DTEND",
    "time_zone": "TZID",
    "reminders": "VALARM",
    "rule": "RRULE",
    "except": "EXDATE",
    "also": "RDATE",
    "changes": "RECURRENCE-ID",
    "repeat": "RRULE",
}
# How much of a path is taken out where one key of a map cannot go without the others.
_WHOLE = {"organizer": 1, "conference": 1, "reminders": 2}
_REQUIRED = ("summary", "start")


def write_accepted(
    definition: dict[str, Any], slug: str, comment: str, reporter: Callable[[str], Report]
) -> bytes:
    """The YAML text of a definition, less what the reader refuses in the calendar `slug`.

    What is taken out, of `definition` as well, is reported with the reader's words. Raises
    InvalidInputError where the file as a whole is refused.
    """
    file = f"events/{slug}.yaml"
    while True:
        text = write_definition(definition, comment)
        try:
            read_definitions({file: text})
        except DefinitionError as error:
            _take_out(definition, error.problems, reporter)
        else:
            return text


def day_of(written: object) -> date:
    """The day of a moment as a definition has it."""
    return written if isinstance(written, date) else date.fromisoformat(str(written)[:10])


def first_text(text: str | dict[str, str]) -> str:
    """A text as a definition has it, in its first language."""
    return text if isinstance(text, str) else next(iter(text.values()))


def _take_out(
    definition: dict[str, Any], problems: tuple[Problem, ...], reporter: Callable[[str], Report]
) -> None:
    events = definition["events"]
    named = {
        slug: label(first_text(e["summary"]), day_of(e["start"])) for slug, e in events.items()
    }
    # Those further down first, so that the places in a list stay what they are.
    places = {tuple(problem.key.split(".")): problem.message for problem in problems}
    for path in sorted(places, key=lambda path: [part.zfill(6) for part in path], reverse=True):
        message = places[path]
        if path[0] != "events" or len(path) < 2:
            if path[0] in ("name", "time_zone", "events", ""):
                raise InvalidInputError(f"the calendar cannot be kept: {message}")
            definition.pop(path[0], None)
            reporter("the calendar")(path[0].upper(), message)
            continue
        slug, *inner = path[1:]
        if inner and inner[0] in _WHOLE:
            inner = inner[: _WHOLE[inner[0]]]
        report = reporter(named[slug])
        if not inner or inner[0] in _REQUIRED:
            events.pop(slug, None)
            report("VEVENT", f"is left out: {message}")
            continue
        named_keys = [part for part in inner if part in _PROPERTIES]
        report(_PROPERTIES[named_keys[-1]] if named_keys else inner[0].upper(), message)
        _remove(events.get(slug, {}), inner)


def _remove(node: Any, path: list[str]) -> None:
    """Remove what is at a path of keys and places, if it is still there."""
    *outer, last = path
    for part in outer:
        node = _child(node, part)
    if isinstance(node, list) and last.isdigit() and int(last) < len(node):
        del node[int(last)]
    elif isinstance(node, dict):
        found = [key for key in node if str(key) == last]
        for key in found:
            del node[key]


def _child(node: Any, part: str) -> Any:
    if isinstance(node, list):
        return node[int(part)] if part.isdigit() and int(part) < len(node) else None
    if isinstance(node, dict):
        return next((value for key, value in node.items() if str(key) == part), None)
    return None
