"""From a name in an address to what there is: a calendar, an event."""

from __future__ import annotations

from typing import NoReturn

from flask import abort, g, redirect, request

from calfeed.store.rows import EventRow
from calfeed.web.pages.reader.wording import gettext
from calfeed.web.published.snapshot import PublishedCalendar, Snapshot


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
        name = g.reader.say(found.calendar.name, found.calendar.language).text
        abort(
            404,
            gettext(
                "There is no event called “%(event)s” in the calendar “%(calendar)s”.",
                event=slug,
                calendar=name,
            ),
        )
    return row


def _explain_absence(snapshot: Snapshot, slug: str) -> NoReturn:
    # What is private is, to who has no token, not there.
    new = snapshot.renamed.get(slug)
    if new in snapshot.calendars:
        # The name is the second part of each path: /calendars/<name>.ics, /embed/<name>/.
        _, first, rest = request.full_path.removesuffix("?").split("/", 2)
        # 308, which calendar apps keep: the next time they ask for the new name at once.
        abort(redirect(f"/{first}/{new}{rest.removeprefix(slug)}", 308))
    if slug in snapshot.gone:
        abort(
            410,
            gettext(
                "The calendar “%(name)s” was withdrawn. It will not come back under this name.",
                name=slug,
            ),
        )
    abort(
        404,
        gettext(
            "There is no calendar called “%(name)s” here. These are the calendars there are.",
            name=slug,
        ),
    )
