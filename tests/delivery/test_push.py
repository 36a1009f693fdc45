"""Push messages to a browser and a CalDAV client, decrypted by independent code."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from cryptography.exceptions import InvalidTag
from sqlalchemy import Column, select, update

from calfeed.delivery.engine.worker import Worker
from calfeed.delivery.push.composing import PushComposer
from calfeed.delivery.push.encryption import MAX_PAYLOAD_BYTES
from calfeed.delivery.retention import Retention
from calfeed.delivery.site_texts import SiteTexts
from calfeed.delivery.transport.guard import UrlRules
from calfeed.errors import InvalidFieldsError
from calfeed.model.states import EndpointKind, EndpointState
from calfeed.reminders.pushing import notification_payload
from calfeed.services.following import pushing
from calfeed.store.endpoints.records import list_endpoints
from calfeed.store.push.subscriptions import count_subscriptions, find_subscription
from calfeed.store.push.tables import push_keys, push_subscriptions
from calfeed.store.tables import endpoints
from calfeed.web.catalogs import wording_in
from tests.delivery.office import Office
from tests.delivery.push_client import PushClient, read_vapid
from tests.ical.defining import define
from tests.publish.desk import BASE, STAY

CONTACT = "mailto:desk@example.org"
LOOPBACK = UrlRules(allow_private=True)
GREETING = ("This browser is told", "You will see it here.")


class PushOffice:
    """An office whose worker pushes, and a client."""

    def __init__(self, office: Office) -> None:
        self.office, self.client = office, PushClient()
        self.database = office.database

        def make_worker() -> Worker:
            composers = {
                EndpointKind.PUSH: PushComposer(
                    CONTACT, SiteTexts(lambda _: wording_in), lambda: office.now
                )
            }
            return Worker(
                office.database,
                office.sender,
                BASE,
                lambda: office.now,
                lambda: 0.5,
                composers=composers,
            )

        office.make_worker = make_worker  # type: ignore[method-assign]  # one that pushes

    def follow(
        self, *names: str, stop: tuple[str, ...] = (), path: str = "/status/201"
    ) -> list[str]:
        receiver = self.client.receiver(self.office.receiver.url(path))
        return pushing.follow_in_browser(
            self.database, LOOPBACK, receiver, names, stop, "en", GREETING, self.office.now
        )

    def register(self, path: str = "/status/201") -> str:
        receiver = self.client.receiver(self.office.receiver.url(path))
        return pushing.register_collection(
            self.database, LOOPBACK, receiver, "desk", None, self.office.now
        ).id

    def take(self) -> list[bytes]:
        """Deliver what there is, and return what was pushed, decrypted."""
        self.office.deliver()
        posts = list(self.office.receiver.posts)
        self.office.receiver.posts.clear()
        return [self.client.read(post.body) for post in posts]

    def count(self) -> int:
        with self.database.read() as connection:
            return count_subscriptions(connection)


@pytest.fixture
def push(office: Office) -> PushOffice:
    office.publish(STAY.format(start="2025-06-30"))
    office.now += timedelta(minutes=1)
    return PushOffice(office)


@pytest.mark.parametrize("followed", ["desk", "desk/stay"])
def test_a_browser_is_told_of_a_move(push: PushOffice, followed: str) -> None:
    """It is greeted, then told of the move, with the page; and of nothing else."""
    assert push.follow(followed) == [followed]
    (greeting,) = push.take()
    assert json.loads(greeting)["title"] == GREETING[0]
    push.office.publish(STAY.format(start="2025-08-31"))
    (moved,) = map(json.loads, push.take())
    assert moved["title"] == "Moved: The stay ends"
    assert "31 August 2025" in moved["text"]
    assert "30 June 2025" in moved["text"]
    assert moved["page"] == f"{BASE}/calendars/desk/stay/"


def test_each_push_is_signed_by_this_site_for_this_service(push: PushOffice) -> None:
    """The claims name the service, the contact, and an end within a day (RFC 8292, 2)."""
    push.follow("desk")
    push.office.deliver()
    (post,) = push.office.receiver.posts
    public = pushing.load_public_key(push.database)
    claims = read_vapid(post.headers["authorization"], public)
    assert claims["aud"] == f"http://127.0.0.1:{push.office.receiver.port}"
    assert claims["sub"] == CONTACT
    assert 0 < claims["exp"] - push.office.now.timestamp() <= 24 * 3600
    assert post.headers["content-encoding"] == "aes128gcm"
    assert int(post.headers["ttl"]) > 0
    assert b"stay" not in post.body


def test_another_client_cannot_read_what_is_pushed(push: PushOffice) -> None:
    """It is encrypted for the key of the subscription."""
    push.follow("desk")
    push.office.deliver()
    (post,) = push.office.receiver.posts
    with pytest.raises(InvalidTag):
        PushClient().read(post.body)
    assert b"told" in push.client.read(post.body)


def test_a_browser_that_stops_is_told_nothing_more(push: PushOffice) -> None:
    """With the last thing that it followed, the subscription is deleted, and its URL with it."""
    assert push.follow("desk", "desk/stay") == ["desk", "desk/stay"]
    push.take()
    assert push.follow(stop=("desk/stay",)) == ["desk"]
    assert push.follow(stop=("desk",)) == []
    assert push.count() == 0
    push.office.publish(STAY.format(start="2025-08-31"))
    assert push.take() == []
    with push.database.read() as connection:
        assert connection.scalars(select(endpoints.c.url)).all() == [""]


@pytest.mark.parametrize("status", [400, 403, 404, 410])
def test_a_subscription_that_is_refused_is_deleted(push: PushOffice, status: int) -> None:
    """The push service says that it is gone, or takes nothing from this site."""
    push.follow("desk", path=f"/status/{status}")
    push.office.deliver()
    assert push.count() == 0
    with push.database.read() as connection:
        rows = connection.execute(select(endpoints.c.url, endpoints.c.state)).all()
    assert [tuple(row) for row in rows] == [("", EndpointState.REMOVED)]


def test_a_service_that_is_busy_is_asked_again(push: PushOffice) -> None:
    """429 and 503 end nothing."""
    push.follow("desk", path="/status/429")
    (row,) = push.office.deliver()
    assert (row.state, row.attempts) == ("pending", 1)
    assert push.count() == 1


def test_a_caldav_client_is_pushed_that_its_calendar_changed(push: PushOffice) -> None:
    """Each publish that changes the calendar is a push message with its topic, and no title."""
    push.register()
    push.office.publish(STAY.format(start="2025-08-31"))
    (message,) = push.take()
    assert b"<content-update/>" in message
    assert b"stay" not in message
    assert b"desk" not in message
    push.office.publish(STAY.format(start="2025-08-31"))
    assert push.take() == []


def test_a_calendar_that_became_private_is_not_pushed_to_who_has_no_token(push: PushOffice) -> None:
    """Somebody registered while it was public; when it changes is not for them any more."""
    push.register()
    for day in ("08-31", "09-30"):
        stay = STAY.format(start=f"2025-{day}")
        push.office.publish_calendars(define(stay, head="visibility: private"))
        assert push.take() == []


@pytest.mark.parametrize("lost", [push_keys.c.key, push_subscriptions.c.auth])
def test_what_cannot_be_decrypted_waits_and_stops_nothing_else(
    push: PushOffice, lost: Column[str]
) -> None:
    """The webhook's message is claimed in the same transaction."""
    push.office.subscribe()
    push.follow("desk")
    push.take()
    with push.database.write() as connection:
        sealed = connection.execute(select(endpoints.c.url).where(endpoints.c.id == "end_1"))
        connection.execute(update(lost.table).values({lost: sealed.scalar_one()}))
    push.office.publish(STAY.format(start="2025-08-31"))
    rows = {row.endpoint_id[:3]: row.state for row in push.office.deliver()[-2:]}
    assert rows == {"end": "delivered", "psh": "pending"}


def test_webhooks_get_none_of_the_pushes(push: PushOffice) -> None:
    """Neither that a calendar was updated, nor a browser's greeting; and lists have no pushes."""
    push.office.subscribe()
    push.register(path="/status/201")
    push.follow("desk", path="/status/201/b")
    push.office.publish(STAY.format(start="2025-08-31"))
    push.office.deliver()
    posts = [post for post in push.office.receiver.posts if post.path == "/status/204"]
    assert [json.loads(post.body)["type"] for post in posts] == ["event.moved"]
    with push.database.read() as connection:
        assert [endpoint.id for endpoint in list_endpoints(connection)] == ["end_1"]


def test_the_same_receiver_is_one_subscription(push: PushOffice) -> None:
    """Registering again renews it: same id, later end."""
    first = push.register()
    push.office.now += timedelta(days=2)
    assert push.register() == first
    assert push.count() == 1


def test_subscriptions_end(push: PushOffice) -> None:
    """After its time a client that has not registered again is forgotten."""
    push.register()
    Retention(push.database).run(push.office.now + timedelta(days=29))
    assert push.count() == 1
    Retention(push.database).run(push.office.now + timedelta(days=31))
    assert push.count() == 0


@pytest.mark.parametrize(
    ("resource", "named"),
    [
        ("http://push.example.org/a", "resource"),
        ("https://127.0.0.1/a", "resource"),
        ("https://[::ffff:10.0.0.1]/a", "resource"),
        ("https://push.example.org:8443/a", "resource"),
        ("ftp://push.example.org/a", "resource"),
    ],
)
def test_private_addresses_are_not_pushed_to(push: PushOffice, resource: str, named: str) -> None:
    """Push goes to public https addresses; names are checked again when connecting."""
    with pytest.raises(InvalidFieldsError) as refused:
        pushing.follow_in_browser(
            push.database,
            UrlRules(),
            push.client.receiver(resource),
            ["desk"],
            [],
            "en",
            GREETING,
            push.office.now,
        )
    assert [fault.place for fault in refused.value.faults] == [named]


@pytest.mark.parametrize("key", ["", "!", "BAAA", "A" * 87, "B" + "A" * 86])
def test_wrong_keys_are_refused(push: PushOffice, key: str) -> None:
    """A key has to be a point of the curve; an auth secret has 16 bytes."""
    receiver = PushClient(auth=b"short").receiver("https://push.example.org/a")
    receiver = type(receiver)(receiver.resource, key, receiver.auth)
    with pytest.raises(InvalidFieldsError) as refused:
        pushing.register_collection(
            push.database, UrlRules(), receiver, "desk", None, push.office.now
        )
    assert [fault.place for fault in refused.value.faults] == ["client_key", "auth"]


def test_nothing_that_is_kept_can_be_used_to_push(push: PushOffice) -> None:
    """The URL and the shared secret are encrypted in the database."""
    push.follow("desk")
    with push.database.read() as connection:
        found = find_subscription(
            connection, push.client.receiver(push.office.receiver.url("/status/201")).hash
        )
        (stored,) = connection.execute(
            select(endpoints.c.url).where(endpoints.c.kind == EndpointKind.PUSH)
        ).all()
    assert found is not None
    assert found.url.endswith("/status/201")
    assert stored.url.startswith("v1:")


def test_the_longest_notification_fits_into_a_push_message() -> None:
    """In every script: of a title and a text of any length, the beginning is pushed."""
    payload = notification_payload("ت" * 5000, "📅" * 5000, BASE + "/c" * 60, "u" * 255, "fa-AF")
    assert len(payload) <= MAX_PAYLOAD_BYTES
