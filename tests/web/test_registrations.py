"""Endpoints that anybody registers: challenged by a real worker, before anything else is sent."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook
from werkzeug.test import Client

from calfeed.delivery.transport.sender import Sender
from calfeed.services import registrations
from calfeed.services.registrations import CONFIRM_WITHIN
from calfeed.store.database import Database
from calfeed.store.endpoints.registrations import list_registrations
from calfeed.web.api.app import make_api
from calfeed.web.serving.client_addresses import find_network
from tests.delivery.office import Office
from tests.delivery.receiver import PatientSender, Post, Receiver
from tests.web.api_site import ADMIN, OPEN, VAULT, ApiSite, make_api_site
from tests.web.published import BASE

URL = "https://example.org/hooks"
MINUTE = timedelta(minutes=1)


class Registry:
    """A site that takes registrations, with a worker and a receiver."""

    def __init__(self, database: Database, sender: Sender, receiver: Receiver) -> None:
        self.api = make_api_site(database)
        self.office = Office(database, sender, receiver)
        self.receiver = receiver
        self.deliver()

    def deliver(self) -> None:
        self.office.now = self.api.site.now
        self.office.deliver()

    def move_fair(self, day: int, *, private: bool = False) -> None:
        """Publish the fair of the open calendar on another day, and deliver what that makes."""
        self.api.site.now += MINUTE
        text = OPEN.replace("2027-02-01", f"2027-02-{day:02}")
        shut = "visibility: private\n" if private else ""
        self.api.site.publish({"open": text + shut, "vault-zx9": VAULT})
        self.deliver()

    def do(self, method: str, path: str, status: int, token: str | None, **given: Any) -> Any:
        """Ask, and return what is answered with this status."""
        response = self.api.ask(method, path, token, **given)
        assert response.status_code == status, response.text
        return response.json if response.data else None

    def register(self, **given: Any) -> Any:
        """Register an endpoint whose URL leads to the receiver."""
        made = self.do("POST", "/registrations", 202, None, json={"url": URL, **given})
        self.office.redirect("/status/204", made["id"])
        return made

    def confirm(self, made: Any, challenge: str, status: int = 200) -> Any:
        path = f"/registrations/{made['id']}/confirm"
        return self.do("POST", path, status, made["token"], json={"challenge": challenge})

    def take_challenge(self) -> str:
        """Deliver what waits, and return the challenge that came."""
        self.deliver()
        (post,) = self.receiver.posts
        return str(json.loads(post.body)["data"]["challenge"])

    def join(self, **given: Any) -> Any:
        """Register an endpoint, confirm it, and forget what was received for that."""
        made = self.register(**given)
        self.confirm(made, self.take_challenge())
        self.receiver.posts.clear()
        return made

    def told(self) -> list[str]:
        """The types of what was received."""
        return [json.loads(post.body)["type"] for post in self.receiver.posts]


def is_signed(post: Post, secret: str) -> bool:
    """Whether a secret signed what came in, whenever that was."""
    headers = post.headers
    at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
    signature = Webhook(secret).sign(headers["webhook-id"], at, post.body.decode())
    return signature in headers["webhook-signature"].split()


@pytest.fixture
def registry(database: Database) -> Iterator[Registry]:
    with Receiver() as receiver, PatientSender(allow_private=True) as sender:
        yield Registry(database, sender, receiver)


def test_nothing_but_the_challenge_is_sent_until_it_is_given_back(registry: Registry) -> None:
    made = registry.register()
    challenge = registry.take_challenge()
    (post,) = registry.receiver.posts
    assert made["state"] == "unverified"
    assert is_signed(post, made["secret"])
    assert challenge not in json.dumps(made)
    registry.move_fair(2)
    assert registry.told() == ["endpoint.verify"]
    registry.confirm(made, challenge[:-1], 422)
    registry.move_fair(3)
    assert registry.told() == ["endpoint.verify"]
    registry.api.site.now += MINUTE
    assert registry.confirm(made, challenge)["state"] == "active"
    registry.deliver()
    assert registry.told() == ["endpoint.verify"]  # not what was said before
    registry.move_fair(4)
    assert registry.told() == ["endpoint.verify", "event.moved"]
    registry.confirm(made, challenge, 409)


def test_a_registered_endpoint_is_told_nothing_of_a_calendar_that_became_private(
    registry: Registry,
) -> None:
    made = registry.register(filters={"calendars": ["open"]})
    registry.confirm(made, registry.take_challenge())
    registry.move_fair(2)
    registry.move_fair(3, private=True)
    assert registry.told() == ["endpoint.verify", "event.moved"]
    registry.move_fair(4)
    assert registry.told() == ["endpoint.verify", "event.moved", "event.moved"]


@pytest.mark.parametrize("name", ["open", "renamed"])
def test_what_waits_is_not_sent_once_its_calendar_is_private_but_to_operators(
    registry: Registry, name: str
) -> None:
    made, other = registry.join(), registry.join()
    registry.office.redirect("/status/500", other["id"])
    mine, token = f"/registrations/{made['id']}", made["token"]
    ours = registry.do("POST", "/endpoints", 201, ADMIN, json={"url": URL})["id"]
    for path in (mine, f"/endpoints/{ours}"):
        registry.do("POST", f"{path}/pause", 200, token if path == mine else ADMIN)
    registry.move_fair(2)
    assert registry.told() == ["event.moved"]  # in vain
    text = OPEN.replace("2027-02-01", "2027-02-02") + "visibility: private\n"
    former = "" if name == "open" else "formerly: [open]\n"
    registry.api.site.publish({name: text + former, "vault-zx9": VAULT})
    registry.office.redirect("/status/204", other["id"])
    assert registry.do("POST", f"{mine}/resume", 200, token)["pending"] == 0
    assert registry.do("POST", f"/endpoints/{ours}/resume", 200, ADMIN)["pending"] == 1
    registry.office.redirect("/status/204/ours", ours)
    registry.api.site.now += timedelta(hours=2)
    registry.deliver()
    first, *later = [post.path for post in registry.receiver.posts]
    assert (first, set(later)) == ("/status/500", {"/status/204/ours"})


@pytest.mark.parametrize("name", ["open", "renamed"])
def test_what_no_worker_has_seen_yet_is_not_told_once_its_calendar_is_private(
    registry: Registry, name: str
) -> None:
    registry.join()
    text = OPEN.replace("2027-02-01", "2027-02-02")
    shut = "visibility: private\n" + ("" if name == "open" else "formerly: [open]\n")
    for files in ({"open": text}, {name: text + shut}):
        registry.api.site.now += MINUTE
        registry.api.site.publish({**files, "vault-zx9": VAULT})
    registry.deliver()
    assert registry.told() == []


def test_a_reminder_that_is_true_again_is_not_sent_of_what_is_private_by_then(
    registry: Registry,
) -> None:
    made = registry.join()
    registry.office.redirect("/status/500", made["id"])
    registry.api.site.now = datetime(2027, 1, 25, 5, tzinfo=UTC)
    registry.deliver()
    assert "reminder.due" in registry.told()  # in vain
    registry.move_fair(2)
    registry.move_fair(2, private=True)
    registry.office.redirect("/status/204", made["id"])
    registry.receiver.posts.clear()
    registry.move_fair(1, private=True)
    registry.api.site.now += timedelta(hours=1)
    registry.deliver()
    assert registry.told() == []


@pytest.mark.parametrize("failed", [False, True])
def test_no_digest_tells_of_a_calendar_that_became_private(
    registry: Registry, failed: bool
) -> None:
    made = registry.join(options={"digest": "daily@09:00"}, filters={"events": ["open/fair"]})
    registry.office.redirect("/status/500", made["id"])
    registry.api.site.now = datetime(2027, 1, 25, 5, tzinfo=UTC)
    registry.deliver()
    if failed:
        registry.api.site.now = datetime(2027, 1, 25, 9, tzinfo=UTC)
        registry.deliver()
    told = ["reminder.digest"] if failed else []
    assert registry.told() == told
    shown = registry.do("GET", f"/registrations/{made['id']}", 200, made["token"])
    assert ("gathered" in shown["deliveries"]) is not failed
    registry.move_fair(1, private=True)
    registry.office.redirect("/status/204", made["id"])
    registry.api.site.now += timedelta(days=1)
    registry.deliver()
    assert registry.told() == told


def test_operators_rehearse_nothing_private_for_a_registered_endpoint(registry: Registry) -> None:
    made = registry.join()
    days = "from=2027-01-01&to=2027-01-31"
    listed = registry.do("GET", f"/reminders?{days}", 200, ADMIN)["items"]
    told = {one["calendar"]: one["endpoints"] for one in listed}
    assert told == {"open": [made["id"]], "vault-zx9": []}
    for begin, status in (("2027-01-01", 201), ("2027-01-04T09:00:00Z", 422)):
        window = {"endpoint": made["id"], "from": begin, "to": "2027-01-05"}
        done = registry.do("POST", "/rehearsals", status, ADMIN, json=window)
        assert "ircon" not in json.dumps(done)


def test_a_challenge_is_of_no_use_after_its_hour_and_room_is_made(registry: Registry) -> None:
    made = registry.register()
    challenge = registry.take_challenge()
    registry.api.site.now += CONFIRM_WITHIN
    registry.confirm(made, challenge, 409)
    registry.do("POST", "/registrations", 202, None, json={"url": URL})
    registry.do("GET", f"/registrations/{made['id']}", 401, made["token"])
    registry.do("GET", f"/endpoints/{made['id']}", 404, ADMIN)


def test_a_token_is_for_its_own_endpoint_alone(registry: Registry) -> None:
    made, other = registry.register(), registry.register()
    mine, token = f"/registrations/{made['id']}", made["token"]
    registry.do("GET", mine, 403, other["token"])
    registry.do("GET", "/endpoints", 403, token)
    assert registry.do("GET", mine, 200, token)["id"] == made["id"]
    registry.do("POST", f"{mine}/pause", 409, token)
    registry.do("POST", f"{mine}/resume", 409, token)
    assert registry.do("GET", mine, 200, token)["state"] == "unverified"
    registry.do("DELETE", mine, 204, token)
    registry.do("GET", mine, 401, token)
    registry.deliver()
    assert len(registry.receiver.posts) == 1  # the other one's


def test_an_owner_pauses_resumes_and_rotates(registry: Registry) -> None:
    made = registry.register()
    registry.confirm(made, registry.take_challenge())
    mine, token = f"/registrations/{made['id']}", made["token"]
    assert registry.do("POST", f"{mine}/pause", 200, token)["state"] == "paused"
    registry.move_fair(2)
    assert registry.told() == ["endpoint.verify"]
    rotated = registry.do("POST", f"{mine}/rotate", 200, token, json={})
    assert registry.do("POST", f"{mine}/resume", 200, token)["pending"] == 1
    registry.deliver()
    post = registry.receiver.posts[-1]
    for secret in (made["secret"], rotated["secret"]):
        assert is_signed(post, secret)


@pytest.fixture
def api(tmp_path: Path) -> Iterator[ApiSite]:
    site = make_api_site(tmp_path)
    yield site
    site.site.database.close()


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"url": "http://10.0.0.1/"}, "#/url"),
        ({"filters": {"calendars": ["vault-zx9"]}}, "#/filters/calendars/0"),
        ({"filters": {"events": ["vault-zx9/handover-zx9"]}}, "#/filters/events/0"),
        ({"filters": {"types": ["endpoint.test"]}}, "#/filters/types/0"),
        ({"headers": {"X-Other": "1"}}, "#/headers"),
    ],
)
def test_only_what_is_public_can_be_registered_for(
    api: ApiSite, given: dict[str, Any], pointer: str
) -> None:
    response = api.ask("POST", "/registrations", None, json={"url": URL, **given})
    assert response.status_code == 422
    assert response.json is not None
    assert [one["pointer"] for one in response.json["errors"]] == [pointer]


def register_from(api: ApiSite, address: str, status: int = 202) -> Any:
    """Register an endpoint from an address."""
    environ = {"REMOTE_ADDR": address}
    response = api.ask("POST", "/registrations", None, json={"url": URL}, environ_overrides=environ)
    assert response.status_code == status, response.text
    return response.json


def waits(api: ApiSite, made: Any) -> bool:
    """Whether a registration is still there to be confirmed."""
    response = api.ask("GET", f"/registrations/{made['id']}", made["token"])
    return response.status_code == 200


def test_strangers_with_several_addresses_take_no_place_from_others(
    api: ApiSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Six addresses fill every place there is, and go on; who comes from another one has theirs."""
    monkeypatch.setattr(registrations, "MAX_UNCONFIRMED", 24)
    early = register_from(api, "203.0.113.1")
    for number in range(60):
        register_from(api, f"198.51.100.{number % 6}")
    late = register_from(api, "203.0.113.2")
    for number in range(60):
        register_from(api, f"198.51.100.{number % 6}")
        register_from(api, f"2001:db8:1:1::{number:x}")  # as many as one likes, of one customer
    assert waits(api, early)
    assert waits(api, late)
    with api.site.database.read() as connection:
        waiting = list_registrations(connection)
    assert len(waiting) == 24
    assert max(Counter(one.origin for one in waiting).values()) <= 4


def test_what_is_confirmed_or_removed_takes_no_place(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registrations, "MAX_UNCONFIRMED", 1)
    joined = [registry.join() for _ in range(2)]
    removed = registry.register()
    registry.do("DELETE", f"/endpoints/{removed['id']}", 204, ADMIN)
    with registry.api.site.database.read() as connection:
        assert list_registrations(connection) == []
    registry.register()
    for made in joined:
        path = f"/registrations/{made['id']}"
        assert registry.do("GET", path, 200, made["token"])["state"] == "active"


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::1"),
        ("", ""),
        ("unix:", "unix:"),
    ],
)
def test_a_network_is_an_address_or_the_first_64_bits_of_one(address: str, network: str) -> None:
    assert find_network(address) == network


def test_registrations_are_limited_harder_than_the_rest(api: ApiSite) -> None:
    slow = ApiSite(api.site, registration_rate="2 per hour")
    statuses = [
        slow.ask("POST", "/registrations", None, json={"url": URL}).status_code for _ in range(3)
    ]
    assert statuses == [202, 202, 429]
    assert slow.ask("GET", "/calendars", None).status_code == 200


def test_the_tokens_of_registrations_give_no_more_registrations(api: ApiSite) -> None:
    slow = ApiSite(api.site, registration_rate="2 per hour")
    made = slow.ask("POST", "/registrations", None, json={"url": URL}).json
    assert made is not None
    tokens = [None, made["token"], ADMIN]
    answers = [slow.ask("POST", "/registrations", one, json={"url": URL}) for one in tokens]
    assert [one.status_code for one in answers] == [202, 429, 429]
    assert answers[-1].content_type == "application/problem+json"
    assert int(answers[-1].headers["Retry-After"]) > 60


def test_there_is_nothing_of_it_unless_the_operator_wants_it(api: ApiSite) -> None:
    client = Client(make_api(api.site.state, api.site.database, BASE))
    assert client.post("/v1/registrations", json={"url": URL}).status_code == 404
    assert "registrations" not in client.get("/openapi.json").text
