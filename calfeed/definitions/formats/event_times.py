"""Starts and ends of an event, read in its time zone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TypeAlias
from zoneinfo import ZoneInfo

from calfeed.definitions.formats.times import ParsedMoment
from calfeed.definitions.tree import Path
from calfeed.model.dates.durations import Duration
from calfeed.model.values import in_utc

_MAX_NIGHT = timedelta(hours=12)
"""The longest range over midnight that people write as two times; 09:00-05:00 has an offset."""

Report: TypeAlias = Callable[[Path, str | ValueError], None]
Warn: TypeAlias = Callable[[Path, str], None]
"""A callback that gets a path inside the event's entry and a message."""


@dataclass(frozen=True)
class EventTimeReader:
    """Reads the moments of an event in its zone; reports problems and warnings."""

    zone: ZoneInfo
    report: Report
    warn: Warn

    def read_moment(
        self, written: ParsedMoment | None, path: Path, *, of_rule: bool = False
    ) -> date | datetime | None:
        """Return the moment in the zone; report a problem if it does not exist.

        A moment `of_rule` is an occurrence, which may be at a time that the clocks skip.
        """
        if written is None:
            return None
        try:
            moment = written.in_zone(self.zone, of_rule=of_rule)
        except ValueError as error:
            self.report(path, error)
            return None
        if surprise := _explain_offset(written, moment):
            self.warn(path, surprise)
        return moment

    def check_kind(self, moment: date | datetime, start: date | datetime, path: Path) -> bool:
        """Return whether both are dates or both have a time; report a problem if not."""
        timed = isinstance(start, datetime)
        if isinstance(moment, datetime) == timed:
            return True
        kind, start_kind = ("is a date", "has a time") if timed else ("has a time", "is a date")
        example = f"{moment:%Y-%m-%d} {start:%H:%M}" if timed else f"{moment:%Y-%m-%d}"
        self.report(path, f"{kind}, but the event's start {start_kind}; write {example}")
        return False

    def read_end(
        self,
        start: date | datetime,
        end: ParsedMoment | None,
        duration: Duration | None,
        path: Path = (),
    ) -> date | datetime | None:
        """Return the exclusive end, None if neither `end` nor `duration` is given."""
        if end is not None and duration is not None:
            self.report((*path, "duration"), "cannot be combined with an end; keep one")
            return None
        if duration is not None:
            return self._end_after(start, duration, (*path, "duration"))
        place = (*path, "end")
        last = self.read_moment(end, place)
        if last is None or not self.check_kind(last, start, place):
            return None
        if isinstance(last, datetime) and isinstance(start, datetime):
            if in_utc(last) <= in_utc(start):
                hint = "omit the end of an event without duration"
                self.report(place, f"must be later than the start, {start:%Y-%m-%d %H:%M}; {hint}")
            return last
        if last < start:
            self.report(place, f"the last day must not be before the start, {start}")
        return last + timedelta(days=1)

    def _end_after(
        self, start: date | datetime, duration: Duration, path: Path
    ) -> date | datetime | None:
        if duration == Duration():
            self.report(path, "must be longer than zero; omit it for an event without duration")
            return None
        if isinstance(start, datetime):
            return duration.after(start)
        if not duration.on_calendar:
            self.report(
                path,
                'an all-day event lasts whole days; write "1 day", or add a time to the start',
            )
            return None
        return duration.after_day(start)


def _explain_offset(written: ParsedMoment, moment: date | datetime) -> str:
    """Explain an offset that was probably meant as the end of a range; "" for any other offset.

    `09:00-11:00` is a time with a UTC offset (ISO 8601), but people also write ranges like this,
    and `22:00-02:00` for one that ends on the next day.
    """
    if written.offset is None or written.clock is None or not isinstance(moment, datetime):
        return ""
    behind = written.offset < timedelta() or written.text.rstrip().endswith(("-00:00", "-0000"))
    if not behind or moment.utcoffset() == written.offset:
        return ""
    start = datetime.combine(written.day, written.clock)
    end = datetime.combine(written.day, time()) - written.offset
    if end <= start:
        end += timedelta(days=1)
        if end - start > _MAX_NIGHT:
            return ""
    return (
        f'"{written.text}" is {start:%H:%M} at an offset of -{end:%H:%M} from UTC; if it is a '
        f'range, write "start: {start:%Y-%m-%d %H:%M}" and "end: {end:%Y-%m-%d %H:%M}"'
    )
