"""Render deadlines as VTODO, for apps with tasks (RFC 5545, 3.6.2)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta

from calfeed.ical.content_lines import Component, write_moment
from calfeed.ical.feed import FOOTER, Heading, render_header
from calfeed.ical.occurrences import Moment
from calfeed.ical.vevent import put_recurrence
from calfeed.ical.wording.dates_text import format_title
from calfeed.ical.wording.descriptions import describe
from calfeed.model.events import Event, Kind
from calfeed.model.revision import Revision
from calfeed.model.values import text_in


def render_tasks(heading: Heading, revisions: Iterable[Revision]) -> bytes:
    """Render the deadlines among these events as a calendar of tasks.

    Times are in UTC and days are dates, so that the calendar needs no zones. A series is a task
    that recurs only if it is all day; other series would need a zone, and are left out.
    """
    tasks = [_render(revision) for revision in revisions if _is_task(revision.event)]
    return b"".join([render_header(heading), *tasks, FOOTER])


def _is_task(event: Event) -> bool:
    return event.kind is Kind.DEADLINE and (event.repeat is None or event.all_day)


def _render(revision: Revision) -> bytes:
    event = revision.event
    language = event.language
    task = Component("VTODO")
    # A UID belongs to one component, and the event already has the plain UID.
    task.put_text("UID", f"{event.uid}-task")
    task.put("SEQUENCE", str(revision.sequence))
    modified = write_moment(revision.modified)
    task.put("DTSTAMP", modified)
    task.put("CREATED", write_moment(revision.created))
    task.put("LAST-MODIFIED", modified)
    task.put_text("SUMMARY", _title(event), {"LANGUAGE": language})
    if text := describe(event, revision.history, language, cancel_note=revision.cancel_note):
        task.put_text("DESCRIPTION", text)
    if event.url:
        task.put("URL", event.url)
    if due := _due(event):
        _put_value(task, "DUE", due)
        if event.repeat is not None:
            _put_value(task, "DTSTART", event.start)
            put_recurrence(task, event)
    if revision.cancelled or event.on_hold is not None:
        task.put("STATUS", "CANCELLED")
    elif event.done is not None:
        task.put("STATUS", "COMPLETED")
        task.put("PERCENT-COMPLETE", "100")
        task.put("COMPLETED", write_moment(_completed(revision)))
    else:
        task.put("STATUS", "NEEDS-ACTION")
    return task.to_bytes()


def _title(event: Event) -> str:
    # Without a mark that the event is done: the status of the task shows it.
    open_event = event.model_copy(update={"done": None})
    return format_title(open_event, text_in(event.summary, event.language), event.language)


def _due(event: Event) -> Moment | None:
    """Return when a task is due: of several possible days, the first; None if the day is open."""
    if event.on_hold is not None or event.day_open:
        return None
    end = event.end
    if event.precision is not None or end is None:
        return event.start
    return end if isinstance(end, datetime) else end - timedelta(days=1)


def _completed(revision: Revision) -> datetime:
    """Return when a task was completed, in UTC: at noon of the given day, else at the publish."""
    event = revision.event
    if event.done is None or event.done.date is None:
        return revision.modified
    noon = datetime.combine(event.done.date, time(12), event.zone)
    return noon.astimezone(UTC)


def _put_value(task: Component, name: str, moment: Moment) -> None:
    """Put a date, or a time in UTC."""
    if isinstance(moment, datetime):
        task.put(name, write_moment(moment))
    else:
        task.put(name, write_moment(moment), {"VALUE": "DATE"})
