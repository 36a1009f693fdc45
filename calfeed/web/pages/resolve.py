"""Find the calendar and event of a URL, or abort."""

from __future__ import annotations

from typing import NoReturn

from flask import abort, g, redirect, request

from calfeed.ical.wording.words import words_in
from calfeed.store.rows import EventRow
from calfeed.web.feeds.query_errors import QueryError
from calfeed.web.pages.reader.wording import gettext
from calfeed.web.published.calendars import PublishedCalendar
from calfeed.web.published.snapshot import Snapshot


def find_calendar(snapshot: Snapshot, slug: str) -> PublishedCalendar:
    """Return a public calendar by name, or abort with 308, 410 or 404."""
    found = snapshot.calendars.get(slug)
    if found is None:
        _abort_missing_calendar(snapshot, slug)
    return found


def find_event(found: PublishedCalendar, slug: str) -> EventRow:
    """Return an event of a calendar by name, or abort with 404."""
    row = found.by_slug.get(slug)
    if row is None:
        name = g.reader.localize(found.calendar.name, found.calendar.language).text
        abort(
            404,
            gettext(
                "There is no event called “%(event)s” in the calendar “%(calendar)s”.",
                event=slug,
                calendar=name,
            ),
        )
    return row


def explain_query(error: QueryError) -> str:
    """Return what is wrong with a query: in the reader's language, or for programs in English."""
    if not request.accept_mimetypes.accept_html:
        return str(error)  # for a program, and whoever maintains it
    return error.translate(gettext, words_in(g.reader.language.tag).semicolon)


def _abort_missing_calendar(snapshot: Snapshot, slug: str) -> NoReturn:
    # Private calendars are treated as missing.
    new = snapshot.renamed.get(slug)
    if new in snapshot.calendars:
        # The name is the second part of each path: /calendars/<name>.ics, /embed/<name>/.
        _, first, rest = request.full_path.removesuffix("?").split("/", 2)
        # Calendar apps store the target of a 308.
        abort(redirect(f"{request.script_root}/{first}/{new}{rest.removeprefix(slug)}", 308))
    if slug in snapshot.withdrawn:
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
