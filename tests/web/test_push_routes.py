"""A browser's requests to subscribe to push, and refusals."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from calfeed.delivery.transport.guard import PUBLIC_ONLY
from calfeed.services.following.pushing import load_public_key
from calfeed.store.database import Database
from calfeed.web.app import make_flask
from calfeed.web.push_site import PushSite
from tests.delivery.push_client import PushClient
from tests.web.api_site import OPEN, VAULT
from tests.web.published import BASE, Published

RESOURCE = "https://push.example.org/send/abc"


@pytest.fixture
def client(database: Database) -> Client:
    site = Published(database)
    site.publish({"open": OPEN, "vault-zx9": VAULT})
    push = PushSite(database, PUBLIC_ONLY, load_public_key(database), lambda: site.now)
    return Client(make_flask(site.state, BASE, push))


def ask(client: Client, **changes: Any) -> TestResponse:
    given = PushClient().receiver(RESOURCE)
    body = {"resource": given.resource, "key": given.client_key, "auth": given.auth, **changes}
    return client.post("/push/", json=body)


def test_a_browser_follows_asks_what_it_follows_and_stops(client: Client) -> None:
    assert ask(client).json == {"follows": []}
    assert ask(client, follow=["open"]).json == {"follows": ["open"]}
    assert ask(client, follow=["open/fair"]).json == {"follows": ["open", "open/fair"]}
    assert ask(client).json == {"follows": ["open", "open/fair"]}
    assert ask(client, unfollow=["open", "open/fair"]).json == {"follows": []}


@pytest.mark.parametrize("name", ["vault-zx9", "vault-zx9/x", "nothing", "open/nothing", "", "/"])
def test_only_what_is_public_can_be_followed(client: Client, name: str) -> None:
    """A private calendar is refused in the words for one that does not exist."""
    refused = ask(client, follow=[name])
    assert refused.status_code == 422
    assert refused.json is not None
    assert refused.json["detail"] == f"follow: there is no public calendar or event {name}"


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"resource": "https://10.0.0.1/"}, 422),
        ({"key": "AAAA"}, 422),
        ({"auth": "AAAA"}, 422),
        ({"resource": "https://push.example.org/" + "a" * 3000}, 400),
        ({"extra": 1}, 400),
    ],
)
def test_what_cannot_be_pushed_to_is_refused(
    client: Client, changes: dict[str, Any], status: int
) -> None:
    refused = ask(client, follow=["open"], **changes)
    assert refused.status_code == status
    assert ask(client).json == {"follows": []}


def test_another_site_cannot_ask_for_a_reader(client: Client) -> None:
    """Only JSON is read, which another site's page cannot send; and reading changes nothing."""
    assert client.post("/push/", data={"follow": "open"}).status_code == 415
    assert client.get("/push/").status_code == 405


def test_there_is_a_limit_for_each_network(client: Client) -> None:
    answers = [ask(client).status_code for _ in range(121)]
    assert answers == [200] * 120 + [429]
