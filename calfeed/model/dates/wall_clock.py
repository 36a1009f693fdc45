"""Read stored datetimes at their published wall times."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo


class WallClock:
    """Reads stored datetimes at their published wall times, as a pydantic validation context.

    A datetime is stored with its UTC offset at the time of publishing. Under new zone rules, the
    same instant may have another wall time, but the definition still has the old one. `shifted` is
    set if such a datetime was read.
    """

    def __init__(self) -> None:
        self.shifted = False

    def read(self, moment: datetime, zone: ZoneInfo) -> datetime:
        """Return the datetime in `zone`, with its wall time unchanged."""
        local = moment.astimezone(zone)
        if local.utcoffset() == moment.utcoffset():
            return local
        self.shifted = True
        return moment.replace(tzinfo=zone)
