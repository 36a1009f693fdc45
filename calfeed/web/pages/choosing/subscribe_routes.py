"""The pages on which people subscribe to everything, to a calendar, or to their own choice."""

from __future__ import annotations

from flask import Blueprint, g, render_template

from calfeed.web.caldav.resources import MOUNT
from calfeed.web.feeds.assembly import FeedSource
from calfeed.web.feeds.choice import CalendarChoice, Choice
from calfeed.web.feeds.feed_options import DEFAULT_OPTIONS
from calfeed.web.pages.choosing.form import make_form
from calfeed.web.pages.choosing.page_choice import PageChoice, names_choice, read_page_choice
from calfeed.web.pages.lists.cards import make_card, read_categories
from calfeed.web.pages.reader.languages import Reader
from calfeed.web.pages.reader.time_zones import default_zone, find_site_zone
from calfeed.web.pages.reader.wording import gettext
from calfeed.web.pages.request_options import address
from calfeed.web.pages.resolve import find_calendar
from calfeed.web.pages.subscribing import Subscription, choose_feed, make_subscription
from calfeed.web.published.calendars import PublishedCalendar
from calfeed.web.published.snapshot import ALL
from calfeed.web.published.state import State


def add_subscribe_routes(pages: Blueprint, state: State, base_url: str) -> None:
    """Add the pages; `base_url` is the site's URL."""

    @pages.get("/subscribe/")
    def subscribe_to_all() -> str:
        snapshot = state.snapshot
        if ALL not in snapshot.sources:
            return render_template("subscribe.html", subscription=None, calendar=None)
        page = read_page_choice(snapshot) if names_choice() else None
        reader = default_zone((page and page.chosen.time_zone) or find_site_zone(state))
        choice = page.choice if page else Choice()
        options = page.options if page else DEFAULT_OPTIONS
        return render_template(
            "subscribe.html",
            subscription=subscribe_to_choice(page, base_url)
            if page
            else subscribe_to(snapshot.sources[ALL], None, (), base_url),
            calendar=None,
            categories=(),
            page=page,
            form=make_form(snapshot, choice, options, snapshot.timeline, state.clock(), reader),
        )

    @pages.get("/subscribe/<slug:slug>/")
    def subscribe(slug: str) -> str:
        snapshot = state.snapshot
        found = find_calendar(snapshot, slug)
        categories = read_categories(found)
        reader = default_zone(found.calendar.time_zone)
        choice = Choice(calendars=(CalendarChoice(slug, categories),))
        return render_template(
            "subscribe.html",
            subscription=subscribe_to(
                snapshot.sources[found.source.path], found, categories, base_url
            ),
            calendar=make_card(found, reader),
            categories=categories,
            page=None,
            form=make_form(
                snapshot, choice, DEFAULT_OPTIONS, found.timeline, state.clock(), reader
            ),
        )


def subscribe_to(
    source: FeedSource,
    found: PublishedCalendar | None,
    categories: tuple[str, ...],
    base_url: str,
) -> Subscription:
    """Return the subscription to a calendar or some of its categories; None means all calendars."""
    reader: Reader = g.reader
    slug, name = None, gettext("All calendars")
    if found is not None:
        slug = found.calendar.slug
        name = reader.localize(found.calendar.name, found.calendar.language).text
    options = choose_feed(source, reader, categories)
    page = address(f"/subscribe/{slug}/" if slug else "/subscribe/", category=categories)
    caldav = base_url + (f"{MOUNT}/calendars/{slug}/" if slug else "/")
    return make_subscription(source, name, options, page, "" if categories else caldav)


def subscribe_to_choice(page: PageChoice, base_url: str) -> Subscription:
    """Return the subscription to a choice."""
    source = page.chosen.make_source()
    return make_subscription(source, page.name, page.feed_options, page.link("/subscribe/"))
