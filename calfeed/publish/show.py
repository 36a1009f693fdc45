"""A plan as people and programs read it: text, markdown for a pull request, JSON."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from calfeed.counting import count
from calfeed.ical.change_text import describe_change
from calfeed.ical.changes import EventChange, Kind
from calfeed.ical.history import MAX_FEED_EVENTS
from calfeed.ical.text import format_when
from calfeed.model.events import Event, text_in
from calfeed.publish.compare import Removals
from calfeed.publish.plan import Plan
from calfeed.reminders.messages import describe_occurrences, describe_time, format_span

_NOTHING = "nothing to publish: everything is as published"

_SIGNS = {
    Kind.ADDED: "+",
    Kind.MOVED: ">",
    Kind.CHANGED: "~",
    Kind.CANCELLED: "x",
    Kind.WITHDRAWN: "-",
}


def summarize(plan: Plan) -> str:
    """One line: "1 event moved; 3 reminders planned, 2 withdrawn"."""
    if plan.empty:
        return _NOTHING
    parts = _count_kinds(plan.changes)
    if plan.calendars:
        parts.append(f"{count(len(plan.calendars), 'calendar')} new or changed")
    if plan.rerendered:
        parts.append(f"{count(len(plan.rerendered), 'event')} rendered anew")
    if plan.retired:
        parts.append(f"{count(len(plan.retired), 'event')} withdrawn before no longer shown")
    if plan.announced_late:
        parts.append(summarize_announced(plan.announced_late))
    line = ", ".join(parts)
    if plan.planned or plan.withdrawn:
        line += f"; {count(len(plan.planned), 'reminder')} planned, {len(plan.withdrawn)} withdrawn"
    return line


def summarize_announced(changes: Sequence[EventChange]) -> str:
    """What is announced, in one line: "announced: 1 event moved"."""
    return "announced: " + ", ".join(_count_kinds(changes))


def show_text(plan: Plan, *, titles: bool = True) -> str:
    """A plan for a terminal: a line for each event, then the summary.

    Without `titles` it is for a log: that of a private calendar's event is not to be there.
    """
    lines = [f"calendar {row.slug}: {_calendar_state(row.withdrawn)}" for row in plan.calendars]
    lines += [_describe(change, titles) for change in plan.changes]
    lines += [f"announced: {_describe(change, titles)}" for change in plan.announced_late]
    return "\n".join([*lines, summarize(plan)])


def describe_held(held: Removals) -> str:
    """What a publish left as it is for now: "2 events to withdraw, 1 event to cancel"."""
    counts = [
        (len(held.calendars), "calendar", "withdraw"),
        (len(held.withdrawn), "event", "withdraw"),
        (len(held.cancelled), "event", "cancel"),
        (len(held.shortened), "event", "cancel dates of"),
    ]
    return ", ".join(f"{count(each, word)} to {verb}" for each, word, verb in counts if each)


def show_waiting(plan: Plan, grace: timedelta) -> list[str]:
    """A line that says when the changes of a plan are announced, where that is not at once."""
    if not plan.changes or not grace:
        return []
    if not plan.waiting:
        return ["nothing to announce: all is as it was announced last"]
    seconds = int(grace.total_seconds())
    span = f"{seconds} seconds" if seconds % 60 else format_span(grace)
    return [f"announced in {span}, unless it is changed again before"]


def _count_kinds(changes: Sequence[EventChange]) -> list[str]:
    counts = [(kind.value, sum(one.kind is kind for one in changes)) for kind in Kind]
    return [f"{count(each, 'event')} {name}" for name, each in counts if each]


def show_shortened(shortened: Sequence[tuple[str, int]]) -> list[str]:
    """A line for each calendar whose feed leaves out some of the past."""
    return [
        f"calendar {slug}: its feed leaves out what was over before {first}, because apps read "
        f"about {MAX_FEED_EVENTS:,} events; `history:` in its definition settles it otherwise"
        for slug, first in shortened
    ]


def show_markdown(plan: Plan) -> str:
    """A plan as a table for a pull request, with its warnings below."""
    warnings = "".join(f"- {_escape(str(warning))}\n" for warning in plan.warnings)
    return _show_changes(plan) + (f"\n{warnings}" if warnings else "")


def _show_changes(plan: Plan) -> str:
    if plan.empty:
        return "Nothing to publish: everything is as published.\n"
    lines = ["| | event | when | was |", "|---|---|---|---|"]
    for change in plan.changes:
        event = change.after.event
        summary = _escape(text_in(event.summary, event.language))
        now, was = _now_and_was(change)
        lines.append(
            f"| {change.kind.value} | {summary} (`{event.calendar}/{event.slug}`) | {now} | {was} |"
        )
    if len(lines) == 2:
        lines = []
    return "\n".join([*lines, "", f"**{summarize(plan)}**", ""]).lstrip("\n")


def show_json(plan: Plan) -> dict[str, Any]:
    """A plan for programs."""
    return {
        "summary": summarize(plan),
        "calendars": [{"calendar": row.slug, "withdrawn": row.withdrawn} for row in plan.calendars],
        "events": list_changes(plan),
        "reminders": {
            "planned": [
                {
                    "event": f"{one.event.calendar}/{one.event.slug}",
                    "rule": str(one.rule),
                    "due": one.due.astimezone(one.event.zone).isoformat(),
                }
                for one in plan.planned
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
    """The events that a plan changes, and those that it announces late, as JSON."""
    return describe_changes([*plan.changes, *plan.announced_late])


def describe_changes(changes: Sequence[EventChange]) -> list[dict[str, Any]]:
    """Events that change, as JSON: what happens, the new time, the old one if it moved.

    Where it concerns single occurrences, they are in `occurrences`.
    """
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
                if change.before and change.kind is Kind.MOVED and not change.occurrences
                else {}
            ),
            **({"occurrences": describe_occurrences(change)} if change.occurrences else {}),
        }
        for change in changes
    ]


def _describe(change: EventChange, titles: bool) -> str:
    event = change.after.event
    what = describe_change(change)
    if change.kind is Kind.CHANGED and not what.startswith(change.kind):
        what = f"{change.kind}: {what}"
    line = f"{_SIGNS[change.kind]} {event.calendar}/{event.slug}: {what}"
    recurring = ", recurring" if event.repeat and not change.occurrences else ""
    titled = titles and change.kind is not Kind.MOVED
    return line + recurring + (f" ({text_in(event.summary, event.language)})" if titled else "")


def _now_and_was(change: EventChange) -> tuple[str, str]:
    """The cells of a table: when it is, or what happens to its occurrences; and when it was."""
    if change.occurrences:
        return describe_change(change), ""
    was = _when(change.before.event) if change.before and change.kind is Kind.MOVED else ""
    return _when(change.after.event), was


def _escape(text: str) -> str:
    """The text as it may stand in a table of markdown."""
    return text.replace("|", "\\|")


def _when(event: Event) -> str:
    text = format_when(event.start, event.end)
    return f"{text}, recurring" if event.repeat else text


def _times(event: Event) -> dict[str, Any]:
    return describe_time(event, event.start, event.end)


def _calendar_state(withdrawn: bool) -> str:
    return "withdrawn" if withdrawn else "new or changed"
