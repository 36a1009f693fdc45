"""The pages about reminders in a period, and the history of an event."""

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
from calfeed.web.console.context import ConsoleContext, form_value, read_window

_KINDS = {PublishedChange: "published", SentMessage: "message", ReminderRow: "ended"}

_MAX_REMINDERS = 500


def add_routes(console: Flask, context: ConsoleContext) -> None:
    @console.get("/reminders", endpoint="list_reminders")
    def show_window() -> str:
        now = context.clock()
        default = (now, now + timedelta(days=30))
        window, errors = read_window(form_value("from"), form_value("to"), default)
        found = list_reminders(context.database, *window, now)
        return render_template(
            "console/reminders.html",
            fired=[row for row in found[:_MAX_REMINDERS] if isinstance(row, FiredReminder)],
            planned=[row for row in found[:_MAX_REMINDERS] if isinstance(row, Planned)],
            total=len(found),
            most=_MAX_REMINDERS,
            window=window,
            begin=form_value("from") or f"{window[0]:%Y-%m-%d}",
            end=form_value("to") or f"{window[1] - timedelta.resolution:%Y-%m-%d}",
            errors=errors,
            fates=REMINDER_OUTCOMES,
        )

    @console.get("/events/<calendar>/<event>")
    def show_history(calendar: str, event: str) -> str:
        history = load_event_history(context.database, f"{calendar}/{event}")
        found = history.record
        return render_template(
            "console/history.html",
            name=f"{calendar}/{event}",
            last=found.changes[-1].revision,
            entries=[(entry.at, _KINDS[type(entry.what)], entry.what) for entry in history.entries],
            coming=[row for row in found.reminders if row.state is ReminderState.PLANNED],
            fates=REMINDER_OUTCOMES,
        )
