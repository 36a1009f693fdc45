"""A private calendar is readable with its token as the password of Basic authentication."""

from __future__ import annotations

from datetime import timedelta

import pytest

from calfeed.store.access import tokens
from calfeed.web.published.responses import STORED_RESPONSES, StoredResponse
from tests.web.caldav.door import ETAGS, OPEN, SPACES, Door

BOARD = "/dav/calendars/board/"
LOGIN = "/dav/login/"


def list_home(door: Door, home: str = "/dav/calendars/") -> set[str]:
    return set(door.find(home, "<D:prop><D:displayname/></D:prop>", depth="1").properties)


def test_a_token_shows_its_calendar_beside_the_public_ones(door: Door) -> None:
    door.add_token("secret-one", "board")
    door.login = ("anybody", "secret-one")
    assert list_home(door) == {"/dav/calendars/", BOARD, OPEN}
    (event,) = door.sync(path=BOARD).properties
    assert b"Quiet meeting" in door.ask("GET", event).data
    assert b"Quiet meeting" in door.ask("GET", BOARD).data


def test_without_a_token_a_private_calendar_is_nowhere(door: Door) -> None:
    door.add_token("secret-one", "board")
    assert list_home(door) == {"/dav/calendars/", OPEN}
    for method in ("PROPFIND", "REPORT", "GET", "HEAD"):
        response = door.ask(method, BOARD, headers={"Depth": "1"})
        assert response.status_code == 404
        assert "Quiet" not in response.text


def test_an_answer_to_one_reader_is_not_given_to_another(door: Door) -> None:
    door.add_token("secret-one", "board")
    for login, seen in ((("a", "secret-one"), True), (None, False), (("a", "secret-one"), True)):
        door.login = login
        assert (BOARD in list_home(door)) == seen


@pytest.mark.parametrize("password", ["wrong", "", "Secret-One"])
def test_a_wrong_password_is_refused_and_asked_for_again(door: Door, password: str) -> None:
    door.add_token("secret-one", "board")
    door.login = ("anybody", password)
    for path in ("/dav/", OPEN, BOARD, "/dav/nothing"):
        response = door.ask("PROPFIND", path, headers={"Depth": "0"})
        assert response.status_code == 401
        realm = 'Basic realm="example.org", charset="UTF-8"'
        assert response.headers["WWW-Authenticate"] == realm, "no words, in any language"


def test_another_kind_of_login_is_refused(door: Door) -> None:
    for given in ("Bearer abc", "Basic", "Basic !!!", "Digest username=a"):
        response = door.ask("PROPFIND", "/dav/", headers={"Authorization": given, "Depth": "0"})
        assert response.status_code == 401, given


def test_revoked_expired_and_api_tokens_are_no_passwords(door: Door) -> None:
    number = door.add_token("revoked", "board")
    with door.site.database.write() as connection:
        now = door.site.now
        tokens.revoke_token(connection, number, now)
        soon = now + timedelta(days=1)
        tokens.add_token(connection, "expired", "board", "", now, expires=soon)
        tokens.add_token(connection, "api", None, "", now, ["read"])
    door.site.state.refresh()
    door.login = ("a", "expired")
    assert BOARD in list_home(door)
    door.site.now += timedelta(days=2)
    for password in ("revoked", "expired", "api"):
        door.login = ("a", password)
        assert door.ask("PROPFIND", "/dav/", headers={"Depth": "0"}).status_code == 401, password


def test_an_app_that_insists_on_a_login_gets_the_public_calendars_as_public(door: Door) -> None:
    door.login = ("public", "anything")
    assert list_home(door) == {"/dav/calendars/", OPEN}
    assert door.ask("PROPFIND", LOGIN, headers={"Depth": "0"}).status_code == 401


def test_at_the_address_for_logins_every_request_is_asked_for_one(door: Door) -> None:
    door.add_token("secret-one", "board")
    for path in (LOGIN, f"{LOGIN}principal/", f"{LOGIN}calendars/open/", f"{LOGIN}nothing"):
        assert door.ask("PROPFIND", path, headers={"Depth": "0"}).status_code == 401
    door.login = ("anybody", "secret-one")
    home = f"{LOGIN}calendars/"
    assert list_home(door, home) == {home, f"{home}board/", f"{home}open/"}
    found = door.find(LOGIN, "<D:prop><D:current-user-principal/></D:prop>")
    assert f"{LOGIN}principal/" in found.response.text


def test_a_token_of_a_former_name_reads_the_calendar_under_its_new_one(door: Door) -> None:
    door.add_token("secret-one", "board")
    door.site.publish(
        {
            "council": "name: Council\ntime_zone: UTC\nvisibility: private\nformerly: [board]\n"
            "events: {meeting: {summary: Quiet meeting, start: 2027-01-05 10:00}}"
        }
    )
    door.login = ("anybody", "secret-one")
    assert "/dav/calendars/council/" in list_home(door)


def test_no_cache_keeps_what_a_token_reads(door: Door) -> None:
    door.add_token("secret-one", "board")
    door.login = ("anybody", "secret-one")
    for method in ("PROPFIND", "GET"):
        response = door.ask(method, BOARD, headers={"Depth": "0"})
        assert response.headers["Cache-Control"] == "private, no-cache"


def test_frontends_keep_what_everybody_gets_and_nothing_that_needs_a_login(door: Door) -> None:
    door.add_token("secret-one", "board")
    for login, kept in ((None, 1), (("anybody", "secret-one"), 0)):
        stored: list[StoredResponse] = []
        body = f"<D:sync-collection {SPACES}><D:sync-token/>{ETAGS}</D:sync-collection>"
        response = door.client.open(
            OPEN,
            method="REPORT",
            data=body,
            auth=login,
            environ_overrides={STORED_RESPONSES: stored},
        )
        assert len(stored) == kept
        for each in stored:
            status, headers, sent = each.choose("", None, None)
            assert (status, sent) == (response.status_code, response.data)
            assert dict(headers)["Cache-Control"] == response.headers["Cache-Control"]
