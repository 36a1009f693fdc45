"""Calendars as pages show them: in a reader's language, with the choice that a reader makes."""

from __future__ import annotations

from dataclasses import dataclass

from flask import abort, g, request

from calfeed.model.colors import COLORS
from calfeed.web.pages.reader.languages import Reader, Said
from calfeed.web.pages.reader.wording import gettext
from calfeed.web.published.snapshot import PublishedCalendar, Snapshot
from calfeed.web.published.timeline import Timeline


@dataclass(frozen=True)
class Card:
    """A calendar in a reader's language; `color` is "#rrggbb", `events` are those not cancelled."""

    slug: str
    name: Said
    description: Said | None
    color: str | None
    time_zone: str
    events: int
    categories: tuple[str, ...]

    @property
    def address(self) -> str:
        """The path of its page."""
        return f"/calendars/{self.slug}/"


def list_cards(snapshot: Snapshot) -> list[Card]:
    """The calendars that anybody may see, for the reader of this request."""
    return [make_card(found, g.reader) for found in snapshot.calendars.values()]


def make_card(found: PublishedCalendar, reader: Reader) -> Card:
    """A calendar as a reader reads it."""
    calendar = found.calendar
    described = calendar.description
    return Card(
        slug=calendar.slug,
        name=reader.say(calendar.name, calendar.language),
        description=reader.say(described, calendar.language) if described else None,
        color=COLORS.get(calendar.color or ""),
        time_zone=calendar.time_zone,
        events=found.standing,
        categories=found.categories,
    )


def read_categories(found: PublishedCalendar) -> tuple[str, ...]:
    """The categories that the address asks for; 404 for one that no event here ever had."""
    wanted = tuple(sorted(set(filter(None, request.args.getlist("category")))))
    for name in wanted:
        if name not in found.source.known:
            abort(404, gettext("There is no category “%(name)s” in this calendar.", name=name))
    return wanted


def choose_timeline(found: PublishedCalendar, categories: tuple[str, ...]) -> Timeline:
    """When what is of some categories takes place; all where none is named."""
    if not categories:
        return found.timeline
    return found.timeline.choose(
        lambda row: not set(row.revision.event.categories).isdisjoint(categories)
    )
