"""Format a plan: text for a terminal, markdown for a pull request, JSON."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from calfeed.counting import count
from calfeed.ical.comparison.changes import EventChange, Kind
from calfeed.ical.comparison.reasons import find_reason
from calfeed.ical.history import MAX_FEED_EVENTS
from calfeed.ical.wording.change_text import describe_change, explain_reason, format_state
from calfeed.ical.wording.dates_text import format_derivation
from calfeed.ical.wording.distances import format_span
from calfeed.model.events import Event
from calfeed.model.values import text_in
from calfeed.publish.compare import Removals
from calfeed.publish.plan import Plan
from calfeed.reminders.date_json import describe_cause_of
from calfeed.reminders.messages import describe_occurrences, describe_time

_NOTHING = "nothing to publish: everything is as published"

_SIGNS = {
    Kind.ADDED: "+",
    Kind.MOVED: ">",
    Kind.CORRECTED: "!",
    Kind.CHANGED: "~",
    Kind.CANCELLED: "x",
    Kind.WITHDRAWN: "-",
}


def summarize(plan: Plan) -> str:
    """One line: "1 event moved; 3 reminders planned, 2 withdrawn"."""
    if plan.empty:
        return _NOTHING
    parts = _count_kinds(plan.changes)
    if plan.site:
        parts.append("the site changed")
    if plan.calendars:
        parts.append(f"{count(len(plan.calendars), 'calendar')} new or changed")
    if plan.rerendered:
        parts.append(f"{count(len(plan.rerendered), 'event')} rendered again")
    if plan.retired:
        parts.append(f"{count(len(plan.retired), 'event')} withdrawn earlier and no longer shown")
    if plan.announced_late:
        parts.append(summarize_announced(plan.announced_late))
    line = ", ".join(parts)
    if plan.planned or plan.withdrawn:
        line += f"; {count(len(plan.planned), 'reminder')} planned, {len(plan.withdrawn)} withdrawn"
    return line


def summarize_announced(changes: Sequence[EventChange]) -> str:
    """Announced changes in one line: "announced: 1 event moved"."""
    return "announced: " + ", ".join(_count_kinds(changes))


def show_text(plan: Plan, *, titles: bool = True) -> str:
    """Format a plan for a terminal: a line for each event, then the summary.

    Logs leave out `titles`, which private calendars must not reveal.
    """
    lines = ["site: new or changed"] if plan.site else []
    lines += [f"calendar {row.slug}: {_calendar_state(row.withdrawn)}" for row in plan.calendars]
    for change in plan.changes:
        lines.append(_describe(change, titles))
        if titles:
            lines += _show_sum(change)
    lines += [f"announced: {_describe(change, titles)}" for change in plan.announced_late]
    return "\n".join([*lines, summarize(plan)])


def describe_held(held: Removals) -> str:
    """The removals that a publish left out: "2 events to withdraw, 1 event to cancel"."""
    counts = [
        (len(held.calendars), "calendar", "withdraw"),
        (len(held.withdrawn), "event", "withdraw"),
        (len(held.cancelled), "event", "cancel"),
        (len(held.shortened), "event", "cancel dates of"),
    ]
    return ", ".join(f"{count(number, noun)} to {verb}" for number, noun, verb in counts if number)


def show_waiting(plan: Plan, grace: timedelta) -> list[str]:
    """A line about when the changes of a plan are announced, if not at once."""
    if not plan.changes or not grace:
        return []
    if not plan.waiting:
        return ["nothing to announce: everything is as last announced"]
    seconds = int(grace.total_seconds())
    span = f"{seconds} seconds" if seconds % 60 else format_span(grace)
    return [f"announced in {span}, unless it is changed again before"]


def _count_kinds(changes: Sequence[EventChange]) -> list[str]:
    counts = [(kind.value, sum(change.kind is kind for change in changes)) for kind in Kind]
    return [f"{count(number, 'event')} {name}" for name, number in counts if number]


def show_shortened(shortened: Sequence[tuple[str, int]]) -> list[str]:
    """A line for each calendar whose feed leaves out old events."""
    return [
        f"calendar {slug}: its feed leaves out events that ended before {first}, because apps read "
        f"about {MAX_FEED_EVENTS:,} events; `history:` in its definition changes that"
        for slug, first in shortened
    ]


def show_markdown(plan: Plan) -> str:
    """Format a plan for a pull request: a table, with the warnings below."""
    warnings = "".join(f"- {_escape(str(warning))}\n" for warning in plan.warnings)
    return _show_changes(plan) + (f"\n{warnings}" if warnings else "")


def _show_changes(plan: Plan) -> str:
    if plan.empty:
        return "Nothing to publish: everything is as published.\n"
    lines = ["| | event | when | was |", "|---|---|---|---|"]
    for change in plan.changes:
        event = change.after.event
        summary = _escape(text_in(event.summary, event.language))
        when, was = _time_cells(change)
        name = f"{summary} (`{event.calendar}/{event.slug}`)"
        lines.append(f"| {change.kind.value} | {name} | {when} | {was} |")
    if len(lines) == 2:
        lines = []
    return "\n".join([*lines, "", f"**{summarize(plan)}**", ""]).lstrip("\n")


def show_json(plan: Plan) -> dict[str, Any]:
    """A plan as JSON."""
    return {
        "summary": summarize(plan),
        "site": plan.site is not None,
        "calendars": [{"calendar": row.slug, "withdrawn": row.withdrawn} for row in plan.calendars],
        "events": list_changes(plan),
        "reminders": {
            "planned": [
                {
                    "event": f"{reminder.event.calendar}/{reminder.event.slug}",
                    "rule": str(reminder.rule),
                    "due": reminder.due.astimezone(reminder.event.zone).isoformat(),
                }
                for reminder in plan.planned
            ],
            "withdrawn": [
                {"uid": row.uid, "rule": row.rule, "due": row.due.isoformat()}
                for row in plan.withdrawn
            ],
        },
        "messages": [{"id": message.id, "type": message.subject.type} for message in plan.messages],
        "warnings": [warning.as_json() for warning in plan.warnings],
    }


def list_changes(plan: Plan) -> list[dict[str, Any]]:
    """The changes of a plan, and those it announces late, as JSON."""
    return describe_changes([*plan.changes, *plan.announced_late])


def describe_changes(changes: Sequence[EventChange]) -> list[dict[str, Any]]:
    """Changes as JSON: kind, new time, previous time if moved, occurrences if only some change."""
    return [
        {
            "change": change.kind.value,
            "calendar": change.after.event.calendar,
            "event": change.after.event.slug,
            "summary": text_in(change.after.event.summary, change.after.event.language),
            "sequence": change.after.sequence,
            **_times(change.after.event),
            **(
                {"previous": _times(change.before.event)}
                if change.before
                and change.kind in (Kind.MOVED, Kind.CORRECTED)
                and not change.occurrences
                else {}
            ),
            **describe_cause_of(change),
            **({"occurrences": describe_occurrences(change)} if change.occurrences else {}),
        }
        for change in changes
    ]


def _describe(change: EventChange, titles: bool) -> str:
    event = change.after.event
    text = describe_change(change)
    if change.kind is Kind.CHANGED and not text.startswith(change.kind):
        text = f"{change.kind}: {text}"
    line = f"{_SIGNS[change.kind]} {event.calendar}/{event.slug}: {text}"
    recurring = ", recurring" if event.repeat and not change.occurrences else ""
    with_title = titles and change.kind not in (Kind.MOVED, Kind.CORRECTED)
    return line + recurring + (f" ({text_in(event.summary, event.language)})" if with_title else "")


def _show_sum(change: EventChange) -> list[str]:
    """Return the calculation of a new or moved date, in indented lines."""
    event = change.after.event
    if event.derivation is None or change.kind not in (Kind.ADDED, Kind.MOVED, Kind.CORRECTED):
        return []
    lines = format_derivation(event.derivation, "en", event.language)
    return [f"    {line}" for line in [*lines, *_name_release(change)]]


def _name_release(change: EventChange) -> list[str]:
    """Return the holiday data with which working days were counted."""
    return [f"Holidays: {change.after.holidays}"] if change.after.holidays else []


def _time_cells(change: EventChange) -> tuple[str, str]:
    """Return the cells "when" and "was".

    If only some occurrences have changed, "when" describes these, and "was" is empty.
    """
    if change.occurrences:
        return describe_change(change), ""
    moved = change.kind in (Kind.MOVED, Kind.CORRECTED)
    was = _when(change.before.event) if change.before and moved else ""
    because = explain_reason(find_reason(change), "en", change.after.event.language)
    return _when(change.after.event) + (f", {because}" if because else ""), was


def _escape(text: str) -> str:
    """Escape a text for a markdown table."""
    return text.replace("|", "\\|")


def _when(event: Event) -> str:
    text = format_state(event)
    return f"{text}, recurring" if event.repeat else text


def _times(event: Event) -> dict[str, Any]:
    return describe_time(event, event.start, event.end)


def _calendar_state(withdrawn: bool) -> str:
    return "withdrawn" if withdrawn else "new or changed"
