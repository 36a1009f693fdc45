"""Push in the browser: the service worker, and what a browser follows."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from flask import Blueprint, Response, abort, current_app, g, jsonify, request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from calfeed.errors import ConflictError, InvalidFieldsError, StoreError, reason_of
from calfeed.services.following.pushing import MAX_FOLLOWED, find_followed, follow_in_browser
from calfeed.store.push.subscriptions import Receiver
from calfeed.web.api.rate_limits import RateLimit
from calfeed.web.network_hashes import hash_client_network
from calfeed.web.pages.reader.languages import choose_reader
from calfeed.web.pages.reader.wording import gettext
from calfeed.web.published.snapshot import Snapshot
from calfeed.web.published.state import State
from calfeed.web.push_site import RATE, PushSite

_MAX_BODY_BYTES = 16_384

_Names = Annotated[list[Annotated[str, Field(max_length=129)]], Field(max_length=MAX_FOLLOWED)]


class _Wish(BaseModel):
    """What a browser sends: its subscription, and what to follow and to stop following."""

    model_config = ConfigDict(extra="forbid")

    resource: Annotated[str, Field(max_length=2048)]
    key: Annotated[str, Field(max_length=100)]
    auth: Annotated[str, Field(max_length=40)]
    language: Annotated[str, Field(max_length=16)] = ""
    follow: _Names = []
    unfollow: _Names = []


def make_blueprint(state: State, site: PushSite) -> Blueprint:
    """Return the routes of push; all templates get the public key of the site as `push_key`."""
    push = Blueprint("push", __name__)
    limit = RateLimit(RATE)

    @push.app_context_processor
    def offer() -> dict[str, str]:
        return {"push_key": site.public_key}

    @push.get("/push-worker.js")
    def worker() -> Response:
        # At the root, because a service worker controls only the pages below its own path.
        return current_app.send_static_file("push-worker.js")

    @push.post("/push/")
    def follow() -> Response:
        """Change what a browser follows; return all that it follows. Forms cannot send JSON."""
        limit.count(hash_client_network())
        wish = _read_wish()
        g.reader = choose_reader(
            wish.language, request.headers.get("Accept-Language", ""), state.snapshot.offered
        )
        unknown = [name for name in wish.follow if not _is_public(state.snapshot, name)]
        if unknown:
            return _refuse("follow", f"there is no public calendar or event {unknown[0]}")
        receiver = Receiver(wish.resource, wish.key, wish.auth)
        try:
            if not wish.follow and not wish.unfollow:
                return jsonify(follows=find_followed(site.database, site.rules, wish.resource))
            follows = follow_in_browser(
                site.database,
                site.rules,
                receiver,
                wish.follow,
                wish.unfollow,
                g.reader.tag,
                _greet(),
                site.clock(),
            )
        except InvalidFieldsError as error:
            return _refuse(error.faults[0].place, error.faults[0].message)
        except ConflictError as error:
            return _refuse("follow", str(error), HTTPStatus.CONFLICT)
        except StoreError:
            abort(HTTPStatus.SERVICE_UNAVAILABLE)
        return jsonify(follows=follows)

    return push


def _greet() -> tuple[str, str]:
    return (
        gettext("This browser is told"),
        gettext("When the date moves or is cancelled, you will see it here."),
    )


def _read_wish() -> _Wish:
    if request.mimetype != "application/json":
        abort(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The body has to be JSON.")
    if (request.content_length or 0) > _MAX_BODY_BYTES:
        abort(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    try:
        return _Wish.model_validate_json(request.get_data())
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        abort(HTTPStatus.BAD_REQUEST, f"{'.'.join(map(str, first['loc']))}: {reason_of(first)}")


def _is_public(snapshot: Snapshot, name: str) -> bool:
    calendar, _, event = name.partition("/")
    found = snapshot.calendars.get(calendar)
    return found is not None and (not event or event in found.by_slug)


def _refuse(
    field: str, reason: str, status: HTTPStatus = HTTPStatus.UNPROCESSABLE_ENTITY
) -> Response:
    response = jsonify(title=status.phrase, status=status, detail=f"{field}: {reason}")
    response.status_code = status
    response.content_type = "application/problem+json"
    return response
