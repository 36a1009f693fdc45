"""Discovery: clients find the CalDAV server by the site's address alone (RFC 6764)."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, Response, abort, redirect, request
from werkzeug.wrappers import Response as WsgiResponse

from calfeed.errors import InvalidInputError
from calfeed.web.caldav.collections import Collections
from calfeed.web.caldav.properties import ORDINARY, ROOT
from calfeed.web.caldav.resources import MOUNT, Root, View
from calfeed.web.caldav.responses import Multistatus
from calfeed.web.caldav.xml.multistatus import ResponseWriter, write_multistatus
from calfeed.web.caldav.xml.requests import read_propfind
from calfeed.web.prefix import WELL_KNOWN
from calfeed.web.published.snapshot import EMPTY


def make_blueprint() -> Blueprint:
    discovery = Blueprint("caldav", __name__)

    def find_root() -> Root:
        return Root(View(EMPTY, Collections(), frozenset(), f"{request.script_root}{MOUNT}/"))

    @discovery.route(WELL_KNOWN, methods=["GET", "PROPFIND", "OPTIONS", "REPORT"])
    def find() -> WsgiResponse:
        return redirect(find_root().href, HTTPStatus.MOVED_PERMANENTLY)

    @discovery.route("/", methods=["PROPFIND"])
    def describe_site() -> Response:
        """Respond with the principal's URL.

        Some clients query the root of the site, and do not follow redirects.
        """
        try:
            wanted = read_propfind(request.get_data())
        except InvalidInputError as error:
            abort(400, f"{error}.")
        writer = ResponseWriter(ROOT, wanted, ORDINARY)
        described = writer.write(f"{request.script_root}/", find_root())
        return Multistatus(write_multistatus([described])).make_response()

    return discovery
