"""How clients find the CalDAV door with nothing but the site's address (RFC 6764)."""

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
from calfeed.web.published.snapshot import EMPTY

WELL_KNOWN = "/.well-known/caldav"


def make_blueprint() -> Blueprint:
    discovery = Blueprint("caldav", __name__)
    root = Root(View(EMPTY, Collections(), frozenset(), f"{MOUNT}/"))

    @discovery.route(WELL_KNOWN, methods=["GET", "PROPFIND", "OPTIONS", "REPORT"])
    def find() -> WsgiResponse:
        return redirect(root.href, HTTPStatus.MOVED_PERMANENTLY)

    @discovery.route("/", methods=["PROPFIND"])
    def describe_site() -> Response:
        """Say where the principal is: some clients ask the site's address, and take no redirect."""
        try:
            wanted = read_propfind(request.get_data())
        except InvalidInputError as error:
            abort(400, f"{error}.")
        writer = ResponseWriter(ROOT, wanted, ORDINARY)
        return Multistatus(write_multistatus([writer.write("/", root)])).make_response()

    return discovery
