"""The console, as an editor or operator uses it: with forms, against a real receiver."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from limits import RateLimitItemPerHour
from pydantic import SecretStr
from sqlalchemy import select
from werkzeug.exceptions import NotFound
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client, TestResponse

from calfeed.cli import cli
from calfeed.reminders.filters import Filters
from calfeed.services.sessions import LINK_LIFETIME, make_link
from calfeed.settings import Settings
from calfeed.store.access.sessions import IDLE_TIMEOUT, MAX_AGE, load_session_key
from calfeed.store.catalog.publishes import Author
from calfeed.store.database import Database
from calfeed.store.endpoints.records import list_endpoints
from calfeed.store.tables import sessions
from calfeed.web.console import authentication
from calfeed.web.console.authentication import WRONG_TOKEN_LIMIT
from calfeed.web.console.routes import PREFIX, make_console
from tests.delivery.office import Office
from tests.delivery.receiver import PatientSender, Receiver
from tests.ical.defining import define

TOKEN = "a-token-that-nobody-guesses"
TALKS = "talks:\n  summary: Talks\n  start: {start}\n  reminders: [1 week, 1 day]\n"
PAGES = ("/", "/endpoints", "/deliveries", "/reminders", "/publishes", "/definitions", "/feeds")


@dataclass
class Visitor:
    """A browser without JavaScript: it keeps cookies, follows redirects, and fills in forms."""

    client: Client
    page: TestResponse = field(init=False)

    def open(self, path: str, **query: str) -> str:
        self.page = self.client.get(PREFIX + path, query_string=query, follow_redirects=True)
        return self.text

    def send(self, path: str, **fields: Any) -> str:
        """Send a form of the page that is open, with these fields."""
        found = re.search(r'name="form_token" value="([^"]+)"', self.page.text)
        data = {"form_token": found[1] if found else "", **fields}
        self.page = self.client.post(PREFIX + path, data=data, follow_redirects=True)
        return self.text

    @property
    def text(self) -> str:
        return unescape(self.page.text)

    @property
    def place(self) -> str:
        """The path of the page that is open, within the console."""
        return self.page.request.path.removeprefix(PREFIX)

    def sign_in(self, token: str = TOKEN) -> str:
        self.open("/sign-in")
        return self.send("/sign-in", token=token)


@dataclass
class House:
    """An office with a console, whose time is the office's, and visitors to it."""

    office: Office
    console: Flask
    events: Path

    def visit(self) -> Visitor:
        return Visitor(Client(DispatcherMiddleware(NotFound(), {PREFIX: self.console.wsgi_app})))

    def enter(self) -> Visitor:
        """A visitor who is signed in."""
        visitor = self.visit()
        assert "Next reminders" in visitor.sign_in()
        return visitor

    def add(self, visitor: Visitor, path: str, **fields: Any) -> str:
        """Add an endpoint at a path of the receiver, and return its id."""
        visitor.open("/endpoints/new")
        visitor.send("/endpoints/new", url=self.office.receiver.url(path), **fields)
        found = re.search(r"/endpoints/(ep_[0-9a-f]+)", visitor.text)
        assert found, visitor.text
        return found[1]


def make_house(office: Office, folder: Path, **settings: Any) -> House:
    known: dict[str, Any] = {
        "admin_token": SecretStr(TOKEN),
        "allow_private_endpoints": True,
        "events": folder / "events",
    }
    console = make_console(office.database, Settings(**(known | settings)), lambda: office.now)
    return House(office, console, folder / "events")


@pytest.fixture
def office(database: Database) -> Iterator[Office]:
    with Receiver() as receiver, PatientSender(allow_private=True) as sender:
        made = Office(database, sender, receiver)
        made.publish(TALKS.format(start="2025-07-01"))
        yield made


@pytest.fixture
def house(office: Office, tmp_path: Path) -> House:
    return make_house(office, tmp_path)


def test_nobody_sees_anything_of_the_console_without_a_session(house: House) -> None:
    values = {"endpoint_id": "x", "rehearsal_id": "x", "calendar": "desk", "event": "talks"}
    adapter = house.console.url_map.bind("localhost")
    visitor, seen = house.visit(), 0
    for rule in house.console.url_map.iter_rules():
        if rule.endpoint in ("sign_in_page", "enter"):
            continue
        named = {name: values.get(name, 1) for name in rule.arguments}
        path = adapter.build(rule.endpoint, named)
        for method in rule.methods or ():
            if method != "OPTIONS":
                response = visitor.client.open(PREFIX + path, method=method)
                assert response.status_code == 303, (method, path)
                assert "/sign-in" in response.headers["Location"]
                assert "Talks" not in response.text
                seen += 1
    assert seen >= 45


def test_the_admin_token_lets_in_and_nothing_else_does(house: House) -> None:
    visitor = house.visit()
    assert "not the admin token" in visitor.sign_in("another")
    assert visitor.page.status_code == 403
    assert "not the admin token" in visitor.sign_in("")
    assert "Next reminders" in visitor.sign_in()
    assert TOKEN not in visitor.page.text


def test_who_asked_for_a_page_comes_to_it_after_signing_in(house: House) -> None:
    visitor = house.visit()
    visitor.open("/deliveries", state="failed")
    assert visitor.place == "/sign-in"
    found = re.search(r'name="next" value="([^"]+)"', visitor.text)
    assert found
    visitor.send("/sign-in", token=TOKEN, next=found[1])
    assert (visitor.place, visitor.page.request.query_string) == ("/deliveries", b"state=failed")


@pytest.mark.parametrize(
    "elsewhere",
    ["//evil.example/console/", "https://evil.example/console/", "/\\evil.example", "x"],
)
def test_signing_in_leads_nowhere_but_into_the_console(house: House, elsewhere: str) -> None:
    visitor = house.visit()
    visitor.open("/sign-in")
    visitor.send("/sign-in", token=TOKEN, next=elsewhere)
    assert visitor.place == "/"


def test_wrong_tokens_are_limited_and_the_right_one_always_gets_in(
    house: House, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All come from one address, as behind a proxy that nobody is told of."""
    # Not in a minute, which may be over before the test is.
    for name in ("WRONG_TOKEN_LIMIT", "_LOG_LIMIT"):
        limit = getattr(authentication, name)
        monkeypatch.setattr(authentication, name, RateLimitItemPerHour(limit.amount))
    stranger = house.visit()
    caplog.set_level("WARNING")
    for _ in range(WRONG_TOKEN_LIMIT.amount):
        assert "not the admin token" in stranger.sign_in("a guess")
    for _ in range(WRONG_TOKEN_LIMIT.amount):
        assert "Too many" in stranger.sign_in("a guess")
        assert stranger.page.status_code == 429
        assert int(stranger.page.headers["Retry-After"]) > 0
        assert "Next reminders" in house.visit().sign_in()
    assert caplog.text.count("wrong admin tokens") == 1  # strangers do not fill the log


def test_a_link_signs_one_person_in_once_and_not_by_being_looked_at(house: House) -> None:
    link = make_link(house.office.database, "", house.office.now)
    once = link.partition("once=")[2]
    first, second = house.visit(), house.visit()
    for visitor in (first, second):
        assert "Sign in to the console" in visitor.open("/enter", once=once)
    assert "Next reminders" in first.send("/enter", once=once)
    assert "already used" in second.send("/enter", once=once)
    assert second.place == "/sign-in"


def test_a_link_that_is_too_old_signs_nobody_in(house: House) -> None:
    once = make_link(house.office.database, "", house.office.now).partition("once=")[2]
    house.office.now += LINK_LIFETIME
    visitor = house.visit()
    visitor.open("/enter", once=once)
    assert "has expired" in visitor.send("/enter", once=once)


def take_cookie(visitor: Visitor) -> str:
    """What the browser of somebody who is signed in carries."""
    cookie = visitor.client.get_cookie("calfeed_console", path=PREFIX)
    assert cookie
    return cookie.value


def bring_cookie(house: House, value: str) -> Visitor:
    """Another browser with the same cookie."""
    visitor = house.visit()
    visitor.client.set_cookie("calfeed_console", value, path=PREFIX)
    return visitor


def assert_over(house: House, cookie: str) -> None:
    """See that a cookie lets nobody in, neither to a page nor with a form."""
    visitor = bring_cookie(house, cookie)
    visitor.open("/endpoints")
    assert visitor.place == "/sign-in"
    visitor.send("/endpoints/new", url="https://example.org/hooks")
    assert visitor.place == "/sign-in"


def test_signing_out_ends_the_session_in_every_copy_of_its_cookie(house: House) -> None:
    visitor = house.enter()
    cookie = take_cookie(visitor)
    other = bring_cookie(house, cookie)
    assert "Endpoints" in other.open("/endpoints")
    assert "signed out" in visitor.send("/sign-out")
    assert visitor.client.get_cookie("calfeed_console", path=PREFIX) is None
    visitor.open("/endpoints")
    assert visitor.place == "/sign-in"
    assert_over(house, cookie)
    other.send("/endpoints/new", url="https://example.org/hooks")
    assert other.place == "/sign-in"


def test_a_session_ends_after_12_hours_without_use_and_after_7_days_of_use(house: House) -> None:
    visitor, office = house.enter(), house.office
    begun = office.now
    while office.now - begun < MAX_AGE - IDLE_TIMEOUT:
        office.now += IDLE_TIMEOUT - timedelta(minutes=2)
        visitor.open("/endpoints")
        assert visitor.place == "/endpoints"
    office.now = begun + MAX_AGE
    assert_over(house, take_cookie(visitor))
    idle = house.enter()
    office.now += IDLE_TIMEOUT
    assert_over(house, take_cookie(idle))


def test_another_admin_token_ends_every_session_and_every_process_with_the_same_accepts_it(
    house: House, tmp_path: Path
) -> None:
    cookie = take_cookie(house.enter())
    for token, place in ((TOKEN, "/endpoints"), ("another-token-by-now", "/sign-in")):
        other = make_house(house.office, tmp_path, admin_token=SecretStr(token))
        visitor = bring_cookie(other, cookie)
        visitor.open("/endpoints")
        assert visitor.place == place
    anew = other.visit()
    anew.sign_in("another-token-by-now")
    assert anew.open("/sessions").count("last used") == 1


def test_the_list_of_sessions_ends_one_or_all_others(house: House) -> None:
    own, first, second, third = (house.enter() for _ in range(4))
    page = own.open("/sessions")
    assert (page.count("This browser"), page.count("Another browser")) == (1, 3)
    number = re.search(r'Another browser.*?name="session" value="(\d+)"', own.page.text, re.S)
    assert number
    assert "session was ended" in own.send("/sessions/end", session=number[1])
    places = []
    for visitor in (first, second, third):
        visitor.open("/endpoints")
        places.append(visitor.place)
    assert sorted(places) == ["/endpoints", "/endpoints", "/sign-in"]
    assert "ended: 2" in own.send("/sessions/end-others")
    for visitor in (first, second, third):
        visitor.open("/endpoints")
        assert visitor.place == "/sign-in"
    assert own.open("/sessions").count("browser</strong>") == 1


def test_a_session_says_how_somebody_signed_in_and_when(house: House) -> None:
    house.enter()
    once = make_link(house.office.database, "", house.office.now).partition("once=")[2]
    house.office.now += timedelta(minutes=10)
    visitor = house.visit()
    visitor.open("/enter", once=once)
    visitor.send("/enter", once=once)
    page = visitor.open("/sessions")
    assert page.index("by a link") < page.index("with the admin token")
    assert "10 minutes ago" in page


def test_who_only_looks_gets_no_cookie_and_no_session(house: House) -> None:
    visitor = house.visit()
    for path in ("/sign-in", "/", "/enter?once=x", "/nothing-here"):
        response = visitor.client.get(PREFIX + path)
        assert "Set-Cookie" not in response.headers, path
    visitor.sign_in("a guess")
    assert "Set-Cookie" not in visitor.page.headers
    with house.office.database.read() as connection:
        assert connection.execute(select(sessions)).all() == []


def test_neither_the_cookie_nor_its_key_is_made_of_the_admin_token_or_in_the_database(
    house: House,
) -> None:
    """Nothing that a visitor or a thief of the database has tells a right guess from a wrong one
    but what is dear to make."""
    cookies = [take_cookie(house.enter()) for _ in range(2)]
    assert cookies[0] != cookies[1]
    with house.office.database.read() as connection:
        kept = repr(connection.execute(select(sessions)).all())
        key = load_session_key(connection)
    assert len(key) == 32
    for value in (*cookies, TOKEN, sha256(TOKEN.encode()).hexdigest()):
        assert value not in kept
    assert hmac.digest(key, TOKEN.encode(), "sha256").hex() not in kept


def test_the_cookie_is_for_this_site_alone_and_over_https_where_that_is(
    house: House, tmp_path: Path
) -> None:
    for url, name, path in (
        (None, "calfeed_console=", "Path=/console"),
        ("https://example.org", "__Host-calfeed_console=", "Path=/"),
    ):
        client = make_house(house.office, tmp_path, public_url=url).visit().client
        response = client.post(f"{PREFIX}/sign-in", data={"token": TOKEN})
        (cookie,) = response.headers.getlist("Set-Cookie")
        parts = cookie.split("; ")
        assert parts[0].startswith(name)
        assert {"HttpOnly", "SameSite=Strict", path} <= set(parts)
        assert ("Secure" in parts) == (url is not None)
        assert not any(part.startswith("Domain") for part in parts)


def test_another_site_cannot_send_the_form_that_signs_in(house: House) -> None:
    for site, status in (("cross-site", 400), ("same-site", 400), ("same-origin", 303)):
        response = house.visit().client.post(
            f"{PREFIX}/sign-in", data={"token": TOKEN}, headers={"Sec-Fetch-Site": site}
        )
        assert response.status_code == status
        assert ("Set-Cookie" in response.headers) == (status == 303)


def test_without_an_admin_token_nobody_can_sign_in_and_the_page_says_why(
    office: Office, tmp_path: Path
) -> None:
    visitor = make_house(office, tmp_path, admin_token=None).visit()
    assert "CALFEED_ADMIN_TOKEN" in visitor.open("/sign-in")
    assert "Next reminders" not in visitor.sign_in("")
    visitor.open("/endpoints")
    assert visitor.place == "/sign-in"


@pytest.mark.parametrize("token", ["", "forged"])
def test_a_form_from_elsewhere_does_nothing(house: House, token: str) -> None:
    visitor = house.enter()
    name = house.add(visitor, "/status/204")
    text = visitor.send(f"/endpoints/{name}/pause", form_token=token)
    assert visitor.page.status_code == 400
    assert "does not belong to this session" in text
    with house.office.database.read() as connection:
        assert [one.state for one in list_endpoints(connection)] == ["active"]


def test_no_page_is_kept_by_a_cache_or_framed_and_all_have_the_strict_policy(
    house: House,
) -> None:
    visitor = house.enter()
    for path in (*PAGES, "/endpoints/new", "/rehearsals/new", "/sign-in", "/nothing-here"):
        visitor.open(path)
        headers = visitor.page.headers
        assert headers["Cache-Control"] == "no-store", path
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert not re.search(r"<script(?! src)|<style| style=| on[a-z]+=", visitor.page.text), path
        assert visitor.page.text.count("<h1") == 1, path


def test_what_is_empty_says_so(house: House) -> None:
    visitor = house.enter()
    assert "no endpoints yet" in visitor.open("/endpoints")
    assert "Nothing was sent yet" in visitor.open("/deliveries")
    assert "no folder" in visitor.open("/definitions")
    assert "There are no endpoints." in visitor.open("/rehearsals/new")
    assert "No reminders are due" in visitor.open("/reminders", **{"from": "2030-01-01"})


@pytest.mark.parametrize(
    "path",
    [
        "/endpoints/ep_0",
        "/deliveries/7",
        "/publishes/99",
        "/rehearsals/rh_0",
        "/events/desk/none",
        f"/deliveries/{10**30}",
    ],
)
def test_what_is_not_there_is_said_on_a_page_of_the_console(house: House, path: str) -> None:
    visitor = house.enter()
    visitor.open(path)
    assert visitor.page.status_code == 404
    assert "`calfeed" not in visitor.text
    assert "To the overview" in visitor.text


def test_every_mistake_of_a_form_stands_at_its_field_and_nothing_typed_is_lost(
    house: House,
) -> None:
    visitor = house.enter()
    visitor.open("/endpoints/new")
    typed = {
        "url": "ftp://example.org/",
        "description": "The <desk>",
        "calendars": ["desk", "gone"],
        "events": "desk/none",
        "rate": "often",
        "time_zone": "Asia/Karach",
        "quiet_begin": "22:00",
        "digest_day": "monday",
        "headers": "no header",
    }
    visitor.send("/endpoints/new", **typed)
    assert visitor.page.status_code == 422
    wrong = ("url", "calendars", "events", "rate", "time_zone", "quiet", "digest", "headers")
    for name in wrong:
        assert f'id="{name}-error"' in visitor.page.text, name
    assert "Asia/Karachi" in visitor.text
    for name in ("url", "rate", "time_zone", "quiet_begin"):
        assert f'value="{typed[name]}"' in visitor.page.text, name
    assert "The &lt;desk&gt;" in visitor.page.text
    assert 'value="desk" checked' in visitor.page.text
    assert 'value="monday" selected' in visitor.page.text
    with house.office.database.read() as connection:
        assert list_endpoints(connection) == []


def test_a_secret_is_shown_once_and_header_values_and_urls_never(house: House) -> None:
    visitor = house.enter()
    name = house.add(visitor, "/status/204/undisclosed-part", headers="X-Key: undisclosed-value")
    added = re.findall(r"whsec_[\w+/=]+", visitor.text)
    visitor.open(f"/endpoints/{name}")
    visitor.send(f"/endpoints/{name}/rotate")
    rotated = re.findall(r"whsec_[\w+/=]+", visitor.text)
    assert (len(added), len(rotated)) == (1, 1)
    with house.office.database.read() as connection:
        (one,) = list_endpoints(connection)
    assert [one.former_secret, one.secret] == [*added, *rotated]
    for path in (*PAGES, f"/endpoints/{name}", f"/endpoints/{name}/change", "/rehearsals/new"):
        text = visitor.open(path)
        assert "whsec_" not in text, path
        assert "undisclosed" not in text, path


def test_an_endpoint_is_changed_as_its_form_says_and_keeps_what_is_not_shown(
    house: House,
) -> None:
    visitor = house.enter()
    name = house.add(visitor, "/status/204", headers="X-One: 1\nX-Two: 2", description="Old")
    visitor.open(f"/endpoints/{name}/change")
    visitor.send(
        f"/endpoints/{name}/change",
        description="New",
        types="event.moved",
        no_headers="X-One",
        headers="X-Three: 3",
        time_zone="Asia/Karachi",
        rate="60",
        quiet_begin="22:00",
        quiet_end="07:00",
        digest_day="monday",
        digest_at="09:00",
    )
    assert "The endpoint was changed" in visitor.text
    for text in ("type event.moved", "22:00-07:00 (Asia/Karachi)", "monday@09:00", "60 messages"):
        assert text in visitor.text
    with house.office.database.read() as connection:
        (one,) = list_endpoints(connection)
    assert one.url == house.office.receiver.url("/status/204")
    assert one.headers == {"X-Two": "2", "X-Three": "3"}
    page = visitor.open(f"/endpoints/{name}/change")
    visitor.send(f"/endpoints/{name}/change", **_read_fields(page))
    with house.office.database.read() as connection:
        assert list_endpoints(connection) == [one]


def _read_fields(page: str) -> dict[str, Any]:
    """What a browser would send of a form in which nothing is touched."""
    fields: dict[str, Any] = {}
    for tag in re.findall(r"<input[^>]*>", page):
        name, value = re.search(r'name="(\w+)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and value and name[1] != "form_token":
            if 'type="checkbox"' not in tag:
                fields[name[1]] = value[1]
            elif " checked" in tag:
                fields.setdefault(name[1], []).append(value[1])
    for name, text in re.findall(r'<textarea id="\w+" name="(\w+)"[^>]*>([^<]*)', page):
        fields[name] = text
    for name, inner in re.findall(r'<select id="\w+" name="(\w+)"[^>]*>(.*?)</select>', page, re.S):
        fields[name] = "".join(re.findall(r'value="([^"]*)" selected', inner))
    return fields


def test_an_endpoint_is_tried_breaks_fails_is_mended_and_sent_what_failed(house: House) -> None:
    """As an operator would: add it, test it, see it break, see why, and send it again."""
    office, visitor = house.office, house.enter()
    name = house.add(visitor, "/status/204", description="The desk's phone")
    visitor.open(f"/endpoints/{name}")
    assert "Received with status 204" in visitor.send(f"/endpoints/{name}/test")
    assert office.receiver.posts[-1].headers["webhook-id"] in visitor.text
    visitor.open(f"/endpoints/{name}")
    assert "paused" in visitor.send(f"/endpoints/{name}/pause")
    assert "is active" in visitor.send(f"/endpoints/{name}/resume")

    office.redirect("/status/410", name)
    office.publish(TALKS.format(start="2025-07-02"))
    assert "failed" in [row.state for row in office.deliver()]
    overview = visitor.open("/")
    assert "disabled" in overview
    assert "gone" in overview
    visitor.open("/deliveries", state="failed")
    number = re.search(r'name="delivery" value="(\d+)"', visitor.text)
    assert number
    assert "moved from 1 July 2025 to 2 July 2025" in visitor.text
    assert "status 410" in visitor.open(f"/deliveries/{number[1]}")

    office.redirect("/status/204", name)
    visitor.send("/deliveries/retry", delivery=number[1], **{"from": "delivery"})
    assert "held until the endpoint is resumed" in visitor.text
    visitor.open(f"/endpoints/{name}")
    assert "1 being sent now" in visitor.send(f"/endpoints/{name}/resume")
    assert {row.state for row in office.deliver()} == {"delivered"}
    assert "received" in visitor.open("/events/desk/talks")


def test_an_endpoint_whose_receiver_polls_is_added_and_says_how(house: House) -> None:
    visitor = house.enter()
    visitor.open("/endpoints/new")
    assert "whsec_" in visitor.send("/endpoints/new", url="poll:", description="Behind a wall")
    with house.office.database.read() as connection:
        (endpoint,) = list_endpoints(connection)
    page = visitor.open(f"/endpoints/{endpoint.id}")
    assert f"/api/v1/endpoints/{endpoint.id}/messages" in page
    assert f"poll:{endpoint.id}" in page
    visitor.send(f"/endpoints/{endpoint.id}/test")
    house.office.deliver()
    assert "until its endpoint is resumed or polled" in visitor.open("/deliveries")


def test_the_console_shows_the_public_key_of_an_endpoint_and_never_the_private_one(
    house: House,
) -> None:
    visitor = house.enter()
    name = house.add(visitor, "/status/204", signature="ed25519")
    (key,) = re.findall(r"whpk_[A-Za-z0-9+/=]+", visitor.text)
    page = visitor.open(f"/endpoints/{name}")
    assert key in page
    rotated = visitor.send(f"/endpoints/{name}/rotate")
    assert "whpk_" in rotated
    assert key not in rotated
    assert "whsk_" not in page + rotated


def test_all_that_failed_since_a_day_is_sent_again_and_none_is_refused_in_silence(
    house: House,
) -> None:
    office, visitor = house.office, house.enter()
    name = house.add(visitor, "/status/410")
    office.publish(TALKS.format(start="2025-07-03"))
    office.deliver()
    office.redirect("/status/204", name)
    visitor.open(f"/endpoints/{name}")
    visitor.send(f"/endpoints/{name}/resume")
    (row,) = office.deliver()
    assert row.state == "delivered"
    visitor.open("/deliveries")
    visitor.send("/deliveries/retry", delivery=str(row.id))
    assert f"Delivery {row.id} was delivered, so it is not sent again" in visitor.text
    visitor.send("/deliveries/retry", endpoint_id=name, all_since="2025-06-01")
    assert "No delivery was selected" in visitor.text


def test_a_removed_endpoint_is_asked_about_first_and_its_record_stays(house: House) -> None:
    visitor = house.enter()
    name = house.add(visitor, "/status/204")
    visitor.open(f"/endpoints/{name}")
    visitor.send(f"/endpoints/{name}/test")
    number = visitor.place
    assert "permanently" in visitor.open(f"/endpoints/{name}/remove")
    assert "was removed" in visitor.send(f"/endpoints/{name}/remove")
    assert "removed" in visitor.open(number)


def test_reminders_are_shown_with_who_gets_them_and_what_became_of_them(house: House) -> None:
    office, visitor = house.office, house.enter()
    name = house.add(visitor, "/status/204", description="The desk's phone")
    window = {"from": "2025-06-01", "to": "2025-07-31"}
    page = visitor.open("/reminders", **window)
    assert page.count("The desk's phone") == 2
    assert "1 week before" in page
    office.now += timedelta(days=25)
    office.deliver()
    visitor.sign_in()
    page = visitor.open("/reminders", **window)
    assert "Past reminders" in page
    assert "Upcoming reminders" in page
    assert "delivered" in page
    assert name in visitor.open("/deliveries", event="desk/talks")
    assert "the last day is before the first" in visitor.open(
        "/reminders", **{"from": "2025-07-01", "to": "2025-06-01"}
    )


def test_a_rehearsal_is_watched_until_everything_has_arrived(house: House) -> None:
    office, visitor = house.office, house.enter()
    name = house.add(visitor, "/status/204")
    days = {"from": "2025-06-01", "to": "2025-07-31"}
    visitor.open("/rehearsals/new")
    assert "choose an endpoint" in visitor.send("/rehearsals/new", **days)
    visitor.send("/rehearsals/new", endpoint_id=name, **days)
    assert "0 of 2 received" in re.sub("<[^>]+>", "", visitor.text)
    assert 'http-equiv="refresh"' in visitor.text
    place = visitor.place
    office.deliver()
    assert "2 of 2 received" in re.sub("<[^>]+>", "", visitor.open(place))
    assert 'http-equiv="refresh"' not in visitor.text
    assert all(b'"rehearsal":true' in post.body for post in office.receiver.posts)


def test_what_was_rehearsed_is_marked_wherever_deliveries_are_listed(house: House) -> None:
    """So that nobody takes it for the real thing."""
    office, visitor = house.office, house.enter()
    name = house.add(visitor, "/status/204")
    visitor.open("/rehearsals/new")
    days = {"from": "2025-06-01", "to": "2025-07-31"}
    visitor.send("/rehearsals/new", endpoint_id=name, **days)
    first, *_ = office.deliver()
    mark = ">rehearsal</span>"
    for place in ("/deliveries", f"/endpoints/{name}"):
        assert visitor.open(place).count(mark) == 2
    assert mark in visitor.open(f"/deliveries/{first.id}")
    url = office.database.engine.url.render_as_string(hide_password=False)
    for words in ("delivery list", f"delivery show {first.id}"):
        said = CliRunner(env={"CALFEED_DATABASE_URL": url}).invoke(cli, words.split()).output
        assert "reminder.due, rehearsal" in said


def test_what_is_private_is_previewed_and_rehearsed_for_no_registered_endpoint(
    house: House,
) -> None:
    office, visitor = house.office, house.enter()
    private = define(TALKS.format(start="2025-07-01"), head="visibility: private")
    office.subscribe(filters=Filters(public_only=True))
    days = {"from": "2025-06-01", "to": "2025-07-31"}
    for number in (2, 0):
        assert len(re.findall("/endpoints/end_1", visitor.open("/reminders", **days))) == number
        assert ("/endpoints/end_1" in visitor.open("/")) == bool(number)
        office.publish_calendars(private)
    visitor.open("/rehearsals/new")
    assert "no reminder" in visitor.send("/rehearsals/new", endpoint_id="end_1", **days)


def test_a_rehearsal_without_reminders_or_to_a_paused_endpoint_is_not_made(house: House) -> None:
    visitor = house.enter()
    name = house.add(visitor, "/status/204")
    days = {"from": "2030-01-01", "to": "2030-01-02"}
    visitor.open("/rehearsals/new")
    assert "no reminder" in visitor.send("/rehearsals/new", endpoint_id=name, **days)
    visitor.send(f"/endpoints/{name}/pause")
    visitor.open("/rehearsals/new")
    assert "resume it first" in visitor.send("/rehearsals/new", endpoint_id=name, **days)


def test_a_publish_says_what_it_changed_and_a_history_how_a_date_moved(house: House) -> None:
    house.office.publish(TALKS.format(start="2025-07-09"))
    visitor = house.enter()
    assert "1 event moved" in visitor.open("/publishes")
    page = visitor.open("/publishes/2")
    assert "9 July 2025" in page
    assert "<del>1 July 2025</del>" in page
    page = visitor.open("/events/desk/talks")
    assert "from 1 July 2025 to" in page
    assert page.index("Moved") < page.index("Added")


def test_a_publish_says_who_made_it_wherever_it_is_shown(house: House) -> None:
    author = Author("Amina <b>Khan</b>", "calfeed publish")
    house.office.publish(TALKS.format(start="2025-07-09"), author=author)
    visitor = house.enter()
    said = "by <bdi>Amina &lt;b&gt;Khan&lt;/b&gt;</bdi> with <code>calfeed publish</code>"
    for path in ("/", "/publishes", "/publishes/2", "/events/desk/talks"):
        visitor.open(path)
        assert visitor.page.text.count(said) == 1, path
    visitor.open("/publishes/1")
    assert "by <bdi>" not in visitor.page.text, "nobody is known"


def test_the_definition_files_are_shown_with_every_problem_and_its_line(house: House) -> None:
    house.events.mkdir()
    file = house.events / "desk.yaml"
    text = "name: The desk\ntime_zone: Asia/Karachi\nevents:\n  talks:\n    summary: Talks\n"
    file.write_text(text + "    start: 2025-13-01\n")
    visitor = house.enter()
    page = visitor.open("/definitions")
    assert "line 6" in page
    assert "events.talks.start" in page
    file.write_text(text + "    start: 2025-07-20\n")
    page = visitor.open("/definitions")
    assert "valid: 1 calendar, 1 event" in page
    assert "20 July 2025" in page
    assert "One warning" not in page
    file.write_text(text + "    start: 2005-07-20\n")
    page = visitor.open("/definitions")
    assert "valid: 1 calendar, 1 event" in page
    assert "One warning" in page
    assert "2005-07-20 is in the past" in page
    house.office.publish("talks:\n  summary: Talks\n  start: 2025-07-20\n")


def test_what_is_overdue_for_a_while_asks_whether_a_worker_runs(house: House) -> None:
    visitor = house.enter()
    assert "Is a worker running?" not in visitor.open("/")
    house.office.now += timedelta(days=25)
    visitor.sign_in()
    assert "Is a worker running?" in visitor.open("/")


def test_asking_for_the_headers_alone_uses_no_link_up_and_counts_no_token(house: House) -> None:
    once = make_link(house.office.database, "", house.office.now).partition("once=")[2]
    visitor = house.visit()
    for path in (f"/enter?once={once}", "/sign-in"):
        for _ in range(WRONG_TOKEN_LIMIT.amount + 1):
            response = visitor.client.head(PREFIX + path)
            assert (response.status_code, "Set-Cookie" in response.headers) == (200, False)
    visitor.open("/enter", once=once)
    assert "Next reminders" in visitor.send("/enter", once=once)
