"""`reminders`: what will fire, when, to whom."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import click

from calfeed.cli import output
from calfeed.cli.windows import Planned, load_window
from calfeed.definitions.values import text_in
from calfeed.delivery.guard import show_url
from calfeed.ical.text import format_when
from calfeed.reminders.messages import describe_occurrence
from calfeed.settings import load_settings


@click.command()
@click.option("--from", "begin", help="A date or time; now where not given. UTC without an offset.")
@click.option("--to", "end", help="The first moment that is not shown; 30 days on where not given.")
@output.as_json
def reminders(begin: str | None, end: str | None, as_json: bool) -> None:
    """Show the reminders of a window of time, past or coming, and who gets them."""
    now = output.now()
    first = output.parse_window(begin, None, (now, datetime.max.replace(tzinfo=now.tzinfo)))[0]
    window = output.parse_window(begin, end, (now, first + timedelta(days=30)))
    with output.opened(load_settings()) as database:
        found = load_window(database, *window)
    if as_json:
        output.print_json([_describe(one, now) for one in found])
        return
    for one in found:
        reminder, event = one.reminder, one.reminder.event
        due = reminder.due.astimezone(event.zone)
        click.echo(
            f"{due:%a %Y-%m-%d %H:%M} {event.time_zone}  "
            f"{text_in(reminder.occurrence.summary, event.language)} "
            f"({format_when(reminder.occurrence.start, reminder.occurrence.end)})"
        )
        receivers = ", ".join(f"{to.id} {show_url(to.url)}" for to in one.endpoints)
        click.echo(f"    {reminder.rule}; {_state(one, now)}; to {receivers or 'no endpoint'}")
    count = len(found)
    click.echo(
        f"{count} reminder{'' if count == 1 else 's'} "
        f"from {window[0]:%Y-%m-%d %H:%M} to {window[1]:%Y-%m-%d %H:%M} UTC"
    )


def _state(one: Planned, now: datetime) -> str:
    if one.state:
        return one.state
    return "to be planned" if one.reminder.due > now else "past when it was published"


def _describe(one: Planned, now: datetime) -> dict[str, Any]:
    reminder, event = one.reminder, one.reminder.event
    return {
        "key": reminder.key,
        "calendar": event.calendar,
        "event": event.slug,
        "summary": text_in(reminder.occurrence.summary, event.language),
        "occurrence": describe_occurrence(event, reminder.occurrence),
        "rule": str(reminder.rule),
        "due": reminder.due.astimezone(event.zone).isoformat(),
        "time_zone": event.time_zone,
        "state": _state(one, now),
        "endpoints": [to.id for to in one.endpoints],
    }
