"""The console's Flask application: access control, headers, error pages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, redirect, render_template, request, url_for
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as WsgiResponse

from calfeed.errors import (
    CalfeedError,
    ConflictError,
    InvalidInputError,
    NotFoundError,
    SealError,
    StoreError,
)
from calfeed.settings import Settings
from calfeed.store.database import Database
from calfeed.web.console.authentication import (
    Authenticator,
    current_session,
    form_token,
    has_valid_form_token,
)
from calfeed.web.console.context import ConsoleContext
from calfeed.web.console.formatting import make_filters
from calfeed.web.console.views import (
    definition_routes,
    delivery_routes,
    endpoint_routes,
    health_routes,
    overview,
    people_routes,
    publish_routes,
    rehearsal_routes,
    reminder_routes,
    sign_in_routes,
)
from calfeed.web.error_logging import RedactingFlask
from calfeed.web.prefix import prefix_of
from calfeed.web.security import keep_redirects_local, set_security_headers

PREFIX = "/console"

_PUBLIC_ENDPOINTS = {"sign_in_page", "enter"}
_MAX_FORM_BYTES = 100_000

_STATUSES = (
    (NotFoundError, HTTPStatus.NOT_FOUND),
    (InvalidInputError, HTTPStatus.BAD_REQUEST),
    (SealError, HTTPStatus.CONFLICT),
    (ConflictError, HTTPStatus.CONFLICT),
    (StoreError, HTTPStatus.SERVICE_UNAVAILABLE),
)


def now() -> datetime:
    return datetime.now(UTC)


def make_console(
    database: Database, settings: Settings, clock: Callable[[], datetime] = now
) -> Flask:
    """Create the console, to be mounted at `PREFIX`.

    Raises StoreError if the database cannot be read.
    """
    console = RedactingFlask(__name__, template_folder="../templates", static_folder=None)
    console.config["MAX_CONTENT_LENGTH"] = _MAX_FORM_BYTES
    console.jinja_env.trim_blocks = True
    console.jinja_env.lstrip_blocks = True
    console.jinja_env.filters.update(make_filters(clock))
    context = ConsoleContext(database, settings, clock)
    authenticator = Authenticator(database, settings, clock)
    authenticator.install(console, PREFIX, settings.base_url)
    console.context_processor(lambda: {"form_token": form_token, "signed_in": current_session()})
    console.jinja_env.globals["root"] = prefix_of(settings.base_url)
    console.jinja_env.globals["mails"] = None not in (settings.mail_url, settings.mail_from)
    console.before_request(_check_access)
    console.after_request(_set_headers)
    keep_redirects_local(console, settings.base_url)
    console.register_error_handler(CalfeedError, _handle_error)
    console.register_error_handler(HTTPException, _handle_http_error)
    sign_in_routes.add_routes(console, context, authenticator)
    for routes in (
        *(overview, endpoint_routes, delivery_routes, reminder_routes),
        *(rehearsal_routes, publish_routes, definition_routes, health_routes, people_routes),
    ):
        routes.add_routes(console, context)
    return console


def _check_access() -> WsgiResponse | None:
    """Redirect to the sign-in page if not signed in; refuse forged forms."""
    if request.endpoint not in _PUBLIC_ENDPOINTS and current_session() is None:
        path = request.full_path.rstrip("?").lstrip("/")
        target = (
            f"{request.script_root}/{path}" if request.method in ("GET", "HEAD") and path else None
        )
        return redirect(url_for("sign_in_page", next=target), HTTPStatus.SEE_OTHER)
    if request.method == "POST" and not has_valid_form_token():
        raise InvalidInputError(
            "This form does not belong to this session: the session has ended, or the form is from "
            "another site. Nothing was changed. Go back, reload the page and submit it again."
        )
    return None


def _set_headers(response: Response) -> Response:
    """Disable caching and framing."""
    response.headers["Cache-Control"] = "no-store"
    return set_security_headers(response)


def _handle_error(error: CalfeedError) -> tuple[str, int]:
    status = next(
        (status for kind, status in _STATUSES if isinstance(error, kind)),
        HTTPStatus.INTERNAL_SERVER_ERROR,
    )
    return _show_error(status, str(error)), status


def _handle_http_error(error: HTTPException) -> Any:
    code = error.code or 500
    if error.response is not None or code < 400:
        return error  # a redirect
    page = _show_error(HTTPStatus(code), error.description or "")
    return page, code, [pair for pair in error.get_headers() if pair[0] == "Allow"]


def _show_error(status: HTTPStatus, detail: str) -> str:
    return render_template("console/error.html", title=status.phrase, detail=detail)
