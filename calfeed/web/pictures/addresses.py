"""Pictures of pages, and their URLs, which change when the content of a picture changes."""

from __future__ import annotations

from dataclasses import dataclass

from flask import g

from calfeed.store.rows import EventRow
from calfeed.web.pages.event_view import EventView
from calfeed.web.pages.lists.cards import make_card
from calfeed.web.pages.reader.languages import Reader
from calfeed.web.pictures.content import (
    Content,
    describe_calendar,
    describe_event,
    describe_site,
)
from calfeed.web.published.calendars import PublishedCalendar
from calfeed.web.published.state import State
from calfeed.web.site.view import make_view

MOUNT = "/pictures"


@dataclass(frozen=True)
class Picture:
    """The picture of a page, in a language.

    `shown` is the path of the page below `/calendars/`, such as `desk/visa/`; "" for the site.
    """

    shown: str
    content: Content

    @property
    def path(self) -> str:
        return f"{MOUNT}/{self.shown}{self.content.digest}.png"

    @property
    def address(self) -> str:
        return f"{self.path}?lang={self.content.language}"


def make_picture(
    state: State, found: PublishedCalendar | None = None, row: EventRow | None = None
) -> Picture:
    """Return the picture of an event, a calendar or the site, in the language of the request."""
    reader: Reader = g.reader
    site, language = state.snapshot.site, reader.language
    about = describe_site(site, make_view(site, reader), language.tag, language.direction)
    if found is None:
        return Picture("", about)
    card = make_card(found, reader)
    slug = found.calendar.slug
    if row is None:
        return Picture(f"{slug}/", describe_calendar(about, card))
    view = EventView(row, reader, state.clock(), lambda cause: "", None, found.changes)
    return Picture(f"{slug}/{row.slug}/", describe_event(about, card, view))
