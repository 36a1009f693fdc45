"""The WSGI application: stored responses for feeds, Flask for everything else."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import cast

from flask import Flask, Response, g, jsonify, render_template, request
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.routing import BaseConverter

from calfeed.errors import DatabaseFileError, StoreError
from calfeed.services.doctor.probing import FORWARDED_HEADER, LINEAGE_HEADER
from calfeed.store.database import Database
from calfeed.store.migrate import check_schema
from calfeed.web.caldav import discovery
from calfeed.web.caldav.resources import MOUNT
from calfeed.web.caldav.routes import make_caldav
from calfeed.web.error_logging import RedactingFlask
from calfeed.web.feeds import feed_routes
from calfeed.web.following.blueprint import add_following
from calfeed.web.pages import page_routes, push_routes
from calfeed.web.pages.lists.cards import list_cards
from calfeed.web.pages.page_cache import PUBLIC, PageCache
from calfeed.web.pages.reader.wording import gettext
from calfeed.web.pages.request_options import add_reader
from calfeed.web.pictures.rendering import can_draw
from calfeed.web.published.responses import Application, StoredResponseMiddleware
from calfeed.web.published.state import State
from calfeed.web.push_site import PushSite
from calfeed.web.security import keep_redirects_local, set_security_headers
from calfeed.web.serving.client_addresses import count_forwarded
from calfeed.web.sharing import routes as sharing_routes
from calfeed.web.sharing.head import add_head
from calfeed.web.site import routes as site_routes
from calfeed.web.site.view import add_site


class SlugConverter(BaseConverter):
    """The slug of a calendar or an event."""

    regex = "[a-z0-9][a-z0-9-]*"


def make_app(
    database: Database,
    base_url: str,
    mounts: Mapping[str, Application] | None = None,
    state: State | None = None,
    push: PushSite | None = None,
    *,
    mails: bool = False,
    proxies: int = 0,
) -> Application:
    """Create the WSGI application, and start watching for publishes.

    `mounts` are further applications by path prefix; `state` is the state that they share. The
    other arguments are as for `make_flask`.

    Raises StoreError if the database is unavailable or has no schema.
    """
    check_schema(database)
    state = state or State(database, base_url)
    flask = make_flask(state, base_url, push, mails=mails, proxies=proxies)
    caldav = make_caldav(state, base_url, push)
    application = DispatcherMiddleware(
        PageCache(flask.wsgi_app, state), {MOUNT: caldav.wsgi_app, **(mounts or {})}
    )
    middleware = StoredResponseMiddleware(application, state.snapshot, state.poll_counter)
    state.middleware = middleware
    state.watch()
    return middleware


def make_flask(
    state: State,
    base_url: str,
    push: PushSite | None = None,
    *,
    mails: bool = False,
    proxies: int = 0,
    pictures: bool | None = None,
) -> Flask:
    """Create the Flask application: pages, single events, following, health checks.

    `push` has what push to browsers needs; it is None if push is off. With `mails`, people can sign
    up to follow dates by mail. `proxies` is the number of trusted proxies in front of the web
    server. With `pictures`, pages have pictures of their dates; if it is None, they have them if
    pictures can be drawn (`can_draw`).
    """
    pictures = can_draw() if pictures is None else pictures
    app = RedactingFlask(__name__)
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    add_reader(app, lambda: state.snapshot.offered)
    add_site(app, lambda: state.snapshot.site)
    add_head(app, state, base_url, pictures=pictures)
    app.url_map.converters["slug"] = SlugConverter
    app.register_blueprint(page_routes.make_blueprint(state, base_url))
    app.register_blueprint(feed_routes.make_blueprint(state))
    app.register_blueprint(site_routes.make_blueprint(state))
    app.register_blueprint(sharing_routes.make_blueprint(state, base_url, pictures=pictures))
    if pictures:
        from calfeed.web.pictures import routes as picture_routes  # needs the extra

        app.register_blueprint(picture_routes.make_blueprint(state))
    app.register_blueprint(discovery.make_blueprint())
    add_following(app, state, open_to_all=mails, proxies=proxies)
    if push is not None:
        app.register_blueprint(push_routes.make_blueprint(state, push))

    @app.get("/healthz")
    def healthz() -> Response:
        # GET has a stored response; this route makes Flask respond with 405 to other methods.
        return Response("ok\n", content_type="text/plain; charset=utf-8")

    @app.get("/readyz")
    def readyz() -> Response:
        try:
            state.check()
        except StoreError as error:
            problem = "is unavailable"
            if isinstance(error, DatabaseFileError):
                problem = f"file {error.problem}"
            text = f"the database {problem}; the last published state is being served\n"
            status = HTTPStatus.SERVICE_UNAVAILABLE
        else:
            text, status = "ok\n", HTTPStatus.OK
        response = Response(text, status, content_type="text/plain; charset=utf-8")
        # `calfeed doctor` checks whether this installation responds, and through how many proxies.
        forwarded = count_forwarded(request.headers.get("X-Forwarded-For", ""))
        response.headers[LINEAGE_HEADER] = state.snapshot.lineage
        response.headers[FORWARDED_HEADER] = str(forwarded)
        return response

    @app.errorhandler(HTTPException)
    def explain(error: HTTPException) -> Response:
        """Respond to errors with a page for browsers, problem+json (RFC 9457) for programs."""
        if error.response is not None or (error.code or 500) < 400:
            return cast(Response, error.get_response())  # a redirect
        status = error.code or 500
        best = request.accept_mimetypes.best_match(["text/html", "application/json"], "text/html")
        if best == "application/json" or not request.accept_mimetypes.accept_html:
            title = HTTPStatus(status).phrase
            response = jsonify(title=title, status=status, detail=error.description)
            response.content_type = "application/problem+json"
        else:
            g.in_error = True
            title, detail = _describe_status(status)
            if error.description != type(error).description:
                detail = error.description or ""  # more specific than Werkzeug's text
            page = render_template(
                "error.html",
                title=title,
                detail=detail,
                status=status,
                calendars=list_cards(state.snapshot),
            )
            response = Response(page)
        response.status_code = status
        if error.get_response().headers.get("Allow"):
            response.headers["Allow"] = error.get_response().headers["Allow"]
        return response

    @app.after_request
    def allow_caching(response: Response) -> Response:
        """Let the page cache keep static files."""
        if request.endpoint == "static" and response.status_code == HTTPStatus.OK:
            response.headers["Cache-Control"] = PUBLIC
        return response

    app.after_request(set_security_headers)
    keep_redirects_local(app, base_url)
    return app


def _describe_status(status: int) -> tuple[str, str]:
    """Return the title and text for an error without a message, in the reader's language."""
    words = {
        400: (
            gettext("This cannot be asked for"),
            gettext("The server cannot make sense of what your browser sent."),
        ),
        404: (
            gettext("There is nothing here"),
            gettext("No page has this address. If you typed it, look at how it is spelled."),
        ),
        405: (
            gettext("This cannot be done here"),
            gettext("This address is there to be read, not to be written to."),
        ),
        410: (
            gettext("This is gone"),
            gettext("What was here was withdrawn, and will not come back."),
        ),
        413: (
            gettext("This is too large"),
            gettext("Your browser sent more than the server takes."),
        ),
        429: (
            gettext("Too much at once"),
            gettext("Many requests came from your network. Wait a minute, then try again."),
        ),
        503: (
            gettext("Not right now"),
            gettext("The server cannot do this at the moment. Try again later."),
        ),
        500: (
            gettext("Something went wrong here"),
            gettext("The fault is ours, and it is in our log. Try again in a while."),
        ),
    }
    return words.get(status) or words[400 if status < 500 else 500]
