"""`event`: the history of an event, and who was notified."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import click

from calfeed.cli import output
from calfeed.cli.delivery_output import format_receipts, printable, show_time
from calfeed.counting import count
from calfeed.delivery.views import describe_receipt, format_time
from calfeed.ical.comparison.changes import Kind
from calfeed.ical.wording.change_text import describe_change
from calfeed.model.events import Event
from calfeed.model.values import text_in
from calfeed.reminders.messages import describe_occurrences, describe_time
from calfeed.services.reports import Entry, load_event_history
from calfeed.settings import load_settings
from calfeed.store.catalog.publishes import Author
from calfeed.store.reports.history import REMINDER_OUTCOMES, PublishedChange, SentMessage
from calfeed.store.rows import ReminderRow


@dataclass(frozen=True)
class _FormattedEntry:
    """An entry of a history: a line with detail lines, and JSON."""

    at: datetime
    line: str
    value: dict[str, Any]
    details: Sequence[str] = ()


@click.group()
def event() -> None:
    """Events: what happened to them, and who was notified."""


@event.command()
@click.argument("name", metavar="CALENDAR/EVENT")
@output.as_json
def history(name: str, as_json: bool) -> None:
    """Show the history of an event.

    Lists its revisions with their authors, and its messages with their receivers, sorted by time.
    The event may be withdrawn.
    """
    with output.opened(load_settings()) as database:
        loaded = load_event_history(database, name)
    record = loaded.record
    rows = {row.key: row for row in record.reminders}
    entries = [_format(entry, rows) for entry in loaded.entries]
    if as_json:
        values = [{"at": entry.at.isoformat(), **entry.value} for entry in entries]
        output.print_json({"event": name, "uids": loaded.uids, "history": values})
        return
    last = record.changes[-1].revision
    withdrawn = "; withdrawn" if last.withdrawn else ""
    click.echo(f"{name}: {printable(_title(last.event))}{withdrawn}")
    for entry in entries:
        click.echo(f"{show_time(entry.at)}  {printable(entry.line)}")
        for line in entry.details:
            click.echo(f"    {line}")
    received = sum(
        receipt.received_at is not None
        for message in record.messages
        for receipt in message.receipts
    )
    click.echo(
        f"{count(len(record.changes), 'revision')}, {count(len(record.messages), 'message')}, "
        f"{count(received, 'receipt')}; times are UTC"
    )


def _format(entry: Entry, rows: Mapping[str, ReminderRow]) -> _FormattedEntry:
    item = entry.what
    if isinstance(item, PublishedChange):
        return _format_revision(item)
    if isinstance(item, SentMessage):
        return _format_message(item, rows.get(item.reminder or ""))
    return _format_reminder(item)


def _format_revision(published: PublishedChange) -> _FormattedEntry:
    change = published.change
    revision, event, reason = change.after, change.after.event, change.reason
    whole = change.kind in (Kind.MOVED, Kind.CORRECTED) and not change.occurrences
    moved = change.before.event if change.before and whole else None
    note = f" ({text_in(reason, event.language)})" if reason else ""
    value = {
        "what": "revision",
        "change": published.kind,
        "sequence": revision.sequence,
        "by": published.author.name,
        "command": published.author.command,
        "summary": text_in(event.summary, event.language),
        **describe_time(event, event.start, event.end),
        **({"previous": describe_time(moved, moved.start, moved.end)} if moved else {}),
        **({"occurrences": describe_occurrences(change)} if change.occurrences else {}),
        **({"note": text_in(reason, event.language)} if reason else {}),
    }
    recurring = ", recurring" if event.repeat and not change.occurrences else ""
    line = f"{describe_change(change)}{recurring}{note}: {_title(event)}"
    return _FormattedEntry(published.at, line, value, _format_author(published.author))


def _format_author(author: Author) -> list[str]:
    by = [f"by {author.name}"] if author.name else []
    command = [f"with {author.command}"] if author.command else []
    return [" ".join([*by, *command])] if by or command else []


def _format_message(message: SentMessage, row: ReminderRow | None) -> _FormattedEntry:
    rule = f", {row.rule}" if row else ""
    value = {
        "what": "message",
        "message": message.id,
        "type": message.type,
        "text": message.text,
        "reminder": _describe_reminder(row) if row else None,
        "deliveries": [describe_receipt(receipt) for receipt in message.receipts],
    }
    line = f"{message.type}{rule}: {message.text}"
    return _FormattedEntry(message.at, line, value, format_receipts(message))


def _format_reminder(row: ReminderRow) -> _FormattedEntry:
    line = f"reminder {row.rule}, due {show_time(row.due)}: {REMINDER_OUTCOMES[row.state]}"
    value = {"what": "reminder", "state": row.state, "reminder": _describe_reminder(row)}
    return _FormattedEntry(row.settled_at or row.due, line, value)


def _describe_reminder(row: ReminderRow) -> dict[str, Any]:
    return {
        "key": row.key,
        "rule": row.rule,
        "due": format_time(row.due),
        "occurrence": {"id": row.occurrence, "begins": format_time(row.begins)},
    }


def _title(event: Event) -> str:
    return text_in(event.summary, event.language)
