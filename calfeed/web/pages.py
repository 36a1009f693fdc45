"""The routes of the pages: what there is, what comes next, how to subscribe."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, g, jsonify, render_template, request

from calfeed.store.catalog import EventRow
from calfeed.web.adding import google_link, outlook_link
from calfeed.web.agenda import by_month, make_agenda
from calfeed.web.cards import choose_rows, list_cards, make_card, read_categories
from calfeed.web.event_view import EventView, read_zone
from calfeed.web.feeds import FeedSource
from calfeed.web.finding import find_calendar, find_event
from calfeed.web.languages import Reader
from calfeed.web.months import (
    list_occurrences,
    look_at_month,
    look_at_year,
    read_month,
    read_window,
    read_year,
)
from calfeed.web.reading import address
from calfeed.web.ready import PUBLIC
from calfeed.web.shapes import make_json_ld
from calfeed.web.snapshot import ALL, PublishedCalendar
from calfeed.web.state import State
from calfeed.web.subscribing import Subscription, choose_feed, make_subscription
from calfeed.web.wording import gettext

_MOST = 60
_MOST_AT_HOME = 12
_MOST_EMBEDDED = 10
_LONGEST_SEARCH = 200


def make_blueprint(state: State, base_url: str) -> Blueprint:
    """The routes of the pages."""
    pages = Blueprint("pages", __name__)

    @pages.after_request
    def keep(response: Response) -> Response:
        if response.status_code == 200:
            # A search is somebody's own; nobody else asks the same.
            public = not request.args.get("q")
            response.headers["Cache-Control"] = PUBLIC if public else "no-store"
            response.headers["Vary"] = "Accept-Encoding, Accept-Language"
        return response

    def subscribe_to(
        found: PublishedCalendar | None, categories: tuple[str, ...] = ()
    ) -> Subscription | None:
        """How to subscribe to what the page shows; None where nothing is published yet."""
        source = state.snapshot.sources.get(found.source.path if found else ALL)
        return _subscription(source, found, categories) if source else None

    @pages.get("/")
    def home() -> str:
        snapshot, reader = state.snapshot, g.reader
        words = request.args.get("q", "").strip()[:_LONGEST_SEARCH]
        rows = snapshot.search(words)
        coming, past = make_agenda(rows, state.clock(), reader)
        return render_template(
            "home.html",
            calendars={card.slug: card for card in list_cards(snapshot)},
            months=by_month(coming[: _MOST if words else _MOST_AT_HOME]),
            past=by_month(past[:_MOST]) if words else [],
            words=words,
            found=len({entry.row.uid for entry in (*coming, *past)}),
            subscription=subscribe_to(None),
        )

    @pages.get("/calendars/<slug:slug>/")
    def calendar(slug: str) -> str:
        found = find_calendar(state.snapshot, slug)
        reader, now = g.reader, state.clock()
        categories = read_categories(found)
        rows = choose_rows(found, categories)
        context = {
            "calendar": make_card(found, reader),
            "categories": categories,
            "subscription": subscribe_to(found, categories),
            "embed": base_url + address(f"/embed/{slug}/", category=categories),
        }
        match request.args.get("view", ""):
            case "month":
                return _show_month(context, rows, state)
            case "year":
                return _show_year(context, rows, state)
        coming, past = make_agenda(rows, now, reader)
        return render_template(
            "calendar.html",
            **context,
            view="agenda",
            months=by_month(coming[:_MOST]),
            past=by_month(past[:_MOST]),
            more=max(len(coming), len(past)) > _MOST,
        )

    @pages.get("/calendars/<slug:slug>/occurrences.json")
    def occurrences(slug: str) -> Response:
        found = find_calendar(state.snapshot, slug)
        now = state.clock()
        window = read_window(request.args.get("start", ""), request.args.get("end", ""), now)
        if window is None:
            abort(400, "start and end are days (ISO 8601), 800 days apart at the most.")
        rows = choose_rows(found, read_categories(found))
        return jsonify(
            [
                {**item, "url": address(item["url"])}
                for item in list_occurrences(rows, window, now, g.reader, found.calendar.color)
            ]
        )

    @pages.get("/calendars/<slug:slug>/<slug:event_slug>/")
    def event(slug: str, event_slug: str) -> str:
        found = find_calendar(state.snapshot, slug)
        row = find_event(found, event_slug)
        zone = read_zone(request.args.get("zone", ""))
        if zone is None:
            abort(400, gettext("There is no time zone of this name."))
        reader = g.reader
        page = f"{base_url}/calendars/{slug}/{event_slug}/"
        return render_template(
            "event.html",
            view=EventView(row, reader, state.clock(), zone),
            calendar=make_card(found, reader),
            download=_download_path(row, reader),
            google=google_link(row.revision.event, page, reader),
            outlook=outlook_link(row.revision.event, page, reader),
            structured=make_json_ld(row, page),
        )

    @pages.get("/subscribe/")
    def subscribe_to_all() -> str:
        return render_template(
            "subscribe.html", subscription=subscribe_to(None), calendar=None, categories=()
        )

    @pages.get("/subscribe/<slug:slug>/")
    def subscribe(slug: str) -> str:
        found = find_calendar(state.snapshot, slug)
        categories = read_categories(found)
        return render_template(
            "subscribe.html",
            subscription=subscribe_to(found, categories),
            calendar=make_card(found, g.reader),
            categories=categories,
        )

    @pages.get("/embed/<slug:slug>/")
    def embed(slug: str) -> str:
        found = find_calendar(state.snapshot, slug)
        categories = read_categories(found)
        coming, _ = make_agenda(choose_rows(found, categories), state.clock(), g.reader)
        return render_template(
            "embed.html",
            calendar=make_card(found, g.reader),
            categories=categories,
            months=by_month(coming[:_MOST_EMBEDDED]),
        )

    return pages


def _show_month(context: dict[str, Any], rows: list[EventRow], state: State) -> str:
    first = read_month(request.args.get("month", ""), state.clock())
    if first is None:
        abort(404, gettext("There is no such month."))
    look = look_at_month(rows, first, state.clock(), g.reader)
    return render_template("month.html", **context, view="month", look=look)


def _show_year(context: dict[str, Any], rows: list[EventRow], state: State) -> str:
    year = read_year(request.args.get("year", ""), state.clock())
    if year is None:
        abort(404, gettext("There is no such year."))
    look = look_at_year(rows, year, state.clock(), g.reader)
    return render_template("year.html", **context, view="year", look=look)


def _subscription(
    source: FeedSource, found: PublishedCalendar | None, categories: tuple[str, ...]
) -> Subscription:
    reader: Reader = g.reader
    slug, name = None, gettext("All calendars")
    if found is not None:
        slug = found.calendar.slug
        name = reader.say(found.calendar.name, found.calendar.language).text
    choice = choose_feed(source, reader, categories)
    page = address(f"/subscribe/{slug}/" if slug else "/subscribe/", category=categories)
    return make_subscription(source, name, choice, page)


def _download_path(row: EventRow, reader: Reader) -> str:
    """The path of an event's file, in the reader's language where it is written in it."""
    event = row.revision.event
    path = f"/calendars/{event.calendar}/{event.slug}.ics"
    languages = {form.language for form in row.vevents}
    return f"{path}?lang={reader.tag}" if reader.tag in languages else path
