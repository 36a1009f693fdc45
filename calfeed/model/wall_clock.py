"""Stored moments at the wall time that they were published with."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo


class WallClock:
    """Reads stored moments at the wall time that they were published with.

    A moment is stored with the offset that its zone had by the rules of that day. By new rules the
    same instant is at another wall time, while the definition goes on saying the old wall time.
    Given as the context of pydantic's validation; `shifted` says whether there was such a moment.
    """

    def __init__(self) -> None:
        self.shifted = False

    def read(self, moment: datetime, zone: ZoneInfo) -> datetime:
        """A moment with its offset, on the wall clock of `zone`."""
        found = moment.astimezone(zone)
        if found.utcoffset() == moment.utcoffset():
            return found
        self.shifted = True
        return moment.replace(tzinfo=zone)
