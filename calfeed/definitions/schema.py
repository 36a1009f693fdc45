"""JSON Schema of the definition files, for completion and validation in editors."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from calfeed.definitions.keys.calendars import CalendarFile, EventsFile
from calfeed.definitions.keys.site import SiteFile


def make_schema() -> dict[str, Any]:
    """Return the schema (JSON Schema 2020-12) of all definition files.

    Texts may be numbers and booleans, as editors interpret YAML scalars. Combinations of keys are
    validated only by the reader, which has better messages.
    """
    schema = TypeAdapter(CalendarFile | EventsFile | SiteFile).json_schema(by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "calfeed definitions",
        "description": "A calendar and its events, more events of a calendar, or the site.",
        **schema,
    }
