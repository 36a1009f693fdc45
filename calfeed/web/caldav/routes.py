"""The methods of the CalDAV server: PROPFIND, REPORT and GET read; all others are refused."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

from flask import Flask, Response, redirect, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as WsgiResponse

from calfeed.errors import InvalidInputError
from calfeed.web.api.rate_limits import RateLimit
from calfeed.web.caldav import push, reports
from calfeed.web.caldav.access import LoginRequiredError, find_private
from calfeed.web.caldav.collections import OBJECT_TYPE, Collections
from calfeed.web.caldav.properties import ORDINARY, table_of
from calfeed.web.caldav.resources import (
    LOGIN,
    CalendarResource,
    EventResource,
    Resource,
    View,
    find_resource,
)
from calfeed.web.caldav.responses import Multistatus, RefusedError
from calfeed.web.caldav.xml.multistatus import (
    ResponseWriter,
    write_element,
    write_href,
    write_multistatus,
    write_refused_update,
)
from calfeed.web.caldav.xml.requests import DAV, read_propfind, read_proppatch
from calfeed.web.error_logging import RedactingFlask
from calfeed.web.feeds.assembly import CALENDAR_TYPE
from calfeed.web.feeds.feed_options import DEFAULT_OPTIONS
from calfeed.web.network_hashes import hash_client_network
from calfeed.web.published.bounded_cache import BoundedCache
from calfeed.web.published.responses import STORED_RESPONSES, StoredResponse, hsts_headers
from calfeed.web.published.snapshot import EMPTY, Snapshot
from calfeed.web.published.state import State
from calfeed.web.push_site import RATE, PushSite
from calfeed.web.security import keep_redirects_local, set_security_headers
from calfeed.web.serving.request_bodies import MAX_REPORT_BYTES
from calfeed.web.serving.request_checks import METHODS

_READING = ("OPTIONS", "GET", "HEAD", "PROPFIND", "REPORT")
_CLASSES = "1, 3, calendar-access"
_CACHING = "private, no-cache"

_MAX_CACHE_BYTES = 64_000_000
_OVERHEAD_BYTES = 1_000


@dataclass(frozen=True)
class _Answers:
    """Cached responses for one snapshot, by all parts of a request that affect the response."""

    snapshot: Snapshot
    made: BoundedCache[tuple[str, ...], Multistatus]


def _make_answers(snapshot: Snapshot) -> _Answers:
    return _Answers(
        snapshot,
        BoundedCache(_MAX_CACHE_BYTES, lambda key, answer: 2 * answer.size + _OVERHEAD_BYTES),
    )


class Door:
    """Responds to requests from the current snapshot of a state."""

    def __init__(self, state: State, base_url: str, site: PushSite | None) -> None:
        self._state = state
        self._base_url = base_url
        self._site = site
        self._limit = RateLimit(RATE)
        self.classes = _CLASSES if site is None else f"{_CLASSES}, {push.CLASS}"
        self._headers = [
            ("Cache-Control", _CACHING),
            ("DAV", self.classes),
            ("X-Content-Type-Options", "nosniff"),
            *hsts_headers(base_url),
        ]
        self._collections = Collections()
        self._answers = _make_answers(EMPTY)

    def respond(self, path: str) -> WsgiResponse:
        """Respond to the current request for a path below the mount."""
        snapshot = self._state.snapshot
        parts = [part for part in path.split("/") if part]
        login = parts[:1] == [LOGIN]
        private = find_private(snapshot, self._state.clock(), required=login)
        root = f"{request.script_root}/{LOGIN}/" if login else f"{request.script_root}/"
        site = self._site
        view = View(snapshot, self._collections, private, root, site.public_key if site else "")
        method = request.method
        below = parts[1:] if login else parts
        if method == "OPTIONS":
            return Response(headers={"Allow": ", ".join(_READING)})
        if method not in (*_READING, "PROPPATCH"):
            return self._push(view, below)
        renamed = _find_new_name(view, below)
        if renamed:
            return redirect(f"{root}{renamed}", HTTPStatus.PERMANENT_REDIRECT)
        resource = find_resource(view, below)
        if resource is None:
            return _plain("There is nothing here.", HTTPStatus.NOT_FOUND)
        if method in ("GET", "HEAD"):
            return _get(resource, self._base_url)
        key = (method, path, _depth(), *sorted(private), _digest(request.get_data()))
        answer = self._find_answers(snapshot).get_or_make(key, lambda: _answer(resource))
        if method == "REPORT" and "Authorization" not in request.headers:
            kept: list[StoredResponse] = request.environ.get(STORED_RESPONSES, [])
            kept.append(answer.store(self._headers))
        return answer.make_response()

    def _push(self, view: View, below: list[str]) -> Response:
        """Respond to requests that change a push subscription.

        Raises RefusedError for other writes.
        """
        site = self._site
        if site is not None:
            resource = find_resource(view, below)
            if request.method == "POST" and isinstance(resource, CalendarResource):
                self._limit.count(hash_client_network())
                return push.register(site, self._base_url, resource)
            if request.method == "DELETE" and below[:1] == [push.SUBSCRIPTIONS]:
                return push.unregister(site, "/".join(below[1:]))
        raise _refuse_writing()

    def _find_answers(self, snapshot: Snapshot) -> BoundedCache[tuple[str, ...], Multistatus]:
        answers = self._answers
        if answers.snapshot is not snapshot:
            answers = self._answers = _make_answers(snapshot)
        return answers.made


def make_caldav(state: State, base_url: str, site: PushSite | None = None) -> Flask:
    """Create the CalDAV application, to be mounted at `resources.MOUNT`.

    `site` has the dependencies of push to clients, if push is on.
    """
    app = RedactingFlask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_REPORT_BYTES
    app.url_map.merge_slashes = False
    door = Door(state, base_url, site)
    options = {"methods": sorted(METHODS), "provide_automatic_options": False}

    @app.route("/", defaults={"path": ""}, **options)
    @app.route("/<path:path>", **options)
    def answer(path: str) -> WsgiResponse:
        return door.respond(path)

    @app.errorhandler(LoginRequiredError)
    def ask_for_login(error: LoginRequiredError) -> Response:
        return error.make_response(urlsplit(base_url).netloc)

    @app.errorhandler(RefusedError)
    def refuse(error: RefusedError) -> Response:
        return error.make_response()

    @app.errorhandler(InvalidInputError)
    def explain(error: InvalidInputError) -> Response:
        return _plain(f"{error}.", HTTPStatus.BAD_REQUEST)

    @app.errorhandler(HTTPException)
    def describe(error: HTTPException) -> Response:
        status = HTTPStatus(error.code or 500)
        return _plain(error.description or status.phrase, status)

    @app.after_request
    def disable_caching(response: Response) -> Response:
        response.headers.setdefault("Cache-Control", _CACHING)
        response.headers["DAV"] = door.classes
        return set_security_headers(response)

    keep_redirects_local(app, base_url)
    return app


def _answer(resource: Resource) -> Multistatus:
    """Make the response to the current request, which has an XML body."""
    body = request.get_data()
    make: Callable[[], bytes] = {
        "PROPFIND": lambda: _find_properties(resource, body),
        "PROPPATCH": lambda: write_multistatus(
            [write_refused_update(resource.href, read_proppatch(body))]
        ),
        "REPORT": lambda: reports.make_report(resource, body),
    }[request.method]
    return Multistatus(make())


def _find_properties(resource: Resource, body: bytes) -> bytes:
    """Respond to PROPFIND of a resource and, with depth 1, of its direct children."""
    wanted = read_propfind(body)
    depth = _depth()
    if depth not in ("0", "1") and not isinstance(resource, EventResource):
        raise RefusedError(HTTPStatus.FORBIDDEN, f"{DAV}propfind-finite-depth")
    found = [resource, *(resource.children() if depth == "1" else ())]
    writers = {
        kind: ResponseWriter(table_of(each), wanted, ORDINARY)
        for each in found
        for kind in [type(each)]
    }
    return write_multistatus(writers[type(each)].write(each.href, each) for each in found)


def _get(resource: Resource, base_url: str) -> WsgiResponse:
    """Respond to GET: an event, a calendar as a feed, or else a redirect to the home page."""
    if isinstance(resource, EventResource):
        member = resource.member
        response = Response(member.body, content_type=OBJECT_TYPE)
        response.headers["ETag"] = member.etag
        response.last_modified = member.modified
    elif isinstance(resource, CalendarResource):
        calendar = resource.collection.calendar
        if calendar.public:
            return _get_feed(calendar.response)
        source, year = calendar.source, resource.collection.year
        response = Response(
            source.make_body(DEFAULT_OPTIONS, year, source=False), content_type=CALENDAR_TYPE
        )
        response.last_modified = calendar.modified
        response.add_etag()
    else:
        return redirect(f"{base_url}/", HTTPStatus.FOUND)
    response.make_conditional(request.environ)
    return response


def _get_feed(stored: StoredResponse) -> Response:
    given = request.headers
    status, headers, body = stored.choose(
        given.get("Accept-Encoding", ""),
        given.get("If-None-Match"),
        given.get("If-Modified-Since"),
    )
    return Response(body, status, headers)


def _find_new_name(view: View, parts: list[str]) -> str | None:
    """Return the new path of a renamed calendar, or of an event in it."""
    match parts:
        case ["calendars", slug, *rest] if not view.shows(slug):
            new = view.snapshot.renamed.get(slug)
            if new is not None and view.shows(new):
                return "/".join(["calendars", new, *(rest or [""])])
    return None


def _refuse_writing() -> RefusedError:
    """Return the refusal of a method that writes, which names the missing privilege (RFC 3744)."""
    href = write_href(request.script_root + request.path)
    privilege = write_element(f"{DAV}privilege", write_element(f"{DAV}write"))
    resource = write_element(f"{DAV}resource", href + privilege)
    return RefusedError(HTTPStatus.FORBIDDEN, f"{DAV}need-privileges", resource)


def _depth() -> str:
    """Return the depth of the current request; the default is infinity (RFC 4918, 9.1)."""
    return request.headers.get("Depth", "infinity").strip().lower()[:10]


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _plain(text: str, status: HTTPStatus) -> Response:
    return Response(f"{text}\n", status, content_type="text/plain; charset=utf-8")
