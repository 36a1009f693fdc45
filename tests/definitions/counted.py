"""Definitions with dates that are counted from others, and the results."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from textwrap import dedent, indent

import pytest

from calfeed.definitions.reader import DefinitionReader
from calfeed.definitions.result import Definitions
from calfeed.errors import DefinitionError
from calfeed.model.dates.holiday_library import HOLIDAY_LIBRARY
from calfeed.model.dates.working_days import Holiday, HolidayData
from calfeed.model.events import Event


def write_calendar(events: str, head: str = "", time_zone: str = "Europe/London") -> bytes:
    """The file of a calendar, by the text of its `events` and further keys of its own."""
    text = f"name: Desk\ntime_zone: {time_zone}\n"
    text += f"{dedent(head).strip()}\n" if head else ""
    return (text + "events:\n" + indent(dedent(events).strip(), "  ") + "\n").encode()


def read(files: dict[str, bytes], holidays: HolidayData = HOLIDAY_LIBRARY) -> Definitions:
    """Read files by the names of their calendars, with these holidays."""
    named = {f"events/{name}.yaml": content for name, content in files.items()}
    return DefinitionReader(code="", holidays=holidays).read(named)


def resolve(
    events: str,
    head: str = "",
    holidays: HolidayData = HOLIDAY_LIBRARY,
    time_zone: str = "Europe/London",
) -> dict[str, Event]:
    """The events of one calendar by their names."""
    defined = read({"desk": write_calendar(events, head, time_zone)}, holidays)
    return {event.slug: event for event in defined.calendars[0].events}


def count_from(day: str, rule: str, head: str = "", keys: str = "") -> Event:
    """The event that is counted by a rule ("3 days after") from a day."""
    extra = f", {keys}" if keys else ""
    return resolve(
        f"cause: {{summary: Cause, start: {day}}}\nit: {{summary: It, start: {rule} cause{extra}}}",
        head,
    )["it"]


def problems_of(files: dict[str, bytes]) -> list[str]:
    """All problems of files, in order, as people see them."""
    with pytest.raises(DefinitionError) as caught:
        read(files)
    return [str(problem) for problem in caught.value.problems]


def use_holidays(*regions: str) -> str:
    """The key of a calendar whose working days leave out the holidays of regions."""
    return f"working_days: {{holidays: [{', '.join(regions)}]}}"


class AmendedHolidays:
    """The library's holidays, with some `added` and some `removed`, as another release has them."""

    def __init__(
        self,
        added: Mapping[tuple[str, date], str] | None = None,
        removed: Collection[tuple[str, date]] = (),
    ) -> None:
        self._added = added or {}
        self._removed = frozenset(removed)

    @property
    def release(self) -> str:
        return f"amended {HOLIDAY_LIBRARY.release}"

    def find_holiday(self, region: str, day: date) -> Holiday | None:
        if name := self._added.get((region, day)):
            return Holiday({"en": name})
        if (region, day) in self._removed:
            return None
        return HOLIDAY_LIBRARY.find_holiday(region, day)

    def is_weekend(self, region: str, day: date) -> bool:
        return HOLIDAY_LIBRARY.is_weekend(region, day)
