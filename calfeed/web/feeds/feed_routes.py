"""Feeds that no look-up answers: single events, private calendars, and requests in error."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from flask import Blueprint, Response, abort, request

from calfeed.errors import InvalidInputError
from calfeed.store.access.tokens import digest_token
from calfeed.web.feeds.assembly import CALENDAR_TYPE, FeedSource
from calfeed.web.feeds.choices import Choice, parse_choice
from calfeed.web.pages.reader.wording import gettext
from calfeed.web.pages.resolve import find_calendar, find_event
from calfeed.web.published.snapshot import ALL, Snapshot
from calfeed.web.published.state import State


def make_blueprint(state: State) -> Blueprint:
    """The routes of feeds."""
    feeds = Blueprint("feeds", __name__)

    @feeds.get(ALL)
    def everything() -> Response:
        source = state.snapshot.sources.get(ALL)
        if source is None:
            abort(503, gettext("Nothing is published yet."))
        return _answer(state.snapshot, source)

    @feeds.get("/calendars/<slug:slug>.ics")
    def calendar(slug: str) -> Response:
        # Only what the look-up in front did not answer comes here.
        return _answer(state.snapshot, find_calendar(state.snapshot, slug).source)

    @feeds.get("/calendars/<slug:slug>/<slug:event_slug>.ics")
    def event(slug: str, event_slug: str) -> Response:
        found = find_calendar(state.snapshot, slug)
        row = find_event(found, event_slug)
        events = [one for one in found.source.events if one.row.uid == row.uid]
        path = f"/calendars/{slug}/{event_slug}.ics"
        one = replace(found.source, path=path, modified=row.revision.modified, events=events)
        choice = replace(_read_choice(), past=_ALL_YEARS, categories=())
        body = one.make_body(choice, state.snapshot.version.year)
        response = _conditional(body, row.revision.modified)
        name = f"{slug}-{event_slug}.ics"
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return response

    @feeds.get("/calendars/<slug:slug>.<any(json, jcal, csv):shape>")
    @feeds.get("/calendars/<slug:slug>/changes.atom", defaults={"shape": "atom"})
    def other(slug: str, shape: str) -> Response:
        find_calendar(state.snapshot, slug)
        abort(404)  # it came between the look-up and here: the next one finds it

    @feeds.get("/changes.atom")
    def changes() -> Response:
        abort(404)  # as above

    @feeds.get("/private/<token>/<slug:slug>.ics")
    def private(token: str, slug: str) -> Response:
        snapshot = state.snapshot
        # Looked up by a hash, so the time of the look-up does not depend on the token.
        kept = snapshot.tokens.get(digest_token(token))
        found = snapshot.everything.get(snapshot.renamed.get(slug, slug))
        if (
            kept is None
            or kept.is_expired(state.clock())
            or found is None
            or kept.calendar not in _names(snapshot, slug)
        ):
            abort(404, gettext("There is no such calendar."))
        if kept.revoked is not None:
            abort(
                410,
                gettext("This address was withdrawn. Ask whoever gave it to you for another."),
            )
        body = _try(
            lambda: found.source.make_body(_read_choice(), snapshot.version.year, source=False)
        )
        response = _conditional(body, found.modified)
        if request.method == "GET":
            size = len(body) if response.status_code == 200 else None
            feed = f"/private/…/{found.calendar.slug}.ics"  # without the token
            state.tally.count(feed, request.headers.get("User-Agent", ""), size)
        response.headers["Cache-Control"] = "private, no-cache"
        response.headers["X-Robots-Tag"] = "noindex"
        return response

    return feeds


_ALL_YEARS = 10_000

Made = TypeVar("Made")


def _names(snapshot: Snapshot, slug: str) -> set[str]:
    """The names that a calendar has and had, so that a token outlives a renaming."""
    current = snapshot.renamed.get(slug, slug)
    return {current, *snapshot.everything[current].calendar.formerly}


def _answer(snapshot: Snapshot, source: FeedSource) -> Response:
    body = _try(lambda: source.make_body(_read_choice(), snapshot.version.year))
    return _conditional(body, source.modified)


def _read_choice() -> Choice:
    return _try(lambda: parse_choice(request.query_string.decode("utf-8", "replace")))


def _try(make: Callable[[], Made]) -> Made:
    try:
        return make()
    except InvalidInputError as error:
        abort(400, str(error))


def _conditional(body: bytes, modified: datetime) -> Response:
    response = Response(body, content_type=CALENDAR_TYPE)
    response.last_modified = modified
    response.add_etag()
    response.cache_control.public = True
    response.cache_control.max_age = 60
    response.make_conditional(request.environ)
    return response
