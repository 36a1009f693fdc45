"""The routes of the pages."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from flask import Blueprint, Response, abort, g, jsonify, render_template, request

from calfeed.model.dates.dating import Cause
from calfeed.model.events import Kind
from calfeed.store.rows import EventRow
from calfeed.web.caldav.resources import MOUNT
from calfeed.web.feeds.assembly import FeedSource
from calfeed.web.pages.add_links import google_link, outlook_link
from calfeed.web.pages.event_view import EventView
from calfeed.web.pages.lists.cards import choose_timeline, list_cards, make_card, read_categories
from calfeed.web.pages.lists.listing import Place, list_past, list_requested, list_upcoming
from calfeed.web.pages.lists.months import make_month_grid, make_year_grid, read_month, read_year
from calfeed.web.pages.lists.moves import MoveLine, list_moves
from calfeed.web.pages.lists.occurrences import list_occurrences, read_window
from calfeed.web.pages.page_cache import PUBLIC
from calfeed.web.pages.reader.languages import Reader
from calfeed.web.pages.reader.time_zones import default_zone, read_zone, shared_zone
from calfeed.web.pages.reader.wording import gettext
from calfeed.web.pages.request_options import address, read_page_request
from calfeed.web.pages.resolve import find_calendar, find_event
from calfeed.web.pages.subscribing import Subscription, choose_feed, make_subscription
from calfeed.web.published.dating import knows_day
from calfeed.web.published.formats import make_json_ld
from calfeed.web.published.snapshot import ALL, PublishedCalendar, Snapshot
from calfeed.web.published.state import State
from calfeed.web.published.timeline import Timeline

_MAX_LINES = 60
_MAX_HOME_LINES = 20
_MAX_PAST_LINES = 20
_MAX_EMBEDDED_LINES = 10
_MAX_SEARCH_LENGTH = 200


def make_blueprint(state: State, base_url: str) -> Blueprint:
    pages = Blueprint("pages", __name__)
    pages.before_request(read_zone)

    @pages.after_request
    def set_cache_headers(response: Response) -> Response:
        if response.status_code == 200:
            # Searches are rarely repeated.
            public = not request.args.get("q")
            response.headers["Cache-Control"] = PUBLIC if public else "no-store"
            response.headers["Vary"] = "Accept-Encoding, Accept-Language"
        return response

    def subscribe_to(
        found: PublishedCalendar | None, categories: tuple[str, ...] = ()
    ) -> Subscription | None:
        """Return the subscription for a page; None if nothing is published yet."""
        source = state.snapshot.sources.get(found.source.path if found else ALL)
        return _subscription(source, found, categories, base_url) if source else None

    def list_pages(
        timeline: Timeline, reader: Reader, max_lines: int, *, past: bool = True
    ) -> dict[str, Any]:
        """Return the requested page of a list; by default upcoming and `past` occurrences."""
        now, page_request = state.clock(), read_page_request()
        if page_request is not None:
            return {
                "page_request": page_request,
                "listing": list_requested(timeline, now, reader, _MAX_LINES, page_request),
            }
        return {
            "coming": list_upcoming(timeline, now, reader, max_lines),
            "past": list_past(timeline, now, reader, _MAX_PAST_LINES) if past else None,
            "tomorrow": Place(reader.today(now) + timedelta(days=1)),
        }

    def show_moves(
        found: Iterable[PublishedCalendar], reader: Reader, categories: tuple[str, ...] = ()
    ) -> list[MoveLine]:
        """Return what moved lately in calendars; nothing on the further pages of a list."""
        if read_page_request() is not None:
            return []
        find_page = partial(_find_cause_page, state.snapshot)
        return list_moves(found, categories, state.clock(), reader, find_page)

    @pages.get("/")
    def home() -> str:
        snapshot = state.snapshot
        reader = default_zone(state.time_zone or shared_zone(snapshot))
        words = request.args.get("q", "").strip()[:_MAX_SEARCH_LENGTH]
        timeline, found = snapshot.timeline, None
        if words:
            rows = snapshot.search(words)
            found, uids = len(rows), {row.uid for row in rows}
            timeline = timeline.choose(lambda row: row.uid in uids)
        return render_template(
            "home.html",
            **list_pages(
                timeline, reader, _MAX_LINES if words else _MAX_HOME_LINES, past=bool(words)
            ),
            calendars={card.slug: card for card in list_cards(snapshot)},
            words=words,
            found=found,
            moves=[] if words else show_moves(snapshot.calendars.values(), reader),
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
            "has_deadlines": any(row.revision.event.kind is Kind.DEADLINE for row in found.rows),
        }
        match request.args.get("view", ""):
            case "month":
                return _show_month(context, choose_timeline(found, categories), state.clock())
            case "year":
                return _show_year(context, choose_timeline(found, categories), state.clock())
        return render_template(
            "calendar.html",
            **context,
            **list_pages(choose_timeline(found, categories), reader, _MAX_LINES),
            moves=show_moves([found], reader, categories),
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
        shown = row.revision.event
        # A form of a web calendar wants a day.
        links = [google_link, outlook_link] if knows_day(shown) else []
        find_page = partial(_find_cause_page, state.snapshot)
        return render_template(
            "event.html",
            view=EventView(
                row, reader, state.clock(), find_page, read_page_request(), found.changes
            ),
            calendar=make_card(found, reader),
            download=_download_path(row, reader),
            web_calendars=[make_link(shown, page, reader) for make_link in links],
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
            coming=list_upcoming(timeline, state.clock(), reader, _MAX_EMBEDDED_LINES),
        )

    return pages


def _find_cause_page(snapshot: Snapshot, cause: Cause) -> str:
    """Return the address of the page of a cause, "" if it is not public."""
    found = snapshot.calendars.get(cause.calendar)
    if found is None or cause.slug not in found.by_slug:
        return ""
    return address(f"/calendars/{cause.calendar}/{cause.slug}/")


def _show_month(context: dict[str, Any], timeline: Timeline, now: datetime) -> str:
    reader: Reader = g.reader
    first = read_month(request.args.get("month", ""), reader.today(now))
    if first is None:
        abort(404, gettext("There is no such month."))
    grid = make_month_grid(timeline, first, now, reader)
    return render_template("month.html", **context, view="month", grid=grid)


def _show_year(context: dict[str, Any], timeline: Timeline, now: datetime) -> str:
    reader: Reader = g.reader
    year = read_year(request.args.get("year", ""), reader.today(now))
    if year is None:
        abort(404, gettext("There is no such year."))
    grid = make_year_grid(timeline, year, now, reader)
    return render_template("year.html", **context, view="year", grid=grid)


def _subscription(
    source: FeedSource,
    found: PublishedCalendar | None,
    categories: tuple[str, ...],
    base_url: str,
) -> Subscription:
    reader: Reader = g.reader
    slug, name = None, gettext("All calendars")
    if found is not None:
        slug = found.calendar.slug
        name = reader.localize(found.calendar.name, found.calendar.language).text
    choice = choose_feed(source, reader, categories)
    page = address(f"/subscribe/{slug}/" if slug else "/subscribe/", category=categories)
    caldav = base_url + (f"{MOUNT}/calendars/{slug}/" if slug else "/")
    return make_subscription(source, name, choice, page, "" if categories else caldav)


def _download_path(row: EventRow, reader: Reader) -> str:
    """Return the path of an event's .ics file, in the reader's language if available."""
    event = row.revision.event
    path = f"/calendars/{event.calendar}/{event.slug}.ics"
    languages = {form.language for form in row.vevents}
    return f"{path}?lang={reader.tag}" if reader.tag in languages else path
