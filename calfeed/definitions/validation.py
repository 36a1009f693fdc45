"""Validate a map of the tree as an entry of `keys`, with readable messages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from calfeed.definitions.formats.scalars import describe_type
from calfeed.definitions.hints.keys import explain_key, explain_word, find_key
from calfeed.definitions.hints.moments import suggest_moment
from calfeed.definitions.hints.rules import suggest_rule
from calfeed.definitions.keys.calendars import (
    CalendarFile,
    ChangeEntry,
    ConferenceEntry,
    EventEntry,
    EventsFile,
    OrganizerEntry,
    RepeatEntry,
    SourceEntry,
)
from calfeed.definitions.keys.dates import (
    ClosureEntry,
    CorrectionEntry,
    DoneEntry,
    ReminderEntry,
    WorkingDaysEntry,
)
from calfeed.definitions.keys.entries import Entry
from calfeed.definitions.tree import Document, Node, Path
from calfeed.errors import InvalidValueError
from calfeed.model.texts import join_words, shortened

_E = TypeVar("_E", bound=Entry)

_ENTRIES: Mapping[str | int, type[Entry]] = {
    "changes": ChangeEntry,
    "closed": ClosureEntry,
    "conference": ConferenceEntry,
    "correction": CorrectionEntry,
    "done": DoneEntry,
    "organizer": OrganizerEntry,
    "reminders": ReminderEntry,
    "repeat": RepeatEntry,
    "sources": SourceEntry,
    "working_days": WorkingDaysEntry,
}


def read_entry(
    entry: type[_E], node: Node, document: Document, path: Path, fallback: Mapping[str, Node]
) -> _E | None:
    """Validate the node at `path` as an `entry`, and report all problems.

    If there are problems, the valid keys are still returned if possible, for further checks;
    `fallback` has values for invalid required keys.
    """
    context = {"today": document.today}
    try:
        return entry.model_validate(node, context=context)
    except ValidationError as error:
        bad: set[Path] = set()
        found = error.errors(include_url=False)
        meant = _intended_keys(found, node, entry)
        for details in found:
            place = _path_in_file(node, details["loc"])
            numbers = (i for i, part in enumerate(place) if isinstance(part, int))
            bad.add(place[: next(numbers, len(place))])
            if details["type"] == "missing" and (*place, details["loc"][-1]) in meant:
                continue  # reported as an unknown key with a suggestion
            reported = (*path, *place) in document.paths_with_problems
            if place and reported and _node_at(node, place) is None:
                continue  # already reported while parsing
            document.report((*path, *place), _explain(details, entry, place, node))
        if not isinstance(node, dict):
            return None
        try:
            return entry.model_validate({**fallback, **_without(node, bad)}, context=context)
        except ValidationError:
            return None


def _intended_keys(found: list[ErrorDetails], node: Node, entry: type[Entry]) -> set[Path]:
    """Return the keys that were probably meant by unknown keys."""
    meant: set[Path] = set()
    for details in found:
        if details["type"] == "extra_forbidden":
            *around, key = place = _path_in_file(node, details["loc"])
            if name := find_key(str(key), _keys_of(_entry_at(entry, place[:-1]))):
                meant.add((*around, name))
    return meant


def _path_in_file(node: Node, location: tuple[str | int, ...]) -> Path:
    """Return the part of pydantic's location that exists in the file."""
    place: list[str | int] = []
    for part in location:
        if isinstance(part, str) and isinstance(node, dict):
            if part not in node:
                break
            node = node[part]
        elif isinstance(part, int) and isinstance(node, list):
            node = node[part]
        else:
            break
        place.append(part)
    return tuple(place)


def _without(node: dict[str, Node], bad: set[Path], path: Path = ()) -> dict[str, Node]:
    return {
        key: _without(value, bad, (*path, key)) if isinstance(value, dict) else value
        for key, value in node.items()
        if (*path, key) not in bad
    }


def _node_at(node: Node, place: Path) -> Node:
    """Return the node at a path inside `node`."""
    for part in place:
        if isinstance(node, dict):
            node = node[str(part)]
        elif isinstance(node, list):
            node = node[int(part)]
    return node


def _explain(
    details: ErrorDetails, entry: type[Entry], place: Path, node: Node
) -> str | ValueError:
    kind, value, context = details["type"], details["input"], details.get("ctx", {})
    if kind == "value_error":
        error: ValueError = context["error"]
        return error
    if kind == "missing":
        key = details["loc"][-1]
        about = _entry_at(entry, place).model_fields[str(key)].description or ""
        if about[1:2].islower():
            about = about[:1].lower() + about[1:]
        return f'the key "{key}" is missing ({about})'
    if kind == "extra_forbidden":
        return _explain_unknown(
            str(place[-1]), _entry_at(entry, place[:-1]), _node_at(node, place[:-1])
        )
    if kind == "enum" and isinstance(value, str):
        hint = explain_word(value, re.findall(r"\w+", context["expected"]))
        shown = shortened(str(_node_at(node, place)))
        return InvalidValueError(shown, f"is not valid here; write {context['expected']}{hint}")
    if kind == "enum":
        return f"must be a text, not {describe_type(value)}"
    if kind == "too_long":
        # pydantic does not always report the length of a map.
        return f"has {len(details['input']):,} entries; the maximum is {context['max_length']:,}"
    if kind == "list_type":
        hint = f"; write [{shortened(value)}]" if isinstance(value, str) else ""
        return f"must be a list, such as [one, another], not {describe_type(value)}{hint}"
    inner = _entry_at(entry, place)
    keys = "" if kind == "dict_type" else f" with the keys {join_words(_keys_of(inner))}"
    hint = ""
    if inner is RepeatEntry and isinstance(value, str):
        rule = value.strip() if "=" in value else suggest_rule(value)
        like = "" if rule else " a rule, such as"
        hint = f'; write{like} repeat: {{rule: "{rule or "FREQ=MONTHLY;BYDAY=-1TH"}"}}'
    elif inner is EventEntry and isinstance(value, str) and (day := suggest_moment(value)):
        hint = f"; write {{summary: its title, start: {day}}}"
    elif isinstance(value, str) and value.partition(":")[0] in _keys_of(inner):
        hint = f'; write a space after each colon, as "{value.partition(":")[0]}: …"'
    return f"must be a map{keys}, but is {describe_type(value)}{hint}"


def _entry_at(entry: type[Entry], place: Path) -> type[Entry]:
    """Return the entry type at `place`."""
    return next((_ENTRIES[part] for part in reversed(place) if part in _ENTRIES), entry)


def _keys_of(entry: type[Entry]) -> list[str]:
    return [field.alias or name for name, field in entry.model_fields.items()]


def _explain_unknown(key: str, entry: type[Entry], node: Node) -> str:
    if entry is EventsFile and key in CalendarFile.model_fields:
        return f'"{key}" belongs in calendar.yaml; other files of the calendar have only events'
    return explain_key(key, node if isinstance(node, dict) else {}, _keys_of(entry))
