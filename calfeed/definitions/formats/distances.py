"""How long before an occurrence a reminder is sent: "1 week", "3 working days", "on the day"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import time

from calfeed.errors import InvalidValueError
from calfeed.model.dates.durations import Duration, parse_duration
from calfeed.model.dates.reminder_rules import DEFAULT_REMINDER_TIME

MAX_WORKING_DAYS = 250
"""The most working days before an occurrence: about a year."""

_NO_TIME = Duration()

_WORKING = re.compile(r"(\d{1,4}) (?:working|business) days?(?: before)?")
_OF_END = re.compile(r"(?P<span>.+?) before (?:the|its) end")


@dataclass(frozen=True)
class Distance:
    """The parsed text: a duration or a number of working days, before the start or the end.

    `at` is the time of day that the text "on the day" implies, None for any other text.
    """

    before: Duration = _NO_TIME
    working: int = 0
    of_end: bool = False
    at: time | None = None

    @property
    def on_calendar(self) -> bool:
        """Whether the distance is in whole days, so that a time of day can be chosen."""
        return self.before.on_calendar and not self.of_end

    def __str__(self) -> str:
        return f"{self.before} before the end" if self.of_end else str(self.before)


def parse_distance(text: str) -> Distance:
    """Parse the distance of a reminder; raise ValueError for an invalid one."""
    words = re.sub(" +", " ", text.strip().lower())
    if words == "on the day":
        return Distance(at=DEFAULT_REMINDER_TIME)
    if words == "the last hour":
        return Distance(Duration(minutes=60), of_end=True)
    if found := _OF_END.fullmatch(words):
        return Distance(parse_duration(found["span"]), of_end=True)
    if found := _WORKING.fullmatch(words):
        count = int(found[1])
        if not 1 <= count <= MAX_WORKING_DAYS:
            raise InvalidValueError(
                text, f"counts {count} working days; a reminder counts 1 to {MAX_WORKING_DAYS}"
            )
        return Distance(working=count)
    return Distance(parse_duration(text))
