"""The API as an application: its operations under `/v1`, its document, and a page to try it on."""

from __future__ import annotations

from functools import cache
from itertools import chain

from flask import Flask, Response, request
from pydantic import SecretStr

from calfeed.delivery.transport.guard import PUBLIC_ONLY, UrlRules
from calfeed.store.database import Database
from calfeed.web.api.access import RATE, guard
from calfeed.web.api.document import make_document
from calfeed.web.api.examples import fill_in, list_values
from calfeed.web.api.operations import Backend, Operation, serve_operation
from calfeed.web.api.problems import explain_errors
from calfeed.web.api.rate_limits import RateLimit
from calfeed.web.api.resources import (
    calendars,
    deliveries,
    endpoints,
    registrations,
    rehearsals,
    tokens,
)
from calfeed.web.faults import QuietFlask
from calfeed.web.networks import name_network
from calfeed.web.published.state import State
from calfeed.web.security import stay_at

MOUNT = "/api"
"""Where the application is mounted."""

VERSION = "/v1"

LARGEST_BODY = 65_536
"""Bytes of a request's body."""

OPERATIONS: list[Operation] = list(
    chain(
        calendars.operations,
        endpoints.operations,
        deliveries.operations,
        rehearsals.operations,
        tokens.operations,
    )
)

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def make_api(
    state: State,
    database: Database,
    base_url: str,
    *,
    admin_token: SecretStr | None = None,
    urls: UrlRules = PUBLIC_ONLY,
    self_service: bool = False,
    rate: str = RATE,
    registration_rate: str = registrations.RATE,
) -> Flask:
    """The application over a published state and its database.

    `admin_token` may do everything. `urls` says which URLs endpoints may have. With `self_service`
    anybody may register an endpoint. `rate` is how many requests one token or address may make,
    `registration_rate` how many registrations (as the library limits writes it).
    """
    app = QuietFlask(__name__, static_folder="ui", static_url_path="/ui")
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    explain_errors(app)
    stay_at(app, base_url)

    @app.after_request
    def secure(response: Response) -> Response:
        headers = response.headers
        headers["Content-Security-Policy"] = _POLICY
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Referrer-Policy"] = "no-referrer"
        # Whoever reads without a token may do so from any page: there are no cookies here.
        headers["Access-Control-Allow-Origin"] = "*"
        headers["Vary"] = "Authorization"
        headers["Cache-Control"] = "no-store" if "Authorization" in request.headers else "no-cache"
        return response

    guard(app, database, admin_token, rate, state.clock)
    registration_limit = RateLimit(registration_rate)

    def limit_registrations() -> None:
        # By the address, even of who has a token: each registration gives another one.
        registration_limit.count(name_network())

    backend = Backend(state, database, base_url, urls, limit_registrations)
    operations = [*OPERATIONS, *registrations.operations] if self_service else OPERATIONS
    for operation in operations:
        serve_operation(app, VERSION, operation, backend)

    # Made when somebody asks for it: it takes a while, and the server shall not start later for it.
    @cache
    def document() -> dict[str, object]:
        return make_document(operations, MOUNT + VERSION)

    @app.get("/openapi.json")
    def openapi() -> dict[str, object]:
        values = list_values(state.snapshot, state.clock().date())
        return fill_in(document(), values)

    @app.get("/")
    def page() -> Response:
        return app.send_static_file("index.html")

    return app
