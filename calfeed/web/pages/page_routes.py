"""The routes of the pages."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urljoin

from flask import (
    Blueprint,
    Response,
    abort,
    g,
    jsonify,
    redirect,
    render_template,
    request,
)
from werkzeug.wrappers import Response as BaseResponse

from calfeed.model.dates.dating import Cause
from calfeed.model.events import Kind
from calfeed.store.rows import EventRow
from calfeed.web.pages.add_links import google_link, outlook_link
from calfeed.web.pages.choosing.page_choice import PageChoice, names_choice, read_page_choice
from calfeed.web.pages.choosing.subscribe_routes import (
    add_subscribe_routes,
    subscribe_to,
    subscribe_to_choice,
)
from calfeed.web.pages.event_view import EventView
from calfeed.web.pages.lists.cards import (
    choose_timeline,
    in_categories,
    list_cards,
    make_card,
    read_categories,
)
from calfeed.web.pages.lists.listing import Place, list_past, list_requested, list_upcoming
from calfeed.web.pages.lists.months import make_month_grid, make_year_grid, read_month, read_year
from calfeed.web.pages.lists.moves import MoveLine, Wanted, list_moves
from calfeed.web.pages.lists.occurrences import list_occurrences, read_window
from calfeed.web.pages.page_cache import PUBLIC
from calfeed.web.pages.reader.languages import Reader
from calfeed.web.pages.reader.time_zones import default_zone, find_site_zone, read_zone
from calfeed.web.pages.reader.wording import gettext
from calfeed.web.pages.request_options import (
    address,
    list_varying_headers,
    read_page_request,
)
from calfeed.web.pages.resolve import find_calendar, find_event
from calfeed.web.published.calendars import PublishedCalendar
from calfeed.web.published.formats import make_json_ld
from calfeed.web.published.former_dates import knows_day
from calfeed.web.published.snapshot import ALL, Snapshot
from calfeed.web.published.state import State
from calfeed.web.published.timeline import Timeline
from calfeed.web.sharing.head import find_picture_url
from calfeed.web.site.embed_look import read_look

_MAX_LINES = 60
_MAX_HOME_LINES = 20
_MAX_PAST_LINES = 20
_MAX_EMBEDDED_LINES = 10
_MAX_SEARCH_LENGTH = 200

_CHOICE_EMBED = "/embed/choice/"
"""The path of embedded choices.

If the query names neither calendars nor events, it is the path of an embedded calendar called
"choice", if there is one.
"""


def make_blueprint(state: State, base_url: str) -> Blueprint:
    pages = Blueprint("pages", __name__)
    pages.before_request(read_zone)

    @pages.after_request
    def set_cache_headers(response: Response) -> Response:
        if response.status_code == 200:
            # Searches are not cached, because they are rarely repeated.
            public = not request.args.get("q")
            response.headers["Cache-Control"] = PUBLIC if public else "no-store"
            response.headers["Vary"] = list_varying_headers()
        return response

    def find_zone(page: PageChoice) -> Reader:
        """Return the reader, in the zone of the choice unless the URL names another zone."""
        return default_zone(page.chosen.time_zone or find_site_zone(state))

    def list_pages(
        timeline: Timeline, reader: Reader, max_lines: int, *, past: bool = True
    ) -> dict[str, Any]:
        """Return values for a template: the requested page of a list, or upcoming and past ones."""
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
        found: Iterable[PublishedCalendar], reader: Reader, wanted: Wanted = lambda _: True
    ) -> list[MoveLine]:
        """Return what moved lately in calendars; nothing if another page of a list is requested."""
        if read_page_request() is not None:
            return []
        find_page = partial(_find_cause_page, state.snapshot)
        return list_moves(found, wanted, state.clock(), reader, find_page)

    @pages.get("/")
    def home() -> str:
        snapshot = state.snapshot
        reader = default_zone(find_site_zone(state))
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
            subscription=subscribe_to(snapshot.sources[ALL], None, (), base_url)
            if ALL in snapshot.sources
            else None,
        )

    @pages.get("/calendars/<slug:slug>/")
    def calendar(slug: str) -> str:
        snapshot = state.snapshot
        found = find_calendar(snapshot, slug)
        reader = default_zone(found.calendar.time_zone)
        categories = read_categories(found)
        source = snapshot.sources[found.source.path]
        context = {
            "calendar": make_card(found, reader),
            "categories": categories,
            "subscription": subscribe_to(source, found, categories, base_url),
            "embed": urljoin(base_url, address(f"/embed/{slug}/", category=categories)),
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
            moves=show_moves([found], reader, in_categories(categories)),
            view="agenda",
            now=state.clock(),
        )

    @pages.get("/calendars/<slug:slug>/occurrences.json")
    def occurrences(slug: str) -> Response:
        found = find_calendar(state.snapshot, slug)
        reader, now = default_zone(found.calendar.time_zone), state.clock()
        start, end = request.args.get("start", ""), request.args.get("end", "")
        window = read_window(start, end, reader.today(now))
        if window is None:
            abort(
                400,
                gettext("“start” and “end” are days such as 2030-06-30, at most 800 days apart."),
            )
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
        # The form of a web calendar needs a day.
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
            structured=make_json_ld(row, page, find_picture_url(base_url)),
        )

    @pages.get("/choice/")
    def choice() -> str | BaseResponse:
        snapshot = state.snapshot
        if not names_choice():
            return redirect(address("/subscribe/"))
        page = read_page_choice(snapshot)
        reader = find_zone(page)
        timeline = snapshot.timeline.choose(page.wants)
        return render_template(
            "choice.html",
            page=page,
            subscription=subscribe_to_choice(page, base_url),
            **list_pages(timeline, reader, _MAX_LINES),
            moves=show_moves(page.chosen.calendars, reader, page.wants),
            calendars={card.slug: card for card in list_cards(snapshot)},
            share=base_url + page.share("/choice/"),
            snippet=page.write_snippet(base_url + page.share(_CHOICE_EMBED)),
        )

    @pages.get(_CHOICE_EMBED)
    def embed_choice() -> str:
        snapshot = state.snapshot
        if not names_choice(narrowly=True) and _is_calendar(snapshot, "choice"):
            return embed("choice")
        page = read_page_choice(snapshot)
        reader = find_zone(page)
        timeline = snapshot.timeline.choose(page.wants)
        return render_template(
            "embed.html",
            look=read_look(),
            page=page,
            calendars={card.slug: card for card in list_cards(snapshot)},
            coming=list_upcoming(timeline, state.clock(), reader, _MAX_EMBEDDED_LINES),
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
            look=read_look(),
        )

    add_subscribe_routes(pages, state, base_url)
    return pages


def _is_calendar(snapshot: Snapshot, slug: str) -> bool:
    """Whether a public calendar has this name, or a withdrawn or renamed one had it."""
    current = snapshot.renamed.get(slug, slug)
    return current in snapshot.calendars or slug in snapshot.withdrawn


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


def _download_path(row: EventRow, reader: Reader) -> str:
    """Return the path of an event's .ics file, in the reader's language if available."""
    event = row.revision.event
    path = f"/calendars/{event.calendar}/{event.slug}.ics"
    languages = {form.language for form in row.vevents}
    return f"{path}?lang={reader.tag}" if reader.tag in languages else path
