"""JSON Schema of the definition files, for completion and checks in editors."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from calfeed.definitions.keys import CalendarFile, EventsFile


def make_schema() -> dict[str, Any]:
    """The schema (JSON Schema 2020-12) of every kind of definition file.

    Editors type YAML's scalars themselves, so texts may be numbers and booleans there; what goes
    with what is left to the reader, which says it better.
    """
    schema = TypeAdapter(CalendarFile | EventsFile).json_schema(by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "calfeed definitions",
        "description": "A calendar and its events, or further events of a calendar in a folder.",
        **schema,
    }
