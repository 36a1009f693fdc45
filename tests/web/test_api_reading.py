"""Reading through the API: public data, and data that requires a token."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from calfeed.store.database import Database
from calfeed.web.api.paging import write_cursor
from tests.web.api_site import OPEN, PRIVATE, VAULT, ApiSite, make_api_site

WINDOW = "from=2027-01-01&to=2027-12-31"
READING = [
    "/calendars",
    "/calendars/open",
    "/calendars/vault-zx9",
    "/calendars/open/events",
    "/calendars/vault-zx9/events",
    "/calendars/vault-zx9/events/handover-zx9",
    f"/occurrences?{WINDOW}",
    f"/occurrences?{WINDOW}&calendar=vault-zx9",
    "/changes",
    "/changes?calendar=vault-zx9",
    f"/reminders?{WINDOW}",
    f"/reminders?{WINDOW}&calendar=vault-zx9",
]


@pytest.fixture
def api(tmp_path: Path) -> Iterator[ApiSite]:
    api = make_api_site(tmp_path)
    yield api
    api.site.database.close()


def said(api: ApiSite, path: str, token: str | None = None) -> str:
    response = api.ask("GET", path, token)
    return response.text + str(response.headers)


@pytest.mark.parametrize("path", READING)
def test_what_is_private_is_in_no_answer_without_a_token_for_it(api: ApiSite, path: str) -> None:
    asking = [None, api.make_token("read:open"), api.make_token("tokens")]
    for token in asking:
        text = said(api, path, token)
        assert not [word for word in PRIVATE if word in text]
    feed = api.make_token(calendar="vault-zx9")
    assert api.ask("GET", path, feed).status_code == 401


@pytest.mark.parametrize("scope", ["read", "read:vault-zx9", "admin"])
def test_a_token_for_it_reads_a_private_calendar(api: ApiSite, scope: str) -> None:
    token = api.make_token(scope)
    for path in READING:
        text = said(api, path, token)
        if "calendars/open" not in path:
            assert "ircon" in text or "Vaultroom" in text, path


def test_a_private_calendar_is_absent_in_the_same_words_as_one_that_never_was(
    api: ApiSite,
) -> None:
    hidden, never = (api.ask("GET", f"/calendars/{name}", None) for name in ("vault-zx9", "x"))
    assert hidden.status_code == never.status_code == 404
    assert hidden.data == never.data


def test_the_changes_of_a_calendar_that_is_private_by_another_name_are_private_too(
    api: ApiSite,
) -> None:
    moved = OPEN.replace("2027-02-01", "2027-02-03")
    shut = moved + "visibility: private\nformerly: [open]\n"
    for files in ({"shut": shut, "vault-zx9": VAULT}, {"vault-zx9": VAULT}):
        api.site.publish(files)
        for path in ("/changes", "/changes?calendar=open", "/changes?calendar=shut"):
            for token in (None, api.make_token("read:vault-zx9")):
                assert "fair" not in said(api, path, token)
        for scope in ("read", "read:open", "admin"):
            assert "Spring fair" in said(api, "/changes", api.make_token(scope))


def test_pages_of_a_list_put_together_are_the_list(api: ApiSite) -> None:
    for path in (f"/occurrences?{WINDOW}", f"/reminders?{WINDOW}", "/changes?"):
        whole = api.ask("GET", f"{path}&limit=200", None).json
        assert whole is not None
        assert len(whole["items"]) >= 3
        parts, cursor = [], ""
        for _ in range(len(whole["items"]) + 1):
            page = api.ask("GET", f"{path}&limit=2{cursor}", None).json
            assert page is not None
            parts += page["items"]
            assert len(page["items"]) <= 2
            if not page["next"] or not page["items"]:
                break
            cursor = f"&cursor={page['next']}"
        assert parts == whole["items"]


def test_the_cursor_of_the_last_change_gives_what_was_published_since(api: ApiSite) -> None:
    first = api.ask("GET", "/changes", None).json
    assert first is not None
    assert {change["kind"] for change in first["items"]} == {"added"}
    moved = OPEN.replace("2027-03-01 18:00", "2027-03-02 18:00, note: The hall was taken")
    api.site.publish({"open": moved, "vault-zx9": VAULT})
    since = api.ask("GET", f"/changes?cursor={first['next']}", None).json
    assert since is not None
    (change,) = since["items"]
    assert (change["kind"], change["event"], change["note"]) == (
        "moved",
        "talk",
        "The hall was taken",
    )
    assert change["previous"]["start"] == "2027-03-01T18:00:00+05:00"
    again = api.ask("GET", f"/changes?cursor={since['next']}", None).json
    assert again == {"items": [], "next": since["next"]}


def test_a_renamed_calendar_is_found_under_its_old_name(api: ApiSite) -> None:
    api.site.publish({"open-days": OPEN + "formerly: [open]\n", "vault-zx9": VAULT})
    found = api.ask("GET", "/calendars/open/events/fair", None).json
    assert found is not None
    assert found["calendar"] == "open-days"


def test_an_event_has_its_texts_its_times_and_its_moves(api: ApiSite) -> None:
    event = api.ask("GET", "/calendars/open/events/fair", None).json
    assert event is not None
    assert (event["start"], event["end"], event["all_day"]) == ("2027-02-01", "2027-02-02", True)
    assert event["texts"]["summary"] == {"en": "Spring fair"}
    assert (event["categories"], event["history"]) == (["fairs"], [])


def test_who_is_told_is_said_only_to_who_may_see_endpoints(api: ApiSite) -> None:
    api.fill()
    path = f"/reminders?{WINDOW}&calendar=open"
    for token, wanted in [
        (None, None),
        (api.make_token("read"), None),
        (api.make_token("endpoints"), [api.known["endpoint"]]),
    ]:
        found = api.ask("GET", path, token).json
        assert found is not None
        assert found["items"][0]["endpoints"] == wanted


@pytest.mark.parametrize(
    ("query", "pointers"),
    [
        ("", {"?from", "?to"}),
        ("from=2027-01-01&to=2026-01-01", {"?"}),
        ("from=2027-01-01&to=2029-01-01", {"?"}),
        ("from=1500-01-01&to=tomorrow&limit=0&colour=red", {"?from", "?to", "?limit", "?colour"}),
        ("from=2027-01-01T00:00&to=2027-01-02", {"?from"}),
        ("from=2027-01-01&from=2027-01-02&to=2027-01-02", {"?from"}),
        (f"{WINDOW}&cursor=WzFd", {"?cursor"}),
        (f"{WINDOW}&calendar=UPPER", {"?calendar/0"}),
    ],
)
def test_everything_wrong_with_a_request_is_said_at_once(
    api: ApiSite, query: str, pointers: set[str]
) -> None:
    response = api.ask("GET", f"/occurrences?{query}", None)
    assert response.status_code == 422
    assert response.content_type == "application/problem+json"
    assert response.json is not None
    assert {mistake["pointer"] for mistake in response.json["errors"]} == pointers


LISTS = {
    "/calendars?": (str,),
    "/calendars/open/events?": (str,),
    f"/occurrences?{WINDOW}&": (int, str, str),
    f"/reminders?{WINDOW}&": (int, str),
    "/changes?": (str, int),
    "/endpoints?": (int, str),
    "/messages?": (int, str),
    "/deliveries?": (int,),
    "/tokens?": (int,),
}
"""The parts of the cursors of each list."""


@pytest.mark.parametrize("path", LISTS)
def test_a_cursor_is_a_place_in_the_list_or_is_refused(database: Database, path: str) -> None:
    api = make_api_site(database)
    kinds = LISTS[path]
    for number in (0, -(2**53), 2**53):
        cursor = write_cursor(*(number if kind is int else "~" for kind in kinds))
        assert api.ask("GET", f"{path}cursor={cursor}").status_code == 200
    too_far: list[dict[type, Any]] = [
        {int: 2**53 + 1, str: "\0"},
        {int: "1", str: 1},
        {int: 1.5, str: None},
    ]
    strange = [[values[kind] for kind in kinds] for values in too_far]
    others: list[Any] = [*strange, [True] * len(kinds), [], {}, None]
    raw = [json.dumps(one).encode() for one in others]
    raw += [b"[" * 200, b"\xff\xfe", b"NaN", b'["\\ud800"]', b"9" * 250]
    for cursor in ["", "a", "====", "%00", *(urlsafe_b64encode(one).decode() for one in raw)]:
        response = api.ask("GET", f"{path}cursor={cursor.rstrip('=')}")
        assert response.status_code == 422, cursor
        assert response.json is not None
        assert [one["pointer"] for one in response.json["errors"]] == ["?cursor"]


def test_any_page_on_the_web_may_read_and_no_cache_keeps_what_a_token_opens(api: ApiSite) -> None:
    public, private = (api.ask("GET", "/calendars", token) for token in (None, "x"))
    assert public.headers["Access-Control-Allow-Origin"] == "*"
    assert public.headers["Vary"] == private.headers["Vary"] == "Authorization"
    assert private.headers["Cache-Control"] == "no-store"
