"""A client registers to be pushed, as DAVx⁵ does, and as the draft of WebDAV-Push says."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client

from calfeed.delivery.transport.guard import PUBLIC_ONLY
from calfeed.reminders.pushing import topic_of
from calfeed.services.following.pushing import load_public_key
from calfeed.web.app import make_flask
from calfeed.web.caldav.resources import MOUNT
from calfeed.web.caldav.routes import make_caldav
from calfeed.web.push_site import PushSite
from tests.delivery.push_client import PushClient
from tests.web.caldav.door import OPEN, D, Door
from tests.web.published import BASE, NOW

P = "{https://bitfire.at/webdav-push}"
RESOURCE = "https://up.example.org/UPabc?up=1"
CLIENT = PushClient()

PROPERTIES = (
    '<D:prop xmlns:P="https://bitfire.at/webdav-push">'
    "<P:transports/><P:topic/><P:supported-triggers/></D:prop>"
)
SUBSCRIPTION = (
    "<subscription><web-push-subscription><push-resource>{resource}</push-resource>{encoding}"
    '<subscription-public-key type="p256dh">{key}</subscription-public-key>'
    "<auth-secret>{auth}</auth-secret></web-push-subscription></subscription>"
)
CONTENT = "<trigger><content-update><depth xmlns='DAV:'>1</depth></content-update></trigger>"


@pytest.fixture
def pushing(door: Door) -> Door:
    """A door of a site that pushes."""
    site = door.site
    key = load_public_key(site.database)
    push = PushSite(site.database, PUBLIC_ONLY, key, lambda: site.now)
    mounts: dict[str, Any] = {MOUNT: make_caldav(site.state, BASE, push).wsgi_app}
    door.client = Client(DispatcherMiddleware(make_flask(site.state, BASE, push).wsgi_app, mounts))
    return door


def registration(more: str = "", encoding: str = "", resource: str = RESOURCE) -> str:
    given = CLIENT.receiver(resource)
    subscription = SUBSCRIPTION.format(
        resource=resource, encoding=encoding, key=given.client_key, auth=given.auth
    )
    return (
        f'<push-register xmlns="https://bitfire.at/webdav-push">{subscription}{more}'
        "</push-register>"
    )


def test_a_calendar_says_how_it_is_pushed(pushing: Door) -> None:
    """The public key, the topic and the trigger that a client needs; and the DAV header."""
    answer = pushing.find(OPEN, PROPERTIES)
    found = answer.properties[OPEN]
    key = found[f"{P}transports"].find(f"{P}web-push/{P}vapid-public-key")
    assert key is not None
    assert (key.get("type"), key.text) == ("p256ecdsa", load_public_key(pushing.site.database))
    assert found[f"{P}topic"].text == topic_of("open")
    depth = found[f"{P}supported-triggers"].find(f"{P}content-update/{D}depth")
    assert depth is not None
    assert depth.text == "1"
    assert "webdav-push" in answer.response.headers["DAV"]


def test_davx5_registers_renews_and_ends(pushing: Door) -> None:
    """DAVx⁵ sends no trigger and no content encoding, and takes the Location for its DELETE."""
    body = registration("<expires>Mon, 30 Nov 2026 12:00:00 GMT</expires>")
    made = pushing.ask("POST", OPEN, body)
    assert made.status_code == 201
    location = made.headers["Location"]
    assert location.startswith(f"{BASE}/dav/push/")
    assert (parsedate_to_datetime(made.headers["Expires"]) - NOW).days >= 3
    again = pushing.ask("POST", OPEN, body)
    assert (again.status_code, again.headers["Location"]) == (204, location)
    path = location.removeprefix(BASE)
    assert pushing.ask("DELETE", path).status_code == 204
    assert pushing.ask("DELETE", path).status_code == 404


@pytest.mark.parametrize(
    ("body", "condition"),
    [
        (registration(resource="http://up.example.org/a"), "invalid-subscription"),
        (registration(resource="https://10.0.0.1/a"), "invalid-subscription"),
        (
            registration(encoding="<content-encoding>aesgcm</content-encoding>"),
            "invalid-subscription",
        ),
        (
            registration("<trigger><property-update/></trigger>"),
            "no-supported-trigger",
        ),
        ('<push-register xmlns="https://bitfire.at/webdav-push"/>', "invalid-subscription"),
        ('<share xmlns="https://bitfire.at/webdav-push"/>', "push-not-available"),
    ],
)
def test_what_cannot_be_pushed_is_refused_by_its_condition(
    pushing: Door, body: str, condition: str
) -> None:
    refused = pushing.ask("POST", OPEN, body)
    assert refused.status_code == 403
    assert fromstring(refused.data).find(f"{P}{condition}") is not None


def test_the_full_form_of_the_draft_is_taken(pushing: Door) -> None:
    encoding = "<content-encoding>aes128gcm</content-encoding>"
    assert pushing.ask("POST", OPEN, registration(CONTENT, encoding)).status_code == 201


def test_a_calendar_that_cannot_be_read_cannot_be_subscribed_to(pushing: Door) -> None:
    """A private calendar without its token is refused as one that does not exist."""
    private = pushing.ask("POST", "/dav/calendars/board/", registration())
    missing = pushing.ask("POST", "/dav/calendars/nothing/", registration())
    assert private.status_code == missing.status_code == 403
    assert private.data.replace(b"board", b"nothing") == missing.data


def test_without_push_nothing_is_said_of_it(door: Door) -> None:
    """No property, no class in the DAV header, and POST is refused like other writing."""
    answer = door.find(OPEN, PROPERTIES)
    assert not answer.properties.get(OPEN)
    assert "push" not in answer.response.headers["DAV"]
    assert door.ask("POST", OPEN, registration()).status_code == 403


def test_a_network_cannot_take_up_all_subscriptions(pushing: Door) -> None:
    """There is a limit of all of them, which one client must not reach."""
    statuses = [
        pushing.ask("POST", OPEN, registration(resource=f"https://up.example.org/{number}")).status
        for number in range(121)
    ]
    assert set(statuses[:120]) == {"201 CREATED"}
    assert statuses[120] == "429 TOO MANY REQUESTS"
