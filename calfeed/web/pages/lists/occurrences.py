"""The occurrences of a window as JSON for browser widgets such as FullCalendar."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from calfeed.ical.wording.dates_text import format_title
from calfeed.model.colors import COLORS
from calfeed.web.pages.lists.entries import Entry
from calfeed.web.pages.lists.marks import MARKS
from calfeed.web.pages.lists.months import FIRST_YEAR, LAST_YEAR
from calfeed.web.pages.reader.languages import Reader
from calfeed.web.published.timeline import Timeline

_MAX_WINDOW = timedelta(days=800)
_MAX_OCCURRENCES = 2_000


def read_window(start: str, end: str, today: date) -> tuple[date, date] | None:
    """Parse a window of days, `end` exclusive (ISO 8601).

    By default, the window is last year, this year and next year. Return None if it is not valid.
    """
    if not start and not end:
        return date(today.year - 1, 1, 1), date(today.year + 2, 1, 1)
    try:
        first, last = date.fromisoformat(start[:10]), date.fromisoformat(end[:10])
    except ValueError:
        return None
    inside = first.year > FIRST_YEAR and last.year < LAST_YEAR
    fits = inside and timedelta() <= last - first <= _MAX_WINDOW
    return (first, last) if fits else None


def list_occurrences(
    timeline: Timeline,
    window: tuple[date, date],
    now: datetime,
    reader: Reader,
    color: str | None,
) -> list[dict[str, Any]]:
    """Return the occurrences of a window, sorted by start; `end` is exclusive.

    An uncertain date is on all its possible days. Titles say what widgets do not show, such as
    that an event is cancelled.
    """
    found = []
    first, last = window[0], window[1] - timedelta(days=1)
    for row, occurrence in timeline.overlapping(first, last, reader.zone)[:_MAX_OCCURRENCES]:
        entry = Entry(row, occurrence, reader, now)
        event, summary = row.revision.event, entry.summary
        start, end = occurrence.start, occurrence.end
        found.append(
            {
                "title": format_title(event, summary.text, summary.language, event.language),
                "lang": summary.language,
                "start": start.isoformat(),
                "end": end.isoformat() if end is not None else None,
                "allDay": not isinstance(start, datetime),
                "url": entry.address,
                "color": COLORS.get(color or ""),
                "classNames": [name for name in MARKS if name in entry.marks],
            }
        )
    return found
