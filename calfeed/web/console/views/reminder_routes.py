"""Reminders of any window of time: what became of the past ones, who gets those to come."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from flask import Flask, render_template

from calfeed.publish.windows import Planned, load_window
from calfeed.store.reports.history import (
    FATES,
    Fired,
    History,
    find_uids,
    load_fired,
    load_history,
)
from calfeed.web.console.context import Desk, asked, read_window

_MOST = 500
"""How many reminders a page shows."""


def add_routes(console: Flask, desk: Desk) -> None:
    """Add the pages about reminders, and the history of an event."""

    @console.get("/reminders")
    def list_reminders() -> str:
        now = desk.clock()
        otherwise = (now, now + timedelta(days=30))
        window, errors = read_window(asked("from"), asked("to"), otherwise)
        edge = now + timedelta.resolution  # what is due at this very moment is on record
        fired: list[Fired] = []
        if window[0] < edge:
            with desk.database.read() as connection:
                fired = load_fired(connection, window[0], min(edge, window[1]))
        recorded = {one.reminder.key for one in fired}
        planned = [
            one for one in load_window(desk.database, *window) if one.reminder.key not in recorded
        ]
        found: list[Fired | Planned] = sorted(
            [*fired, *planned], key=lambda one: (one.reminder.due, one.reminder.key)
        )
        return render_template(
            "console/reminders.html",
            fired=[one for one in found[:_MOST] if isinstance(one, Fired)],
            planned=[one for one in found[:_MOST] if isinstance(one, Planned)],
            total=len(found),
            most=_MOST,
            window=window,
            begin=asked("from") or f"{window[0]:%Y-%m-%d}",
            end=asked("to") or f"{window[1] - timedelta.resolution:%Y-%m-%d}",
            errors=errors,
            fates=FATES,
        )

    @console.get("/events/<calendar>/<event>")
    def show_history(calendar: str, event: str) -> str:
        with desk.database.read() as connection:
            uids = find_uids(connection, f"{calendar}/{event}")
            found = load_history(connection, uids)
        entries = sorted(_list_entries(found), key=lambda entry: entry[0])
        return render_template(
            "console/history.html",
            name=f"{calendar}/{event}",
            last=found.published[-1].revision,
            entries=entries,
            coming=[row for row in found.reminders if row.state == "planned"],
            fates=FATES,
        )


def _list_entries(found: History) -> Iterator[tuple[datetime, str, Any]]:
    """What happened: when, what kind of thing, and the thing."""
    for one in found.published:
        yield one.at, "published", one
    for told in found.told:
        yield told.at, "told", told
    sent = {told.reminder for told in found.told}
    for row in found.reminders:
        # What was taken off the list before it was due follows from the change that did it.
        ended = row.settled_at is not None and (row.key in sent or row.settled_at >= row.due)
        if ended and row.settled_at is not None and row.state in FATES:
            yield row.settled_at, "ended", row
