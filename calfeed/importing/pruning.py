"""A definition without what calfeed would refuse: the reader itself says what that is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from itertools import groupby
from typing import Any

from calfeed.definitions.reader import read_definitions
from calfeed.definitions.tree import LARGEST_FILE
from calfeed.errors import DefinitionError, InvalidInputError, Problem
from calfeed.importing.components import label
from calfeed.importing.losses import CALENDAR, Losses
from calfeed.importing.writing import write_definition
from calfeed.model.events import PROPERTIES

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
    **{one.key: one.name for one in PROPERTIES.values()},
}
# How much of a path is taken out where one key of a map cannot go without the others.
_WHOLE = {"organizer": 1, "conference": 1, "reminders": 2}
# Without these an event would take place at other times.
_REQUIRED = (("summary",), ("start",), *(("repeat", key) for key in ("except", "also", "changes")))
_MOST_ROUNDS = 20
_LARGEST_PART = LARGEST_FILE // 2
"""How large a file of a folder becomes: half of what is read, as people add to it."""


def write_accepted(
    head: dict[str, Any],
    events: dict[str, dict[str, Any]],
    slug: str,
    comment: str,
    losses: Losses,
) -> tuple[dict[str, bytes], dict[str, dict[str, Any]]]:
    """The files of a definition, less what the reader refuses in the calendar `slug`.

    Also the events that are left. What is taken out is reported with the reader's words. The
    files are by their paths in the definitions folder. Raises InvalidInputError where the
    definition as a whole is refused.
    """
    definition = {**head, "events": events}
    problems: tuple[Problem, ...] = ()
    for _ in range(_MOST_ROUNDS):
        files = _write(definition, slug, comment)
        try:
            read_definitions({f"events/{file}": text for file, text in files.items()})
        except DefinitionError as error:
            problems = error.problems
            _take_out(definition, problems, losses)
        else:
            return files, definition["events"]
    raise InvalidInputError(f"the calendar cannot be kept: {problems[0].message}")


def day_of(written: object) -> date:
    """The day of a moment as a definition has it."""
    return written if isinstance(written, date) else date.fromisoformat(str(written)[:10])


def first_text(text: str | dict[str, str]) -> str:
    """A text as a definition has it, in its first language."""
    return text if isinstance(text, str) else next(iter(text.values()))


def _write(definition: dict[str, Any], slug: str, comment: str) -> dict[str, bytes]:
    """One file, or where that is too large a folder with a file for each year or part of one."""
    text = write_definition(definition, comment)
    if len(text) <= LARGEST_FILE:
        return {f"{slug}.yaml": text}
    files = {f"{slug}/calendar.yaml": write_definition({**definition, "events": {}}, comment)}
    years = groupby(definition["events"].items(), key=lambda item: day_of(item[1]["start"]).year)
    for year, items in years:
        for number, part in enumerate(_parts(items)):
            name = f"{slug}/{year}-{number + 1}.yaml" if number else f"{slug}/{year}.yaml"
            files[name] = write_definition({"events": part}, comment)
    return files


def _parts(items: Iterable[tuple[str, dict[str, Any]]]) -> Iterator[dict[str, dict[str, Any]]]:
    """Events in maps that make files of the size they may have."""
    part: dict[str, dict[str, Any]] = {}
    size = 0
    for name, entry in items:
        length = len(write_definition({name: entry}, ""))
        if part and size + length > _LARGEST_PART:
            yield part
            part, size = {}, 0
        part[name] = entry
        size += length
    yield part


def _take_out(definition: dict[str, Any], problems: tuple[Problem, ...], losses: Losses) -> None:
    events = definition["events"]
    named = {
        slug: label(first_text(e["summary"]), day_of(e["start"])) for slug, e in events.items()
    }
    # Those further down first, so that the places in a list stay what they are.
    places = {tuple(problem.key.split(".")): problem for problem in problems}
    for path in sorted(places, key=lambda path: [part.zfill(6) for part in path], reverse=True):
        problem = places[path]
        if path[0] != "events" or len(path) < 2:
            if path[0] in ("name", "time_zone", "events", ""):
                raise InvalidInputError(f"the calendar cannot be kept: {problem.message}")
            definition.pop(path[0], None)
            losses.of(CALENDAR)(path[0].upper(), problem.message)
            continue
        slug, *inner = path[1:]
        if inner and inner[0] in _WHOLE:
            inner = inner[: _WHOLE[inner[0]]]
        report = losses.of(named[slug])
        error = problem.error
        value, reason = (error.value, error.reason) if error else ("", problem.message)
        if not inner or tuple(inner) in _REQUIRED:
            events.pop(slug, None)
            report("VEVENT", f"is left out: {reason}", value)
            continue
        named_keys = [part for part in inner if part in _PROPERTIES]
        name = _PROPERTIES[named_keys[-1]] if named_keys else inner[0].upper()
        report(name, reason, value)
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
