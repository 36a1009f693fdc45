"""The other formats of calendars: JSON, jCal, tasks, CSV and Atom, each made on first use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from calfeed.ical.jcal import render_jcal
from calfeed.ical.vtodo import render_tasks
from calfeed.ical.wording.words import words_in
from calfeed.model.site import PRODUCT
from calfeed.model.values import text_in
from calfeed.store.catalog.announcements import AnnouncedChange
from calfeed.web.feeds.assembly import CALENDAR_TYPE, FeedSource, make_heading
from calfeed.web.published.formats import make_atom, make_csv, make_json
from calfeed.web.published.responses import StoredResponse, build_response

if TYPE_CHECKING:
    from calfeed.web.published.calendars import PublishedCalendar

MAX_CHANGES = 50
"""The maximum number of changes in an Atom feed."""


def list_other_formats(
    combined: FeedSource, public: Mapping[str, PublishedCalendar]
) -> dict[str, Callable[[], StoredResponse]]:
    """Return the functions that make the other formats on first use, by path."""
    base_url = combined.base_url
    formats: dict[str, Callable[[], StoredResponse]] = {}
    for slug, found in public.items():
        path = f"/calendars/{slug}"
        formats[f"{path}.json"] = partial(_make_json_response, found, base_url)
        formats[f"{path}.jcal"] = partial(_make_jcal_response, found)
        formats[f"{path}.todo.ics"] = partial(_make_tasks_response, found)
        formats[f"{path}.csv"] = partial(_make_csv_response, found)
        name = text_in(found.calendar.name, found.calendar.language)
        formats[f"{path}/changes.atom"] = partial(
            _make_atom_response,
            words_in(found.calendar.language).changes_of.format(name=name),
            path,
            combined,
            found.changes[:MAX_CHANGES],
            found.modified,
        )
    changes = sorted(
        (change for calendar in public.values() for change in calendar.changes),
        key=lambda change: (change.position.number, change.position.uid, change.position.sequence),
        reverse=True,
    )
    newest = tuple(changes[:MAX_CHANGES])
    formats["/changes.atom"] = partial(
        _make_atom_response,
        words_in(combined.language).changes,
        "",
        combined,
        newest,
        combined.modified,
    )
    return formats


def _make_json_response(found: PublishedCalendar, base_url: str) -> StoredResponse:
    body = make_json(found.calendar, found.rows, base_url)
    return build_response(body, "application/json", found.modified, base_url=base_url)


def _make_jcal_response(found: PublishedCalendar) -> StoredResponse:
    (feed,) = found.response.plain[1]
    content_type = "application/calendar+json"
    base_url = found.source.base_url
    return build_response(render_jcal(feed), content_type, found.modified, base_url=base_url)


def _make_tasks_response(found: PublishedCalendar) -> StoredResponse:
    base_url = found.source.base_url
    heading = make_heading(found.calendar, f"{base_url}/calendars/{found.calendar.slug}.todo.ics")
    body = render_tasks(heading, (row.revision for row in found.rows))
    return build_response(body, CALENDAR_TYPE, found.modified, base_url=base_url)


def _make_csv_response(found: PublishedCalendar) -> StoredResponse:
    content_type = "text/csv; charset=utf-8"
    base_url = found.source.base_url
    return build_response(make_csv(found.rows), content_type, found.modified, base_url=base_url)


def _make_atom_response(
    title: str,
    path: str,
    site: FeedSource,
    changes: tuple[AnnouncedChange, ...],
    modified: datetime,
) -> StoredResponse:
    base_url = site.base_url
    page, address = f"{base_url}{path}/", f"{base_url}{path}/changes.atom"
    author = text_in(site.site_name, site.language) if site.site_name else PRODUCT
    body = make_atom(title, page, address, changes, base_url, author)
    return build_response(body, "application/atom+xml; charset=utf-8", modified, base_url=base_url)
