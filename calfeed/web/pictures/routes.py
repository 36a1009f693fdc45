"""The routes of pictures, which are drawn on first request, one at a time."""

from __future__ import annotations

import logging
import threading
from typing import TypeAlias

from flask import Blueprint, Response, abort, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from calfeed.web.pages.resolve import find_calendar, find_event
from calfeed.web.pictures.addresses import MOUNT, Picture, make_picture
from calfeed.web.pictures.drawing import draw
from calfeed.web.pictures.rendering import DrawingError, render
from calfeed.web.published.bounded_cache import BoundedCache
from calfeed.web.published.state import State

_log = logging.getLogger(__name__)

FOR_EVER = "public, max-age=31536000, immutable"
"""The Cache-Control of files whose address changes with their content."""

_MAX_CACHE_BYTES = 16_000_000
_MAX_WAITING = 3
"""The maximum number of requests that wait for a picture; more would delay pages."""

_RETRY_SECONDS = "5"

Pictures: TypeAlias = BoundedCache[str, bytes]


def make_blueprint(state: State) -> Blueprint:
    pictures = Blueprint("pictures", __name__)
    cache: Pictures = BoundedCache(_MAX_CACHE_BYTES, lambda _, png: len(png))
    waiting, drawing = threading.Semaphore(_MAX_WAITING), threading.Lock()

    def make(picture: Picture) -> bytes:
        if not waiting.acquire(blocking=False):
            abort(503)
        try:
            with drawing:
                return render(draw(picture.content))
        except DrawingError as error:
            _log.error("%s: %s", picture.address, error)
            abort(404)
        finally:
            waiting.release()

    def respond(digest: str, picture: Picture) -> BaseResponse:
        if digest != picture.content.digest:
            response = redirect(request.script_root + picture.address)
            response.headers["Cache-Control"] = "no-cache"
            return response
        png = cache.get_or_make(picture.address, lambda: make(picture))
        response = Response(png, content_type="image/png")
        response.headers["Cache-Control"] = FOR_EVER
        response.set_etag(digest)
        return response.make_conditional(request)

    @pictures.get(f"{MOUNT}/<digest>.png")
    def site(digest: str) -> BaseResponse:
        return respond(digest, make_picture(state))

    @pictures.get(f"{MOUNT}/<slug:slug>/<digest>.png")
    def calendar(slug: str, digest: str) -> BaseResponse:
        return respond(digest, make_picture(state, find_calendar(state.snapshot, slug)))

    @pictures.get(f"{MOUNT}/<slug:slug>/<slug:event_slug>/<digest>.png")
    def event(slug: str, event_slug: str, digest: str) -> BaseResponse:
        found = find_calendar(state.snapshot, slug)
        return respond(digest, make_picture(state, found, find_event(found, event_slug)))

    return pictures
