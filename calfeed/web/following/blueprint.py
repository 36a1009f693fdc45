"""The blueprint of the pages for people who follow, and the headers of all its responses."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, Response, current_app
from werkzeug.exceptions import ServiceUnavailable
from werkzeug.routing import BaseConverter

from calfeed.errors import SealError, StoreError
from calfeed.web.following.own_page_routes import add_own_page_routes
from calfeed.web.following.sign_up_routes import add_confirm_routes, add_sign_up_routes
from calfeed.web.pages.reader.wording import gettext
from calfeed.web.published.state import State

_MAX_FORM_BYTES = 64_000


class PersonConverter(BaseConverter):
    """The id of a person; its form is never a valid slug."""

    regex = "per_[0-9a-f]{16}"


def add_following(app: Flask, state: State, *, open_to_all: bool, proxies: int) -> None:
    """Add the pages to an application.

    Without `open_to_all` (mail is not set up), nobody can sign up, but links in earlier mails still
    work.
    """
    app.config["MAX_CONTENT_LENGTH"] = _MAX_FORM_BYTES
    app.url_map.converters["person"] = PersonConverter
    app.jinja_env.globals["can_follow"] = open_to_all
    pages = Blueprint("following", __name__)
    pages.after_request(_keep_from_caches)
    pages.register_error_handler(StoreError, _explain)
    pages.register_error_handler(SealError, _explain)
    if open_to_all:
        add_sign_up_routes(pages, state, proxies)
    add_confirm_routes(pages, state)
    add_own_page_routes(pages, state)
    app.register_blueprint(pages)


def _keep_from_caches(response: Response) -> Response:
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def _explain(error: Exception) -> Any:
    text = gettext("Nothing was changed. Try again later.")
    return current_app.handle_http_exception(ServiceUnavailable(text))
