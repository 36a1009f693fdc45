"""The routes of the pages: what there is, what comes next, how to subscribe."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, Response, abort, g, jsonify, render_template, request

from calfeed.store.rows import EventRow
from calfeed.web.feeds.assembly import FeedSource
from calfeed.web.pages.add_links import google_link, outlook_link
from calfeed.web.pages.event_view import EventView
from calfeed.web.pages.lists.cards import choose_timeline, list_cards, make_card, read_categories
from calfeed.web.pages.lists.listing import Place, list_ahead, list_back, list_turned
from calfeed.web.pages.lists.months import look_at_month, look_at_year, read_month, read_year
from calfeed.web.pages.lists.occurrences import list_occurrences, read_window
from calfeed.web.pages.page_cache import PUBLIC
from calfeed.web.pages.reader.languages import Reader
from calfeed.web.pages.reader.time_zones import default_zone, read_zone, zone_of_all
from calfeed.web.pages.reader.wording import gettext
from calfeed.web.pages.request_options import address, read_turn
from calfeed.web.pages.resolve import find_calendar, find_event
from calfeed.web.pages.subscribing import Subscription, choose_feed, make_subscription
from calfeed.web.published.shapes import make_json_ld
from calfeed.web.published.snapshot import ALL, PublishedCalendar
from calfeed.web.published.state import State
from calfeed.web.published.timeline import Timeline

_MOST = 60
"""Lines of a list on a page that is one."""
_MOST_AT_HOME = 20
_MOST_PAST = 20
_MOST_EMBEDDED = 10
_LONGEST_SEARCH = 200


def make_blueprint(state: State, base_url: str) -> Blueprint:
    """The routes of the pages."""
    pages = Blueprint("pages", __name__)
    pages.before_request(read_zone)

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

    def list_pages(
        timeline: Timeline, reader: Reader, most: int, *, past: bool = True
    ) -> dict[str, Any]:
        """The page of a list that is asked for; by itself what is coming, and what is `past`."""
        now, turn = state.clock(), read_turn()
        if turn is not None:
            return {"turn": turn, "turned": list_turned(timeline, now, reader, _MOST, turn)}
        return {
            "coming": list_ahead(timeline, now, reader, most),
            "past": list_back(timeline, now, reader, _MOST_PAST) if past else None,
            "tomorrow": Place(reader.today(now) + timedelta(days=1)),
        }

    @pages.get("/")
    def home() -> str:
        snapshot = state.snapshot
        reader = default_zone(state.time_zone or zone_of_all(snapshot))
        words = request.args.get("q", "").strip()[:_LONGEST_SEARCH]
        timeline, found = snapshot.timeline, None
        if words:
            rows = snapshot.search(words)
            found, uids = len(rows), {row.uid for row in rows}
            timeline = timeline.choose(lambda row: row.uid in uids)
        return render_template(
            "home.html",
            **list_pages(timeline, reader, _MOST if words else _MOST_AT_HOME, past=bool(words)),
            calendars={card.slug: card for card in list_cards(snapshot)},
            words=words,
            found=found,
            subscription=subscribe_to(None),
        )

    @pages.get("/calendars/<slug:slug>/")
    def calendar(slug: str) -> str:
        found = find_calendar(state.snapshot, slug)
        reader = default_zone(found.calendar.time_zone)
        categories = read_categories(found)
        context = {
            "calendar": make_card(found, reader),
            "categories": categories,
            "subscription": subscribe_to(found, categories),
            "embed": base_url + address(f"/embed/{slug}/", category=categories),
        }
        match request.args.get("view", ""):
            case "month":
                return _show_month(context, choose_timeline(found, categories), state.clock())
            case "year":
                return _show_year(context, choose_timeline(found, categories), state.clock())
        return render_template(
            "calendar.html",
            **context,
            **list_pages(choose_timeline(found, categories), reader, _MOST),
            view="agenda",
        )

    @pages.get("/calendars/<slug:slug>/occurrences.json")
    def occurrences(slug: str) -> Response:
        found = find_calendar(state.snapshot, slug)
        reader, now = default_zone(found.calendar.time_zone), state.clock()
        start, end = request.args.get("start", ""), request.args.get("end", "")
        window = read_window(start, end, reader.today(now))
        if window is None:
            abort(400, "start and end are days (ISO 8601), 800 days apart at the most.")
        timeline = choose_timeline(found, read_categories(found))
        return jsonify(
            [
                {**item, "url": address(item["url"])}
                for item in list_occurrences(timeline, window, now, reader, found.calendar.color)
            ]
        )

    @pages.get("/calendars/<slug:slug>/<slug:event_slug>/")
    def event(slug: str, event_slug: str) -> str:
        found = find_calendar(state.snapshot, slug)
        row = find_event(found, event_slug)
        reader = default_zone(row.revision.event.time_zone)
        page = f"{base_url}/calendars/{slug}/{event_slug}/"
        return render_template(
            "event.html",
            view=EventView(row, reader, state.clock(), read_turn()),
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
        reader = default_zone(found.calendar.time_zone)
        categories = read_categories(found)
        timeline = choose_timeline(found, categories)
        return render_template(
            "embed.html",
            calendar=make_card(found, reader),
            categories=categories,
            coming=list_ahead(timeline, state.clock(), reader, _MOST_EMBEDDED),
        )

    return pages


def _show_month(context: dict[str, Any], timeline: Timeline, now: datetime) -> str:
    reader: Reader = g.reader
    first = read_month(request.args.get("month", ""), reader.today(now))
    if first is None:
        abort(404, gettext("There is no such month."))
    look = look_at_month(timeline, first, now, reader)
    return render_template("month.html", **context, view="month", look=look)


def _show_year(context: dict[str, Any], timeline: Timeline, now: datetime) -> str:
    reader: Reader = g.reader
    year = read_year(request.args.get("year", ""), reader.today(now))
    if year is None:
        abort(404, gettext("There is no such year."))
    look = look_at_year(timeline, year, now, reader)
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
