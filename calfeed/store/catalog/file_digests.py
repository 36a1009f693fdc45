"""Digests of the definition files that calendars were published from.

They are a cache: a calendar without a digest is read from its files again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict

from sqlalchemy import Connection, delete, select

from calfeed.definitions.calendar_readings import CalendarReading
from calfeed.errors import DefinitionWarning
from calfeed.store.secrets.private import seal_rows
from calfeed.store.tables import readings
from calfeed.store.upsert import upsert


def load_file_digests(connection: Connection) -> dict[str, CalendarReading]:
    """Load the file digests and warnings of published calendars, by slug."""
    digests = {}
    for row in connection.execute(select(readings)):
        with suppress(ValueError, TypeError):  # ignore damaged rows
            warnings = tuple(DefinitionWarning(**warning) for warning in json.loads(row.warnings))
            digests[row.calendar] = CalendarReading(row.digest, warnings)
    return digests


def save_file_digests(connection: Connection, known: Mapping[str, CalendarReading]) -> None:
    """Replace the stored digests; unchanged rows are not written."""
    stored = load_file_digests(connection)
    if obsolete := stored.keys() - known.keys():
        connection.execute(delete(readings).where(readings.c.calendar.in_(sorted(obsolete))))
    values = [
        {
            "calendar": slug,
            "digest": files.digest,
            "warnings": json.dumps([asdict(warning) for warning in files.warnings]),
        }
        for slug, files in sorted(known.items())
        if stored.get(slug) != files
    ]
    if values:
        owners = [(row["calendar"],) for row in values]
        sealed = seal_rows(connection, readings, values, owners)
        connection.execute(upsert(connection, readings), sealed)
