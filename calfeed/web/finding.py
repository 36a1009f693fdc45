"""From a name in an address to a calendar or event: found, moved for good, gone, or never there."""

from __future__ import annotations

from typing import NoReturn

from flask import abort, redirect, request

from calfeed.definitions.values import text_in
from calfeed.store.catalog import EventRow
from calfeed.web.snapshot import PublishedCalendar, Snapshot


def find_calendar(snapshot: Snapshot, slug: str) -> PublishedCalendar:
    """The public calendar of a name; otherwise the answer is 308, 410 or 404."""
    found = snapshot.calendars.get(slug)
    if found is None:
        _explain_absence(snapshot, slug)
    return found


def find_event(found: PublishedCalendar, slug: str) -> EventRow:
    """The event of a name in a calendar; otherwise the answer is 404."""
    row = found.by_slug.get(slug)
    if row is None:
        name = text_in(found.calendar.name, found.calendar.language)
        abort(404, f"There is no event called “{slug}” in the calendar “{name}”.")
    return row


def _explain_absence(snapshot: Snapshot, slug: str) -> NoReturn:
    # What is private is, to who has no token, not there.
    new = snapshot.renamed.get(slug)
    if new in snapshot.calendars:
        moved = request.full_path.removesuffix("?").replace(
            f"/calendars/{slug}", f"/calendars/{new}", 1
        )
        # 308, which calendar apps keep: the next time they ask for the new name at once.
        abort(redirect(moved, 308))
    if slug in snapshot.gone:
        abort(410, f"The calendar “{slug}” was withdrawn. It will not come back under this name.")
    abort(404, f"There is no calendar called “{slug}” here. These are the calendars there are.")
