"""Polled endpoints through the API: they are added, given a token, and polled with it."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks import Webhook

from calfeed.reminders.contract.registry import TYPES
from calfeed.store.outbox.messages import add_delivery
from calfeed.store.tables import deliveries
from tests.web.api_site import ADMIN, ApiSite, make_api_site
from tests.web.published import NOW


@pytest.fixture
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiSite]:
    api = make_api_site(tmp_path_factory.mktemp("site"))
    yield api
    api.site.database.close()


def add(api: ApiSite, **values: Any) -> dict[str, Any]:
    response = api.ask("POST", "/endpoints", json={"url": "poll:", **values})
    assert response.status_code == 201, response.text
    assert response.json is not None
    return dict(response.json)


def poll(api: ApiSite, endpoint: str, query: str = "", token: str | None = ADMIN) -> Any:
    response = api.ask("GET", f"/endpoints/{endpoint}/messages{query}", token)
    assert response.status_code == 200, response.text
    assert response.headers["Cache-Control"] == "no-store"
    return response.json


def ids_of(fetched: Any) -> list[str]:
    return [one["headers"]["webhook-id"] for one in fetched["items"]]


def make_token(api: ApiSite, *scopes: str) -> str:
    response = api.ask("POST", "/tokens", json={"scopes": list(scopes)})
    assert response.status_code == 201, response.text
    assert response.json is not None
    return str(response.json["secret"])


def offer(api: ApiSite, endpoint: str, count: int = 1) -> None:
    """Hold messages for an endpoint, as a worker does."""
    example = TYPES["event.moved"].example()
    with api.site.database.write() as connection:
        for number in range(count):
            message = type(example)(f"msg_{number}", example.subject, NOW, example.body)
            add_delivery(connection, message, endpoint)
        connection.execute(deliveries.update().values(state="held"))


def test_a_receiver_polls_with_a_token_for_its_endpoint_alone(api: ApiSite) -> None:
    added, other = add(api), add(api)
    assert added["url"] == "poll:"
    token = make_token(api, f"poll:{added['id']}")
    offer(api, added["id"], 3)
    first = poll(api, added["id"], "?limit=2", token)
    assert ids_of(first) == ["msg_0", "msg_1"]
    second = poll(api, added["id"], f"?after={first['next']}", token)
    assert ids_of(second) == ["msg_2"]
    last = poll(api, added["id"], f"?after={second['next']}", token)
    assert last == {"items": [], "next": None}
    for method, elsewhere in [
        ("GET", f"/endpoints/{other['id']}/messages"),
        ("GET", f"/endpoints/{added['id']}"),
        ("DELETE", f"/endpoints/{added['id']}"),
        ("GET", "/deliveries"),
    ]:
        assert api.ask(method, elsewhere, token).status_code == 403
    assert api.ask("GET", f"/endpoints/{added['id']}/messages", None).status_code == 401


def test_a_fetched_message_is_verified_as_one_that_was_posted(api: ApiSite) -> None:
    added = add(api)
    offer(api, added["id"])
    (fetched,) = poll(api, added["id"])["items"]
    webhook = Webhook(added["secret"])
    signed = webhook.sign(fetched["headers"]["webhook-id"], NOW, fetched["body"])
    assert fetched["headers"]["webhook-signature"] == signed


def test_whoever_may_manage_endpoints_may_poll_them_and_make_tokens_for_it(api: ApiSite) -> None:
    added = add(api)
    scope = f"poll:{added['id']}"
    manager = make_token(api, "endpoints", "tokens")
    assert poll(api, added["id"], token=manager)["items"] == []
    made = api.ask("POST", "/tokens", manager, json={"scopes": [scope]})
    assert made.status_code == 201
    reader = make_token(api, "read", "tokens")
    refused = api.ask("POST", "/tokens", reader, json={"scopes": [scope]})
    assert refused.status_code == 403


def test_the_tokens_of_a_removed_endpoint_are_revoked(api: ApiSite) -> None:
    added = add(api)
    token = make_token(api, f"poll:{added['id']}")
    assert api.ask("DELETE", f"/endpoints/{added['id']}").status_code == 204
    assert api.ask("GET", f"/endpoints/{added['id']}/messages", token).status_code == 401


def test_an_endpoint_with_a_url_cannot_be_polled(api: ApiSite) -> None:
    added = add(api, url="https://example.org/hooks")
    refused = api.ask("GET", f"/endpoints/{added['id']}/messages")
    assert refused.status_code == 404
    assert "sent to its URL" in refused.text


@pytest.mark.parametrize("after", ["e", "WyJhIl0", "WzEuNV0", "W3RydWVd", "eyJhIjoxfQ", "n" * 2000])
def test_what_is_no_cursor_of_this_list_is_refused(api: ApiSite, after: str) -> None:
    added = add(api)
    refused = api.ask("GET", f"/endpoints/{added['id']}/messages?after={after}")
    assert refused.status_code == 422
    assert "?after" in refused.text


def test_the_longest_cursor_is_accepted(api: ApiSite) -> None:
    added = add(api)
    offer(api, added["id"], 100)
    with api.site.database.write() as connection:
        # As far apart as a hundred ids can be that a cursor may have.
        connection.execute(deliveries.update().values(id=deliveries.c.id * (2**53 // 101)))
    fetched = poll(api, added["id"], "?limit=100")
    assert len(fetched["items"]) == 100
    assert poll(api, added["id"], f"?after={fetched['next']}")["items"] == []


def test_what_does_not_go_with_polling_is_refused(api: ApiSite) -> None:
    headers = api.ask("POST", "/endpoints", json={"url": "poll:", "headers": {"X-Desk": "a"}})
    assert (headers.status_code, "polled endpoint" in headers.text) == (422, True)
    registered = api.ask("POST", "/registrations", None, json={"url": "poll:"})
    assert (registered.status_code, "needs a URL" in registered.text) == (422, True)
    polled, pushed = add(api), add(api, url="https://example.org/hooks")
    for endpoint, url in ((polled, "https://example.org/hooks"), (pushed, "poll:")):
        changed = api.ask("PATCH", f"/endpoints/{endpoint['id']}", json={"url": url})
        assert (changed.status_code, "cannot change between" in changed.text) == (422, True)
    assert api.ask("PATCH", f"/endpoints/{polled['id']}", json={"url": "poll:"}).status_code == 200


def test_the_messages_of_an_endpoint_with_a_public_key_are_signed_for_it(api: ApiSite) -> None:
    added = add(api, signature="ed25519")
    assert added["secret"] == added["public_key"]
    offer(api, added["id"])
    (fetched,) = poll(api, added["id"])["items"]
    headers = fetched["headers"]
    scheme, _, signature = headers["webhook-signature"].partition(",")
    assert scheme == "v1a"
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{fetched['body']}"
    raw = b64decode(added["public_key"].removeprefix("whpk_"))
    Ed25519PublicKey.from_public_bytes(raw).verify(b64decode(signature), signed.encode())
    shown = api.ask("GET", f"/endpoints/{added['id']}").json
    assert shown is not None
    assert shown["public_key"] == added["public_key"]
    rotated = api.ask("POST", f"/endpoints/{added['id']}/rotate", json={"signature": "hmac"}).json
    assert rotated is not None
    assert rotated["secret"].startswith("whsec_")
    (again,) = poll(api, added["id"])["items"]
    schemes = [one.split(",")[0] for one in again["headers"]["webhook-signature"].split(" ")]
    assert schemes == ["v1", "v1a"]
