"""Routes of feeds that are not stored: single events, private calendars, invalid requests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from flask import Blueprint, Response, abort, request

from calfeed.store.access.tokens import digest_token
from calfeed.web.feeds.assembly import CALENDAR_TYPE, FeedSource
from calfeed.web.feeds.choice import CHOICE
from calfeed.web.feeds.feed_options import FeedOptions, parse_feed_options
from calfeed.web.feeds.query_errors import QueryError
from calfeed.web.pages.reader.wording import gettext
from calfeed.web.pages.resolve import explain_query, find_calendar, find_event
from calfeed.web.published.chosen import read_chosen
from calfeed.web.published.snapshot import ALL, Snapshot
from calfeed.web.published.state import State


def make_blueprint(state: State) -> Blueprint:
    feeds = Blueprint("feeds", __name__)

    @feeds.get(ALL)
    def everything() -> Response:
        source = state.snapshot.sources.get(ALL)
        if source is None:
            abort(503, gettext("Nothing is published yet."))
        return _respond(state.snapshot, source)

    @feeds.get(CHOICE)
    def choice() -> Response:
        snapshot = state.snapshot
        if ALL not in snapshot.sources:
            abort(503, gettext("Nothing is published yet."))
        chosen, options = _abort_if_invalid(lambda: read_chosen(snapshot, _read_query()))
        # A valid choice has a stored response; this one became valid during this request.
        source = chosen.make_source()
        return _conditional(source.make_body(options, snapshot.version.year), source.modified)

    @feeds.get("/calendars/<slug:slug>.ics")
    def calendar(slug: str) -> Response:
        # Only requests without a stored response get here.
        return _respond(state.snapshot, find_calendar(state.snapshot, slug).source)

    @feeds.get("/calendars/<slug:slug>/<slug:event_slug>.ics")
    def event(slug: str, event_slug: str) -> Response:
        found = find_calendar(state.snapshot, slug)
        row = find_event(found, event_slug)
        events = [event for event in found.source.events if event.row.uid == row.uid]
        path = f"/calendars/{slug}/{event_slug}.ics"
        source = replace(found.source, path=path, modified=row.revision.modified, events=events)
        options = replace(_read_options(), past=_ALL_YEARS, categories=())
        body = source.make_body(options, state.snapshot.version.year)
        response = _conditional(body, row.revision.modified)
        name = f"{slug}-{event_slug}.ics"
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return response

    @feeds.get("/calendars/<slug:slug>.<any(json, jcal, csv):shape>")
    @feeds.get("/calendars/<slug:slug>.todo.ics", defaults={"shape": "todo.ics"})
    @feeds.get("/calendars/<slug:slug>/changes.atom", defaults={"shape": "atom"})
    def other_format(slug: str, shape: str) -> Response:
        find_calendar(state.snapshot, slug)
        abort(404)  # published during this request; the next request gets a stored response

    @feeds.get("/changes.atom")
    def changes() -> Response:
        abort(404)  # as above

    @feeds.get("/private/<token>/<slug:slug>.ics")
    def private(token: str, slug: str) -> Response:
        snapshot = state.snapshot
        # Looked up by a hash, so the timing does not depend on the token.
        stored_token = snapshot.tokens.get(digest_token(token))
        found = snapshot.all_calendars.get(snapshot.renamed.get(slug, slug))
        if (
            stored_token is None
            or stored_token.is_expired(state.clock())
            or found is None
            or stored_token.calendar not in _names(snapshot, slug)
        ):
            abort(404, gettext("There is no such calendar."))
        if stored_token.revoked is not None:
            abort(
                410,
                gettext("This address was withdrawn. Ask whoever gave it to you for another."),
            )
        body = _abort_if_invalid(
            lambda: found.source.make_body(_read_options(), snapshot.version.year, source=False)
        )
        response = _conditional(body, found.modified)
        if request.method == "GET":
            size = len(body) if response.status_code == 200 else None
            feed = f"/private/…/{found.calendar.slug}.ics"  # without the token
            state.poll_counter.count(feed, request.headers.get("User-Agent", ""), size)
        response.headers["Cache-Control"] = "private, no-cache"
        response.headers["X-Robots-Tag"] = "noindex"
        return response

    return feeds


_ALL_YEARS = 10_000

Made = TypeVar("Made")


def _names(snapshot: Snapshot, slug: str) -> set[str]:
    current = snapshot.renamed.get(slug, slug)
    return {current, *snapshot.all_calendars[current].calendar.formerly}


def _respond(snapshot: Snapshot, source: FeedSource) -> Response:
    body = _abort_if_invalid(lambda: source.make_body(_read_options(), snapshot.version.year))
    return _conditional(body, source.modified)


def _read_options() -> FeedOptions:
    return _abort_if_invalid(lambda: parse_feed_options(_read_query()))


def _read_query() -> str:
    return request.query_string.decode("utf-8", "replace")


def _abort_if_invalid(make: Callable[[], Made]) -> Made:
    try:
        return make()
    except QueryError as error:
        abort(400, explain_query(error))


def _conditional(body: bytes, modified: datetime) -> Response:
    response = Response(body, content_type=CALENDAR_TYPE)
    response.last_modified = modified
    response.add_etag()
    response.cache_control.public = True
    response.cache_control.max_age = 60
    response.make_conditional(request.environ)
    return response
