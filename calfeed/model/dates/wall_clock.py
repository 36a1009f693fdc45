"""Read stored datetimes at their published wall times."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo


class WallClock:
    """Reads stored datetimes at their published wall times, as a pydantic validation context.

    A datetime is stored with the UTC offset that it had when it was published. If the zone's rules
    have changed since, the same instant may have another wall time, while the definition still has
    the old wall time. `shifted` is True once such a datetime was read.
    """

    def __init__(self) -> None:
        self.shifted = False

    def read(self, moment: datetime, zone: ZoneInfo) -> datetime:
        """Return the stored datetime in `zone`, at its published wall time."""
        local = moment.astimezone(zone)
        if local.utcoffset() == moment.utcoffset():
            return local
        self.shifted = True
        return moment.replace(tzinfo=zone)
