"""A map of the tree to its entry in `keys`, and everything wrong with it in people's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from calfeed.definitions.keys import (
    CalendarFile,
    ChangeEntry,
    ConferenceEntry,
    Entry,
    EventsFile,
    OrganizerEntry,
    ReminderEntry,
    RepeatEntry,
    SourceEntry,
)
from calfeed.definitions.scalars import name_shape
from calfeed.definitions.texts import listed, nearest, shortened
from calfeed.definitions.tree import Document, Node, Path

_E = TypeVar("_E", bound=Entry)

_ENTRIES: Mapping[str | int, type[Entry]] = {
    "changes": ChangeEntry,
    "conference": ConferenceEntry,
    "organizer": OrganizerEntry,
    "reminders": ReminderEntry,
    "repeat": RepeatEntry,
    "sources": SourceEntry,
}


def read_entry(
    entry: type[_E], node: Node, document: Document, path: Path, instead: Mapping[str, Node]
) -> _E | None:
    """Read the node at `path` as an `entry`, and report everything wrong with it.

    Where something is wrong, what is right is still returned if it can stand alone, so that it
    can be checked further; `instead` gives values for required keys that are not usable.
    """
    try:
        return entry.model_validate(node)
    except ValidationError as error:
        bad: set[Path] = set()
        for details in error.errors(include_url=False):
            place = _written(node, details["loc"])
            document.report((*path, *place), _explain(details, entry, place))
            numbers = (i for i, part in enumerate(place) if isinstance(part, int))
            bad.add(place[: next(numbers, len(place))])
        if not isinstance(node, dict):
            return None
        try:
            return entry.model_validate({**instead, **_without(node, bad)})
        except ValidationError:
            return None


def _written(node: Node, location: tuple[str | int, ...]) -> Path:
    """The part of pydantic's location that is written in the file."""
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


def _explain(details: ErrorDetails, entry: type[Entry], place: Path) -> str:
    kind, value, context = details["type"], details["input"], details.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    if kind == "missing":
        key = details["loc"][-1]
        about = _entry_at(entry, place).model_fields[str(key)].description or ""
        if about[1:2].islower():
            about = about[:1].lower() + about[1:]
        return f'the key "{key}" is missing ({about})'
    if kind == "extra_forbidden":
        return _explain_unknown(str(place[-1]), _entry_at(entry, place[:-1]))
    if kind == "enum" and isinstance(value, str):
        return f'"{shortened(value)}" is not known here; write {context["expected"]}'
    if kind == "enum":
        return f"must be a text, not {name_shape(value)}"
    if kind == "too_long":
        return f"has {context['actual_length']:,} entries; the most is {context['max_length']:,}"
    if kind == "list_type":
        return f"must be a list, such as [one, another], not {name_shape(value)}"
    keys = listed(_keys_of(_entry_at(entry, place)))
    hint = "" if kind == "dict_type" else f" with the keys {keys}"
    return f"must be a map{hint}, but is {name_shape(value)}"


def _entry_at(entry: type[Entry], place: Path) -> type[Entry]:
    """The entry whose keys are written at `place`."""
    return next((_ENTRIES[part] for part in reversed(place) if part in _ENTRIES), entry)


def _keys_of(entry: type[Entry]) -> list[str]:
    return [field.alias or name for name, field in entry.model_fields.items()]


def _explain_unknown(key: str, entry: type[Entry]) -> str:
    if entry is EventsFile and key in CalendarFile.model_fields:
        return f'"{key}" belongs in calendar.yaml; a file beside it has only events'
    keys = _keys_of(entry)
    near = nearest(key, keys)
    hint = f'did you mean "{near}"?' if near else f"the keys here are {listed(keys)}"
    return f'there is no key "{shortened(key)}" here; {hint}'
