"""Calendars as pages show them, in the reader's language."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import abort, g, request

from calfeed.model.colors import COLORS
from calfeed.store.rows import EventRow
from calfeed.web.pages.reader.languages import LocalizedText, Reader
from calfeed.web.pages.reader.wording import gettext
from calfeed.web.published.calendars import PublishedCalendar
from calfeed.web.published.snapshot import Snapshot
from calfeed.web.published.timeline import Timeline


@dataclass(frozen=True)
class Card:
    """A calendar in a reader's language.

    `color` is "#rrggbb" or None; `events` is the number of events that are not cancelled.
    """

    slug: str
    name: LocalizedText
    description: LocalizedText | None
    color: str | None
    time_zone: str
    events: int
    categories: tuple[str, ...]

    @property
    def address(self) -> str:
        return f"/calendars/{self.slug}/"


def list_cards(snapshot: Snapshot) -> list[Card]:
    return [make_card(found, g.reader) for found in snapshot.calendars.values()]


def make_card(found: PublishedCalendar, reader: Reader) -> Card:
    calendar = found.calendar
    described = calendar.description
    return Card(
        slug=calendar.slug,
        name=reader.localize(calendar.name, calendar.language),
        description=reader.localize(described, calendar.language) if described else None,
        color=COLORS.get(calendar.color or ""),
        time_zone=calendar.time_zone,
        events=found.active_event_count,
        categories=found.categories,
    )


def read_categories(found: PublishedCalendar) -> tuple[str, ...]:
    """Return the categories in the URL; abort with 404 for one that no event ever had."""
    wanted = tuple(sorted(set(filter(None, request.args.getlist("category")))))
    for name in wanted:
        if name not in found.source.known_categories:
            abort(404, gettext("There is no category “%(name)s” in this calendar.", name=name))
    return wanted


def choose_timeline(found: PublishedCalendar, categories: tuple[str, ...]) -> Timeline:
    """Return the timeline of some categories; without categories, that of all events."""
    return found.timeline.choose(in_categories(categories)) if categories else found.timeline


def in_categories(categories: tuple[str, ...]) -> Callable[[EventRow], bool]:
    """Return a test for whether an event is in one of the categories; without any, all are."""
    wanted = set(categories)
    return lambda row: not wanted or not wanted.isdisjoint(row.revision.event.categories)
