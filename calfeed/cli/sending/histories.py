"""`event`: what happened to one event, and who was notified of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import click

from calfeed.cli import output
from calfeed.cli.delivery_output import printable, say_receipts, show_time
from calfeed.counting import count
from calfeed.delivery.views import describe_receipt, write
from calfeed.ical.change_text import describe_change
from calfeed.ical.changes import Kind
from calfeed.model.events import Event, text_in
from calfeed.reminders.messages import describe_occurrences, describe_time
from calfeed.services.reports import Entry, load_event_history
from calfeed.settings import load_settings
from calfeed.store.catalog.publishes import Author
from calfeed.store.reports.history import REMINDER_OUTCOMES, PublishedChange, SentMessage
from calfeed.store.rows import ReminderRow


@dataclass(frozen=True)
class _Entry:
    """One thing that happened: as a line with lines below it, and as JSON."""

    at: datetime
    line: str
    value: dict[str, Any]
    below: Sequence[str] = ()


@click.group()
def event() -> None:
    """Events: what happened to them, and who was notified."""


@event.command()
@click.argument("name", metavar="CALENDAR/EVENT")
@output.as_json
def history(name: str, as_json: bool) -> None:
    """Show what was published of an event, and by whom; who was told what, and when.

    In the order of time, from the record: also of an event that is gone.
    """
    with output.opened(load_settings()) as database:
        read = load_event_history(database, name)
    found = read.record
    rows = {row.key: row for row in found.reminders}
    entries = [_describe(entry, rows) for entry in read.entries]
    if as_json:
        values = [{"at": entry.at.isoformat(), **entry.value} for entry in entries]
        output.print_json({"event": name, "uids": read.uids, "history": values})
        return
    last = found.changes[-1].revision
    gone = "; withdrawn" if last.withdrawn else ""
    click.echo(f"{name}: {printable(_title(last.event))}{gone}")
    for entry in entries:
        click.echo(f"{show_time(entry.at)}  {printable(entry.line)}")
        for line in entry.below:
            click.echo(f"    {line}")
    told = sum(
        receipt.received_at is not None for one in found.messages for receipt in one.receipts
    )
    click.echo(
        f"{count(len(found.changes), 'revision')}, {count(len(found.messages), 'message')}, "
        f"{count(told, 'receipt')}; times are UTC"
    )


def _describe(entry: Entry, rows: Mapping[str, ReminderRow]) -> _Entry:
    what = entry.what
    if isinstance(what, PublishedChange):
        return _publish(what)
    if isinstance(what, SentMessage):
        return _tell(what, rows.get(what.reminder or ""))
    return _end(what)


def _publish(one: PublishedChange) -> _Entry:
    change = one.change
    revision, event, reason = change.after, change.after.event, change.reason
    whole = change.kind is Kind.MOVED and not change.occurrences
    moved = change.before.event if change.before and whole else None
    note = f" ({text_in(reason, event.language)})" if reason else ""
    value = {
        "what": "revision",
        "change": one.kind,
        "sequence": revision.sequence,
        "by": one.author.name,
        "command": one.author.command,
        "summary": text_in(event.summary, event.language),
        **describe_time(event, event.start, event.end),
        **({"previous": describe_time(moved, moved.start, moved.end)} if moved else {}),
        **({"occurrences": describe_occurrences(change)} if change.occurrences else {}),
        **({"note": text_in(reason, event.language)} if reason else {}),
    }
    recurring = ", recurring" if event.repeat and not change.occurrences else ""
    line = f"{describe_change(change)}{recurring}{note}: {_title(event)}"
    return _Entry(one.at, line, value, _say_author(one.author))


def _say_author(author: Author) -> list[str]:
    by = [f"by {author.name}"] if author.name else []
    command = [f"with {author.command}"] if author.command else []
    return [" ".join([*by, *command])] if by or command else []


def _tell(told: SentMessage, row: ReminderRow | None) -> _Entry:
    rule = f", {row.rule}" if row else ""
    value = {
        "what": "message",
        "message": told.id,
        "type": told.type,
        "text": told.text,
        "reminder": _describe_reminder(row) if row else None,
        "deliveries": [describe_receipt(one) for one in told.receipts],
    }
    return _Entry(told.at, f"{told.type}{rule}: {told.text}", value, say_receipts(told))


def _end(row: ReminderRow) -> _Entry:
    line = f"reminder {row.rule}, due {show_time(row.due)}: {REMINDER_OUTCOMES[row.state]}"
    value = {"what": "reminder", "state": row.state, "reminder": _describe_reminder(row)}
    return _Entry(row.settled_at or row.due, line, value)


def _describe_reminder(row: ReminderRow) -> dict[str, Any]:
    return {
        "key": row.key,
        "rule": row.rule,
        "due": write(row.due),
        "occurrence": {"id": row.occurrence, "begins": write(row.begins)},
    }


def _title(event: Event) -> str:
    return text_in(event.summary, event.language)
