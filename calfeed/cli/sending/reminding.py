"""`reminders`: past and future reminders with their receivers."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import click

from calfeed.cli import output
from calfeed.cli.delivery_output import format_receipts, printable, show_time
from calfeed.counting import count
from calfeed.delivery.transport.guard import show_url
from calfeed.delivery.views import describe_receipt, format_time
from calfeed.ical.wording.distances import format_span
from calfeed.ical.wording.text import format_when
from calfeed.model.events import Event
from calfeed.model.values import text_in
from calfeed.publish.windows import Planned
from calfeed.reminders.messages import LATE_AFTER, describe_occurrence
from calfeed.services.reports import list_reminders
from calfeed.settings import load_settings
from calfeed.store.reports.history import REMINDER_OUTCOMES, FiredReminder

_MAX_LISTED_ENDPOINTS = 10
"""The maximum number of endpoints that are listed; if there are more, their number is shown."""


@click.command()
@click.option("--from", "begin", help="A date or time; in UTC if it has no offset. Default: now.")
@click.option("--to", "end", help="The end of the period (exclusive); default: 30 days later.")
@output.as_json
def reminders(begin: str | None, end: str | None, as_json: bool) -> None:
    """Show the reminders of a period, past or future, with their receivers.

    Past reminders come from the record, future ones from the published state.
    """
    now = output.now()
    first = output.parse_window(begin, None, (now, datetime.max.replace(tzinfo=now.tzinfo)))[0]
    window = output.parse_window(begin, end, (now, first + timedelta(days=30)))
    with output.opened(load_settings()) as database:
        rows = list_reminders(database, *window, now)
    if as_json:
        output.print_json(
            [
                _describe_fired(row)
                if isinstance(row, FiredReminder)
                else _describe_planned(row, now)
                for row in rows
            ]
        )
        return
    for row in rows:
        if isinstance(row, FiredReminder):
            _print_fired(row)
        else:
            _print_planned(row, now)
    click.echo(
        f"{count(len(rows), 'reminder')} "
        f"from {window[0]:%Y-%m-%d %H:%M} to {window[1]:%Y-%m-%d %H:%M} UTC"
    )


def _print_fired(fired: FiredReminder) -> None:
    row, event, message = fired.reminder, fired.revision.event, fired.message
    name = f"{text_in(event.summary, event.language)} ({format_when(_start(fired), None)})"
    click.echo(f"{_due(row.due, event)}  {printable(name)}")
    click.echo(f"    {row.rule}; {_result(fired)}")
    if message is None:
        return
    if len(message.receipts) > _MAX_LISTED_ENDPOINTS:
        states = [receipt.state for receipt in message.receipts]
        counts = ", ".join(f"{states.count(state):,} {state}" for state in dict.fromkeys(states))
        click.echo(f"    to {len(states):,} endpoints: {counts} (--json names them)")
    else:
        for line in format_receipts(message):
            click.echo(f"    {line}")


def _result(fired: FiredReminder) -> str:
    """Return when a reminder was sent, and its outcome."""
    row, message = fired.reminder, fired.message
    since = f" ({show_time(row.settled_at)})" if row.settled_at else ""
    parts = []
    if message is not None:
        delay = message.at - row.due
        lateness = f", {format_span(delay)} late" if delay > LATE_AFTER else ""
        parts.append(f"sent {show_time(message.at)}{lateness}")
    if row.state in REMINDER_OUTCOMES:
        parts.append(REMINDER_OUTCOMES[row.state] + since)
    return "; ".join(parts)


def _print_planned(planned: Planned, now: datetime) -> None:
    reminder, event = planned.reminder, planned.reminder.event
    name = text_in(reminder.occurrence.summary, event.language)
    when = format_when(reminder.occurrence.start, reminder.occurrence.end)
    click.echo(f"{_due(reminder.due, event)}  {printable(name)} ({when})")
    if len(planned.endpoints) > _MAX_LISTED_ENDPOINTS:
        receivers = f"{len(planned.endpoints):,} endpoints"
    else:
        receivers = ", ".join(f"{to.id} {show_url(to.url)}" for to in planned.endpoints)
    people = f"{planned.people:,} by mail" if planned.people else ""
    names = " and ".join(filter(None, [receivers, people])) or "no endpoint"
    click.echo(f"    {reminder.rule}; {_state(planned, now)}; to {names}")


def _due(due: datetime, event: Event) -> str:
    return f"{due.astimezone(event.zone):%a %Y-%m-%d %H:%M} {event.time_zone}"


def _state(planned: Planned, now: datetime) -> str:
    if planned.state:
        return planned.state
    return "to be planned" if planned.reminder.due > now else "past when it was published"


def _start(fired: FiredReminder) -> date | datetime:
    """The start of the occurrence, as a date if all-day, in the event's zone."""
    event = fired.revision.event
    begins = fired.reminder.begins.astimezone(event.zone)
    return begins.date() if event.all_day else begins


def _describe_fired(fired: FiredReminder) -> dict[str, Any]:
    row, event, message = fired.reminder, fired.revision.event, fired.message
    receipts = message.receipts if message else ()
    return {
        **_describe_event(event, row.key, row.rule, row.due),
        "summary": text_in(event.summary, event.language),
        "occurrence": {
            "id": row.occurrence,
            "start": _start(fired).isoformat(),
            "all_day": event.all_day,
            "time_zone": event.time_zone,
        },
        "state": row.state,
        "settled_at": format_time(row.settled_at),
        "sent_at": format_time(message.at if message else None),
        "late_seconds": int((message.at - row.due).total_seconds()) if message else None,
        "message": message.id if message else None,
        "text": message.text if message else None,
        "endpoints": [receipt.endpoint_id for receipt in receipts],
        "deliveries": [describe_receipt(receipt) for receipt in receipts],
    }


def _describe_planned(planned: Planned, now: datetime) -> dict[str, Any]:
    reminder, event = planned.reminder, planned.reminder.event
    return {
        **_describe_event(event, reminder.key, str(reminder.rule), reminder.due),
        "summary": text_in(reminder.occurrence.summary, event.language),
        "occurrence": describe_occurrence(event, reminder.occurrence),
        "state": _state(planned, now),
        "settled_at": None,
        "sent_at": None,
        "late_seconds": None,
        "message": None,
        "text": None,
        "endpoints": [to.id for to in planned.endpoints],
        "deliveries": [],
    }


def _describe_event(event: Event, key: str, rule: str, due: datetime) -> dict[str, Any]:
    return {
        "key": key,
        "calendar": event.calendar,
        "event": event.slug,
        "rule": rule,
        "due": due.astimezone(event.zone).isoformat(),
        "time_zone": event.time_zone,
    }
