"""The digests of the files that calendars were published from.

Nothing but time is lost with them: a calendar without one is read from its files.
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


def load_known(connection: Connection) -> dict[str, CalendarReading]:
    """What is known of the files of published calendars, by slug."""
    found = {}
    for row in connection.execute(select(readings)):
        with suppress(ValueError, TypeError):  # what is damaged is not known
            warnings = tuple(DefinitionWarning(**each) for each in json.loads(row.warnings))
            found[row.calendar] = CalendarReading(row.digest, warnings)
    return found


def save_known(connection: Connection, known: Mapping[str, CalendarReading]) -> None:
    """Keep this, and nothing else; what is as it was is not written."""
    kept = load_known(connection)
    gone = kept.keys() - known.keys()
    if gone:
        connection.execute(delete(readings).where(readings.c.calendar.in_(sorted(gone))))
    values = [
        {
            "calendar": slug,
            "digest": one.digest,
            "warnings": json.dumps([asdict(warning) for warning in one.warnings]),
        }
        for slug, one in sorted(known.items())
        if kept.get(slug) != one
    ]
    if values:
        owners = [(one["calendar"],) for one in values]
        sealed = seal_rows(connection, readings, values, owners)
        connection.execute(upsert(connection, readings), sealed)
