"""Remove everything from a definition that the definition reader rejects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from itertools import groupby
from typing import Any

from calfeed.definitions.reader import read_definitions
from calfeed.definitions.tree import MAX_FILE_BYTES
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
    **{detail.key: detail.name for detail in PROPERTIES.values()},
}
# Entries that are removed as a whole, because they are invalid without one of their keys, by the
# length of their paths within the event.
_PRUNED_DEPTHS = {"organizer": 1, "conference": 1, "reminders": 2}
# Without these, an event would have no title or take place at other times.
_REQUIRED = (("summary",), ("start",), *(("repeat", key) for key in ("except", "also", "changes")))
_MAX_ROUNDS = 20
_MAX_PART_BYTES = MAX_FILE_BYTES // 2
"""The maximum size of a file in a folder: half of the limit, because people add events later."""


def write_accepted(
    head: dict[str, Any],
    events: dict[str, dict[str, Any]],
    slug: str,
    comment: str,
    losses: Losses,
) -> tuple[dict[str, bytes], dict[str, dict[str, Any]]]:
    """Return the files of a valid definition by path, and the remaining events.

    Removed parts are reported with the messages of the definition reader. Raises
    InvalidInputError if the calendar itself is invalid.
    """
    definition = {**head, "events": events}
    problems: tuple[Problem, ...] = ()
    for _ in range(_MAX_ROUNDS):
        files = _write(definition, slug, comment)
        try:
            read_definitions({f"events/{file}": text for file, text in files.items()})
        except DefinitionError as error:
            problems = error.problems
            _prune(definition, problems, losses)
        else:
            return files, definition["events"]
    raise InvalidInputError(f"the calendar cannot be kept: {problems[0].message}")


def day_of(written: object) -> date:
    """Return the day of a moment in a definition."""
    return written if isinstance(written, date) else date.fromisoformat(str(written)[:10])


def first_text(text: str | dict[str, str]) -> str:
    """Return a text of a definition in its first language."""
    return text if isinstance(text, str) else next(iter(text.values()))


def _write(definition: dict[str, Any], slug: str, comment: str) -> dict[str, bytes]:
    """Write one file, or if it would be too large, a folder with files per year."""
    text = write_definition(definition, comment)
    if len(text) <= MAX_FILE_BYTES:
        return {f"{slug}.yaml": text}
    files = {f"{slug}/calendar.yaml": write_definition({**definition, "events": {}}, comment)}
    years = groupby(definition["events"].items(), key=lambda item: day_of(item[1]["start"]).year)
    for year, items in years:
        for number, part in enumerate(_parts(items)):
            name = f"{slug}/{year}-{number + 1}.yaml" if number else f"{slug}/{year}.yaml"
            files[name] = write_definition({"events": part}, comment)
    return files


def _parts(items: Iterable[tuple[str, dict[str, Any]]]) -> Iterator[dict[str, dict[str, Any]]]:
    """Split events into parts that fit into a file."""
    part: dict[str, dict[str, Any]] = {}
    size = 0
    for name, entry in items:
        length = len(write_definition({name: entry}, ""))
        if part and size + length > _MAX_PART_BYTES:
            yield part
            part, size = {}, 0
        part[name] = entry
        size += length
    yield part


def _prune(definition: dict[str, Any], problems: tuple[Problem, ...], losses: Losses) -> None:
    events = definition["events"]
    named = {
        slug: label(first_text(e["summary"]), day_of(e["start"])) for slug, e in events.items()
    }
    # In reverse order, so that indexes in lists stay valid.
    places = {tuple(problem.key.split(".")): problem for problem in problems}
    for path in sorted(places, key=lambda path: [part.zfill(6) for part in path], reverse=True):
        problem = places[path]
        if path[0] != "events" or len(path) < 2:
            if path[0] in ("name", "time_zone", "events", ""):
                raise InvalidInputError(f"the calendar cannot be kept: {problem.message}")
            definition.pop(path[0], None)
            losses.reporter(CALENDAR)(path[0].upper(), problem.message)
            continue
        slug, *inner = path[1:]
        if inner and inner[0] in _PRUNED_DEPTHS:
            inner = inner[: _PRUNED_DEPTHS[inner[0]]]
        report = losses.reporter(named[slug])
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
    """Remove the node at a path, if it still exists."""
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
