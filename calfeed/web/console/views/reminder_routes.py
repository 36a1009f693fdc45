"""Reminders of any window of time: what became of the past ones, who gets those to come."""

from __future__ import annotations

from datetime import timedelta

from flask import Flask, render_template

from calfeed.model.states import ReminderState
from calfeed.publish.windows import Planned
from calfeed.services.reports import list_reminders, load_event_history
from calfeed.store.reports.history import (
    REMINDER_OUTCOMES,
    FiredReminder,
    PublishedChange,
    SentMessage,
)
from calfeed.store.rows import ReminderRow
from calfeed.web.console.context import Desk, asked, read_window

_KINDS = {PublishedChange: "published", SentMessage: "told", ReminderRow: "ended"}
"""What the page calls each kind of thing that happened."""

_MOST = 500
"""How many reminders a page shows."""


def add_routes(console: Flask, desk: Desk) -> None:
    """Add the pages about reminders, and the history of an event."""

    @console.get("/reminders", endpoint="list_reminders")
    def show_window() -> str:
        now = desk.clock()
        otherwise = (now, now + timedelta(days=30))
        window, errors = read_window(asked("from"), asked("to"), otherwise)
        found = list_reminders(desk.database, *window, now)
        return render_template(
            "console/reminders.html",
            fired=[one for one in found[:_MOST] if isinstance(one, FiredReminder)],
            planned=[one for one in found[:_MOST] if isinstance(one, Planned)],
            total=len(found),
            most=_MOST,
            window=window,
            begin=asked("from") or f"{window[0]:%Y-%m-%d}",
            end=asked("to") or f"{window[1] - timedelta.resolution:%Y-%m-%d}",
            errors=errors,
            fates=REMINDER_OUTCOMES,
        )

    @console.get("/events/<calendar>/<event>")
    def show_history(calendar: str, event: str) -> str:
        history = load_event_history(desk.database, f"{calendar}/{event}")
        found = history.record
        return render_template(
            "console/history.html",
            name=f"{calendar}/{event}",
            last=found.changes[-1].revision,
            entries=[(entry.at, _KINDS[type(entry.what)], entry.what) for entry in history.entries],
            coming=[row for row in found.reminders if row.state is ReminderState.PLANNED],
            fates=REMINDER_OUTCOMES,
        )
