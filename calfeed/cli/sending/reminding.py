"""`reminders`: what fired and what will, when, to whom."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import click

from calfeed.cli import output
from calfeed.cli.delivery_output import printable, say_receipts, show_time
from calfeed.counting import count
from calfeed.delivery.transport.guard import show_url
from calfeed.delivery.views import describe_receipt, write
from calfeed.ical.text import format_when
from calfeed.model.events import Event, text_in
from calfeed.publish.windows import Planned
from calfeed.reminders.messages import LATE, describe_occurrence, format_span
from calfeed.services.reports import list_reminders
from calfeed.settings import load_settings
from calfeed.store.reports.history import REMINDER_OUTCOMES, FiredReminder

_NAMED = 10
"""How many endpoints of a reminder are written out for people; of more only how many there are."""


@click.command()
@click.option("--from", "begin", help="A date or time; now where not given. UTC without an offset.")
@click.option("--to", "end", help="The first moment that is not shown; 30 days on where not given.")
@output.as_json
def reminders(begin: str | None, end: str | None, as_json: bool) -> None:
    """Show the reminders of a window of time, past or coming, and who gets them.

    What is past is told from the record, what never was on it and what is to come from what is
    published.
    """
    now = output.now()
    first = output.parse_window(begin, None, (now, datetime.max.replace(tzinfo=now.tzinfo)))[0]
    window = output.parse_window(begin, end, (now, first + timedelta(days=30)))
    with output.opened(load_settings()) as database:
        found = list_reminders(database, *window, now)
    if as_json:
        output.print_json(
            [
                _describe_fired(one) if isinstance(one, FiredReminder) else _describe(one, now)
                for one in found
            ]
        )
        return
    for one in found:
        if isinstance(one, FiredReminder):
            _print_fired(one)
        else:
            _print(one, now)
    click.echo(
        f"{count(len(found), 'reminder')} "
        f"from {window[0]:%Y-%m-%d %H:%M} to {window[1]:%Y-%m-%d %H:%M} UTC"
    )


def _print_fired(one: FiredReminder) -> None:
    row, event, told = one.reminder, one.revision.event, one.message
    name = f"{text_in(event.summary, event.language)} ({format_when(_start(one), None)})"
    click.echo(f"{_due(row.due, event)}  {printable(name)}")
    click.echo(f"    {row.rule}; {_fate(one)}")
    if told is None:
        return
    if len(told.receipts) > _NAMED:
        states = [one.state for one in told.receipts]
        counts = ", ".join(f"{states.count(state):,} {state}" for state in dict.fromkeys(states))
        click.echo(f"    to {len(states):,} endpoints: {counts} (--json names them)")
    else:
        for line in say_receipts(told):
            click.echo(f"    {line}")


def _fate(one: FiredReminder) -> str:
    """Say what became of a reminder whose time has come."""
    row = one.reminder
    since = f" ({show_time(row.settled_at)})" if row.settled_at else ""
    parts = []
    if one.message is not None:
        late = one.message.at - row.due
        lateness = f", {format_span(late)} late" if late > LATE else ""
        parts.append(f"sent {show_time(one.message.at)}{lateness}")
    if row.state in REMINDER_OUTCOMES:
        parts.append(REMINDER_OUTCOMES[row.state] + since)
    return "; ".join(parts)


def _print(one: Planned, now: datetime) -> None:
    reminder, event = one.reminder, one.reminder.event
    name = text_in(reminder.occurrence.summary, event.language)
    when = format_when(reminder.occurrence.start, reminder.occurrence.end)
    click.echo(f"{_due(reminder.due, event)}  {printable(name)} ({when})")
    if len(one.endpoints) > _NAMED:
        receivers = f"{len(one.endpoints):,} endpoints"
    else:
        receivers = ", ".join(f"{to.id} {show_url(to.url)}" for to in one.endpoints)
    click.echo(f"    {reminder.rule}; {_state(one, now)}; to {receivers or 'no endpoint'}")


def _due(due: datetime, event: Event) -> str:
    return f"{due.astimezone(event.zone):%a %Y-%m-%d %H:%M} {event.time_zone}"


def _state(one: Planned, now: datetime) -> str:
    if one.state:
        return one.state
    return "to be planned" if one.reminder.due > now else "past when it was published"


def _start(one: FiredReminder) -> date | datetime:
    """The start of the occurrence, as the event wrote it then."""
    event = one.revision.event
    begins = one.reminder.begins.astimezone(event.zone)
    return begins.date() if event.all_day else begins


def _describe_fired(one: FiredReminder) -> dict[str, Any]:
    row, event, told = one.reminder, one.revision.event, one.message
    receipts = told.receipts if told else ()
    return {
        **_describe_event(event, row.key, row.rule, row.due),
        "summary": text_in(event.summary, event.language),
        "occurrence": {
            "id": row.occurrence,
            "start": _start(one).isoformat(),
            "all_day": event.all_day,
            "time_zone": event.time_zone,
        },
        "state": row.state,
        "settled_at": write(row.settled_at),
        "sent_at": write(told.at if told else None),
        "late_seconds": int((told.at - row.due).total_seconds()) if told else None,
        "message": told.id if told else None,
        "text": told.text if told else None,
        "endpoints": [to.endpoint_id for to in receipts],
        "deliveries": [describe_receipt(to) for to in receipts],
    }


def _describe(one: Planned, now: datetime) -> dict[str, Any]:
    reminder, event = one.reminder, one.reminder.event
    return {
        **_describe_event(event, reminder.key, str(reminder.rule), reminder.due),
        "summary": text_in(reminder.occurrence.summary, event.language),
        "occurrence": describe_occurrence(event, reminder.occurrence),
        "state": _state(one, now),
        "settled_at": None,
        "sent_at": None,
        "late_seconds": None,
        "message": None,
        "text": None,
        "endpoints": [to.id for to in one.endpoints],
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
