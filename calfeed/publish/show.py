"""A plan as people and programs read it: text, markdown for a pull request, JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from calfeed.definitions.values import Event, text_in
from calfeed.ical.history import MOST_EVENTS
from calfeed.ical.text import format_when
from calfeed.publish.compare import EventChange, Kind
from calfeed.publish.plan import Plan
from calfeed.reminders.messages import describe_time

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
        return "nothing to publish: everything is as published"
    counts = [(kind.value, plan.count(kind)) for kind in Kind]
    parts = [f"{count} {_plural(count, 'event')} {name}" for name, count in counts if count]
    if plan.calendars:
        count = len(plan.calendars)
        parts.append(f"{count} {_plural(count, 'calendar')} new or changed")
    if plan.rerendered:
        parts.append(f"{len(plan.rerendered)} rendered anew")
    if plan.retired:
        parts.append(f"{len(plan.retired)} withdrawn before no longer shown")
    line = ", ".join(parts)
    if plan.planned or plan.withdrawn:
        count = len(plan.planned)
        line += f"; {count} {_plural(count, 'reminder')} planned, {len(plan.withdrawn)} withdrawn"
    return line


def show_text(plan: Plan) -> str:
    """A plan for a terminal: a line for each event, then the summary."""
    lines = [f"calendar {row.slug}: {_calendar_state(row.withdrawn)}" for row in plan.calendars]
    lines += [_describe(change) for change in plan.changes]
    return "\n".join([*lines, summarize(plan)])


def show_shortened(shortened: Sequence[tuple[str, int]]) -> list[str]:
    """A line for each calendar whose feed leaves out some of the past."""
    return [
        f"calendar {slug}: its feed leaves out what was over before {first}, because apps read "
        f"about {MOST_EVENTS:,} events; `history:` in its definition settles it otherwise"
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
        was = _when(change.before.event) if change.before and change.kind is Kind.MOVED else ""
        lines.append(
            f"| {change.kind.value} | {summary} (`{event.calendar}/{event.slug}`) "
            f"| {_when(event)} | {was} |"
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
        "warnings": [asdict(warning) for warning in plan.warnings],
    }


def list_changes(plan: Plan) -> list[dict[str, Any]]:
    """The events that change, as JSON: what happens, the new time, and the old one if it moved."""
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
                if change.before is not None and change.kind is Kind.MOVED
                else {}
            ),
        }
        for change in plan.changes
    ]


def _describe(change: EventChange) -> str:
    event = change.after.event
    line = f"{_SIGNS[change.kind]} {event.calendar}/{event.slug}: {change.kind.value}"
    if change.kind is Kind.MOVED and change.before is not None:
        return f"{line} from {_when(change.before.event)} to {_when(event)}"
    return f"{line}, {_when(event)} ({text_in(event.summary, event.language)})"


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


def _plural(count: int, word: str) -> str:
    return word if count == 1 else f"{word}s"
