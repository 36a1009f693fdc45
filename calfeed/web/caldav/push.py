"""WebDAV-Push: a client registers for pushes about changes of a calendar (draft 611abe2)."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from http import HTTPStatus
from urllib.parse import urljoin
from xml.etree.ElementTree import Element

from flask import Response, request

from calfeed.errors import ConflictError, InvalidFieldsError, NotFoundError
from calfeed.services.following.pushing import register_collection, unregister_collection
from calfeed.store.push.subscriptions import Receiver
from calfeed.web.caldav.resources import CalendarResource
from calfeed.web.caldav.responses import RefusedError
from calfeed.web.caldav.xml.requests import PUSH, parse_body
from calfeed.web.push_site import PushSite

SUBSCRIPTIONS = "push"
"""The folder below the root in which subscriptions have their URLs."""

CLASS = "webdav-push"
"""The token in the DAV header of a server with push."""


def register(site: PushSite, base_url: str, resource: CalendarResource) -> Response:
    """Respond to the current request, a push-register of a calendar.

    Values that a client leaves out, as DAVx⁵ does, have only one possible meaning: the trigger is a
    change of the content, and the encoding is aes128gcm. Raises RefusedError with the condition
    that failed.
    """
    root = parse_body(request.get_data())
    if root.tag != f"{PUSH}push-register":
        raise RefusedError(HTTPStatus.FORBIDDEN, f"{PUSH}push-not-available")
    trigger = root.find(f"{PUSH}trigger")
    if trigger is not None and trigger.find(f"{PUSH}content-update") is None:
        raise RefusedError(HTTPStatus.FORBIDDEN, f"{PUSH}no-supported-trigger")
    receiver = _read_receiver(root)
    calendar = resource.collection.calendar
    try:
        registered = register_collection(
            site.database,
            site.rules,
            receiver,
            calendar.calendar.slug,
            _read_expiry(root),
            site.clock(),
            public=calendar.public,
        )
    except InvalidFieldsError as error:
        raise _invalid() from error
    except ConflictError as error:
        raise RefusedError(HTTPStatus.FORBIDDEN, f"{PUSH}push-not-available") from error
    response = Response(status=HTTPStatus.CREATED if registered.new else HTTPStatus.NO_CONTENT)
    path = f"{resource.view.root}{SUBSCRIPTIONS}/{registered.id}"
    response.headers["Location"] = urljoin(base_url, path)
    response.headers["Expires"] = format_datetime(registered.expires, usegmt=True)
    return response


def unregister(site: PushSite, subscription_id: str) -> Response:
    """Respond to the current request, a DELETE of a subscription's URL."""
    try:
        unregister_collection(site.database, subscription_id, site.clock())
    except NotFoundError:
        return Response(status=HTTPStatus.NOT_FOUND)
    return Response(status=HTTPStatus.NO_CONTENT)


def _read_receiver(root: Element) -> Receiver:
    found = root.find(f"{PUSH}subscription/{PUSH}web-push-subscription")
    if found is None:
        raise _invalid()
    encoding = _text(found, "content-encoding")
    if encoding not in ("", "aes128gcm"):
        raise _invalid()
    return Receiver(
        _text(found, "push-resource"),
        _text(found, "subscription-public-key"),
        _text(found, "auth-secret"),
    )


def _read_expiry(root: Element) -> datetime | None:
    """Read when a client wants the subscription to end (an HTTP date); None if it is not given."""
    try:
        wanted = parsedate_to_datetime(_text(root, "expires"))
    except (ValueError, OverflowError):
        return None
    return wanted.replace(tzinfo=wanted.tzinfo or UTC)


def _text(element: Element, name: str) -> str:
    return (element.findtext(PUSH + name) or "").strip()


def _invalid() -> RefusedError:
    return RefusedError(HTTPStatus.FORBIDDEN, f"{PUSH}invalid-subscription")
