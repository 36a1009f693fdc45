"""The API's Flask application: operations under `/v1`, the OpenAPI document, and Swagger UI."""

from __future__ import annotations

from functools import cache
from http import HTTPStatus
from itertools import chain

from flask import Flask, Response, render_template, request
from pydantic import SecretStr

from calfeed import __version__
from calfeed.delivery.transport.guard import PUBLIC_ONLY, UrlRules
from calfeed.reminders.contract.documents import make_asyncapi
from calfeed.store.database import Database
from calfeed.web.api.access import RATE, add_access_control
from calfeed.web.api.document import make_document
from calfeed.web.api.examples import fill_in, list_values
from calfeed.web.api.operations import ApiContext, Operation, add_operation_route
from calfeed.web.api.problems import add_error_handlers
from calfeed.web.api.rate_limits import RateLimit
from calfeed.web.api.resources import (
    calendars,
    deliveries,
    endpoints,
    message_types,
    polling,
    registrations,
    rehearsals,
    tokens,
)
from calfeed.web.error_logging import RedactingFlask
from calfeed.web.network_hashes import hash_client_network
from calfeed.web.prefix import prefix_of
from calfeed.web.published.state import State
from calfeed.web.security import keep_redirects_local
from calfeed.web.site.files import list_files
from calfeed.web.site.view import name_site

MOUNT = "/api"

VERSION = "/v1"

MAX_BODY_BYTES = 65_536

OPERATIONS: list[Operation] = list(
    chain(
        calendars.operations,
        endpoints.operations,
        polling.operations,
        deliveries.operations,
        message_types.operations,
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
    """Create the application.

    `admin_token` has all scopes. `urls` restricts the URLs of endpoints. `self_service` enables
    registrations without a token. `rate` limits the requests of a token or client network,
    `registration_rate` the registrations (both in the notation of the library limits).
    """
    app = RedactingFlask(
        __name__, static_folder="ui", static_url_path="/ui", template_folder="../templates"
    )
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    add_error_handlers(app)
    keep_redirects_local(app, base_url)

    @app.after_request
    def secure(response: Response) -> Response:
        headers = response.headers
        headers["Content-Security-Policy"] = _POLICY
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Referrer-Policy"] = "no-referrer"
        # Any site may read public data: the API uses no cookies.
        headers["Access-Control-Allow-Origin"] = "*"
        headers["Vary"] = "Authorization"
        if "Authorization" in request.headers:
            headers["Cache-Control"] = "no-store"
            return response
        headers["Cache-Control"] = "no-cache"
        if request.method == "GET" and response.status_code == HTTPStatus.OK:
            response.add_etag()
            response.make_conditional(request)
        return response

    add_access_control(app, database, admin_token, rate, state.clock)
    registration_limit = RateLimit(registration_rate)

    def limit_registrations() -> None:
        # Limited by network, not by token, because each registration creates a new token.
        registration_limit.count(hash_client_network())

    context = ApiContext(state, database, base_url, urls, limit_registrations)
    operations = [*OPERATIONS, *registrations.operations] if self_service else OPERATIONS
    for operation in operations:
        add_operation_route(app, VERSION, operation, context)

    # Made on first use, because making it would delay the start of the server.
    @cache
    def document() -> dict[str, object]:
        return make_document(operations, prefix_of(base_url) + MOUNT + VERSION)

    @app.get("/openapi.json")
    def openapi() -> dict[str, object]:
        values = list_values(state.snapshot, state.clock().date())
        described = fill_in(document(), values)
        title = {"title": name_site(state.snapshot.site)}
        return {**described, "info": {**described["info"], **title}}

    make_messages_document = cache(make_asyncapi)

    @app.get("/asyncapi.json")
    def asyncapi() -> dict[str, object]:
        return make_messages_document(name_site(state.snapshot.site), __version__)

    @app.get("/")
    def page() -> str:
        site, root = state.snapshot.site, prefix_of(base_url)
        files = list_files(site)
        return render_template(
            "api.html",
            name=name_site(site),
            home=f"{root}/",
            logo=files.logo and root + files.logo.path,
            icon=files.icon and root + files.icon.path,
            theme=files.theme and root + files.theme.path,
        )

    return app
