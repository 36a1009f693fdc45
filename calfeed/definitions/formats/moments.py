"""Moments and ends of one event, read in its zone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TypeAlias
from zoneinfo import ZoneInfo

from calfeed.definitions.formats.times import Written
from calfeed.definitions.tree import Path
from calfeed.model.durations import Duration

Report: TypeAlias = Callable[[Path, str | ValueError], None]
Warn: TypeAlias = Callable[[Path, str], None]
"""Takes a path inside the entry and what there is to say about it."""


@dataclass(frozen=True)
class Ground:
    """The zone an event's moments are read in, and where problems and warnings go."""

    zone: ZoneInfo
    report: Report
    warn: Warn

    def moment(self, written: Written | None, path: Path) -> date | datetime | None:
        """The moment in the zone; None, and a problem, where there is no such moment."""
        if written is None:
            return None
        try:
            moment = written.in_zone(self.zone)
        except ValueError as error:
            self.report(path, error)
            return None
        if surprise := _explain_offset(written, moment):
            self.warn(path, surprise)
        return moment

    def same_kind(self, moment: date | datetime, start: date | datetime, path: Path) -> bool:
        """True where both are dates or both have a time; else a problem is reported."""
        timed = isinstance(start, datetime)
        if isinstance(moment, datetime) == timed:
            return True
        has, starts = ("is a date", "has a time") if timed else ("has a time", "is a date")
        right = f"{moment:%Y-%m-%d} {start:%H:%M}" if timed else f"{moment:%Y-%m-%d}"
        self.report(path, f"{has}, but the event's start {starts}; write {right}")
        return False

    def end(
        self,
        start: date | datetime,
        end: Written | None,
        duration: Duration | None,
        path: Path = (),
    ) -> date | datetime | None:
        """The exclusive end of what begins at `start`, None where nothing is written."""
        if end is not None and duration is not None:
            self.report((*path, "duration"), "goes instead of an end, not with it; keep one")
            return None
        if duration is not None:
            return self._end_after(start, duration, (*path, "duration"))
        place = (*path, "end")
        last = self.moment(end, place)
        if last is None or not self.same_kind(last, start, place):
            return None
        if isinstance(last, datetime) and isinstance(start, datetime):
            if last <= start:
                hint = "an event without length has no end"
                self.report(place, f"must be later than the start, {start:%Y-%m-%d %H:%M}; {hint}")
            return last
        if last < start:
            self.report(place, f"the last day must not be before the start, {start}")
        return last + timedelta(days=1)

    def _end_after(
        self, start: date | datetime, duration: Duration, path: Path
    ) -> date | datetime | None:
        if duration == Duration():
            self.report(path, "must be longer than nothing; leave it away for no length")
            return None
        if isinstance(start, datetime):
            return duration.after(start)
        if not duration.on_calendar:
            self.report(
                path,
                'an all-day event lasts whole days; write "1 day", or give the start a time of day',
            )
            return None
        return duration.after_day(start)


def _explain_offset(written: Written, moment: date | datetime) -> str:
    """What is surprising about an offset that could be the end of a range; empty if nothing is.

    `09:00-11:00` is a time with an offset (ISO 8601), and how people write from nine to eleven.
    """
    if written.offset is None or written.clock is None or not isinstance(moment, datetime):
        return ""
    start = datetime.combine(written.day, written.clock)
    end = datetime.combine(written.day, time()) - written.offset
    if end <= start or moment.utcoffset() == written.offset:
        return ""
    return (
        f'"{written.text}" is {start:%H:%M} at an offset of -{end:%H:%M} from UTC; if it is a '
        f'range, write "start: {start:%Y-%m-%d %H:%M}" and "end: {end:%Y-%m-%d %H:%M}"'
    )
