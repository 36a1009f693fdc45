"""The console as an application of its own: whom it turns away, its headers, its errors."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, redirect, render_template, request, url_for
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as Answer

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
from calfeed.web.console.authentication import Door, current_visit, form_token, is_own_form
from calfeed.web.console.context import Desk
from calfeed.web.console.formatting import make_filters
from calfeed.web.console.views import (
    definition_routes,
    delivery_routes,
    endpoint_routes,
    health_routes,
    overview,
    publish_routes,
    rehearsal_routes,
    reminder_routes,
    sign_in_routes,
)
from calfeed.web.faults import QuietFlask
from calfeed.web.security import secure, stay_at

PREFIX = "/console"
"""Where the console is mounted."""

_OPEN = {"sign_in_page", "enter"}
_LARGEST_FORM = 100_000

_STATUSES = (
    (NotFoundError, HTTPStatus.NOT_FOUND),
    (InvalidInputError, HTTPStatus.BAD_REQUEST),
    (SealError, HTTPStatus.CONFLICT),
    (ConflictError, HTTPStatus.CONFLICT),
    (StoreError, HTTPStatus.SERVICE_UNAVAILABLE),
)


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


def make_console(
    database: Database, settings: Settings, clock: Callable[[], datetime] = now
) -> Flask:
    """The console over a database, to be mounted at `PREFIX`.

    Raises StoreError where the database cannot be read.
    """
    console = QuietFlask(__name__, template_folder="../templates", static_folder=None)
    console.config["MAX_CONTENT_LENGTH"] = _LARGEST_FORM
    console.jinja_env.trim_blocks = True
    console.jinja_env.lstrip_blocks = True
    console.jinja_env.filters.update(make_filters(clock))
    desk, door = Desk(database, settings, clock), Door(database, settings, clock)
    door.install(console, PREFIX, secure=settings.base_url.startswith("https:"))
    console.context_processor(lambda: {"form_token": form_token, "signed_in": current_visit()})
    console.before_request(_guard)
    console.after_request(_keep_private)
    stay_at(console, settings.base_url)
    console.register_error_handler(CalfeedError, _explain)
    console.register_error_handler(HTTPException, _explain_status)
    sign_in_routes.add_routes(console, desk, door)
    for part in (
        *(overview, endpoint_routes, delivery_routes, reminder_routes),
        *(rehearsal_routes, publish_routes, definition_routes, health_routes),
    ):
        part.add_routes(console, desk)
    return console


def _guard() -> Answer | None:
    """Turn away everybody who is not signed in, and forms that are not our own."""
    if request.endpoint not in _OPEN and current_visit() is None:
        inside = request.full_path.rstrip("?").lstrip("/")
        back = (
            f"{request.script_root}/{inside}"
            if request.method in ("GET", "HEAD") and inside
            else None
        )
        return redirect(url_for("sign_in_page", next=back), HTTPStatus.SEE_OTHER)
    if request.method == "POST" and not is_own_form():
        raise InvalidInputError(
            "This form is not from this visit: it was open too long, or came from elsewhere. "
            "Nothing was done. Go back, load the page again and send it once more."
        )
    return None


def _keep_private(response: Response) -> Response:
    """Let no cache keep what the console says, and no page load or frame it."""
    response.headers["Cache-Control"] = "no-store"
    return secure(response)


def _explain(error: CalfeedError) -> tuple[str, int]:
    status = next(
        (status for kind, status in _STATUSES if isinstance(error, kind)),
        HTTPStatus.INTERNAL_SERVER_ERROR,
    )
    return _show_error(status, str(error)), status


def _explain_status(error: HTTPException) -> Any:
    code = error.code or 500
    if error.response is not None or code < 400:
        return error  # a redirect
    page = _show_error(HTTPStatus(code), error.description or "")
    return page, code, [pair for pair in error.get_headers() if pair[0] == "Allow"]


def _show_error(status: HTTPStatus, detail: str) -> str:
    return render_template("console/error.html", title=status.phrase, detail=detail)
