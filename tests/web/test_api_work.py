"""The API for operators: endpoints, deliveries, rehearsals and tokens; on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import update

from calfeed.store.access.idempotency import RETENTION
from calfeed.store.database import Database
from calfeed.store.endpoints.records import list_endpoints
from calfeed.store.outbox.deliveries import list_deliveries
from calfeed.store.tables import deliveries
from tests.delivery.office import SECRET
from tests.patience import PATIENCE
from tests.web.api_site import ADMIN, ApiSite, make_api_site

URL = "https://example.org/hooks/long-and-secret-token"


@pytest.fixture
def api(database: Database) -> ApiSite:
    return make_api_site(database)


def do(
    api: ApiSite, method: str, path: str, status: int = 200, token: str = ADMIN, **given: Any
) -> Any:
    """Ask, and return what is answered with this status."""
    response = api.ask(method, path, token, **given)
    assert response.status_code == status, response.text
    return response.json if response.data else None


def add(api: ApiSite, **given: Any) -> Any:
    return do(api, "POST", "/endpoints", 201, json={"url": URL, **given})


def test_an_endpoint_is_added_and_its_secret_and_headers_are_not_shown_again(api: ApiSite) -> None:
    made = add(
        api,
        description="newsroom",
        headers={"X-Token": "not to be seen"},
        options={"quiet": "22:00-07:00", "time_zone": "Asia/Karachi", "rate": 60},
        filters={"calendars": ["open"]},
        secret=SECRET,
    )
    assert made["secret"] == SECRET
    shown = api.ask("GET", f"/endpoints/{made['id']}")
    assert shown.json is not None
    assert shown.json["headers"] == ["X-Token"]
    assert shown.json["options"]["quiet"] == "22:00-07:00"
    listed = api.ask("GET", "/endpoints")
    for text in (shown.text, listed.text):
        assert SECRET not in text
        assert "not to be seen" not in text
        assert "long-and-secret-token" not in text


def test_what_is_not_given_of_an_endpoint_stays_and_null_takes_back(api: ApiSite) -> None:
    made = add(
        api,
        description="newsroom",
        headers={"X-A": "1", "X-B": "2"},
        options={"rate": 60, "digest": "daily@09:00", "language": "fr"},
        filters={"types": ["event.moved"]},
    )
    changed = do(
        api,
        "PATCH",
        f"/endpoints/{made['id']}",
        json={
            "options": {"digest": None},
            "headers": {"x-a": None, "X-B": "3", "X-C": None},
            "filters": {"calendars": ["open"]},
        },
    )
    assert (changed["description"], changed["headers"]) == ("newsroom", ["X-B"])
    assert changed["options"] == {
        "rate": 60,
        "time_zone": "UTC",
        "quiet": None,
        "digest": None,
        "language": "fr",
    }
    assert changed["filters"]["types"] == ["event.moved"]
    assert changed["filters"]["calendars"] == ["open"]


def test_everything_wrong_with_an_endpoint_is_said_at_once_and_no_secret(api: ApiSite) -> None:
    refused = api.ask(
        "POST",
        "/endpoints",
        json={
            "url": "http://127.0.0.1/",
            "secret": "whsec_mine-and-short",
            "options": {"time_zone": "Asia/Karachy", "quiet": "10-11", "rate": "1"},
            "headers": {"Host": "x"},
            "colour": "red",
        },
    )
    assert refused.status_code == 422
    assert refused.json is not None
    assert {mistake["pointer"] for mistake in refused.json["errors"]} == {
        *("#/url", "#/secret", "#/options/time_zone", "#/options/quiet", "#/options/rate"),
        "#/colour",
    }
    assert "mine-and-short" not in refused.text
    taken = do(api, "POST", "/endpoints", 422, json={"url": URL, "headers": {"Host": "x"}})
    assert [mistake["pointer"] for mistake in taken["errors"]] == ["#/headers"]
    strange = {"url": URL, "filters": {"calendars": ["open", "opne"], "types": ["event.dew"]}}
    slips = do(api, "POST", "/endpoints", 422, json=strange)
    assert {mistake["pointer"] for mistake in slips["errors"]} == {
        "#/filters/calendars/1",
        "#/filters/types/0",
    }


def test_an_endpoint_is_paused_resumed_rotated_and_removed(api: ApiSite) -> None:
    made = add(api)
    path = f"/endpoints/{made['id']}"
    assert do(api, "POST", f"{path}/test", 201)["state"] == "pending"
    paused = do(api, "POST", f"{path}/pause")
    assert (paused["state"], paused["deliveries"]) == ("paused", {"held": 1})
    do(api, "POST", f"{path}/pause", 409)
    assert do(api, "POST", f"{path}/test", 201)["state"] == "pending"
    resumed = do(api, "POST", f"{path}/resume")
    assert (resumed["pending"], resumed["endpoint"]["state"]) == (1, "active")
    do(api, "POST", f"{path}/resume", 409)
    rotated = do(api, "POST", f"{path}/rotate", json={})
    assert rotated["secret"] not in (None, made["secret"])
    assert rotated["former_secret_until"] is not None
    do(api, "DELETE", path, 204)
    do(api, "GET", path, 404)
    do(api, "DELETE", path, 404)


def test_a_key_given_again_gives_the_first_answer_but_its_secret(api: ApiSite) -> None:
    key = {"Idempotency-Key": "mine"}
    first = do(api, "POST", "/endpoints", 201, json={"url": URL}, headers=key)
    again = api.ask("POST", "/endpoints", json={"url": URL}, headers=key)
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (201, "true")
    assert again.json == {**first, "secret": None}
    other = do(api, "POST", "/endpoints", 422, json={"url": URL + "/2"}, headers=key)
    assert other["errors"][0]["pointer"] == "Idempotency-Key"
    # Another's key of the same words is another key.
    token = api.make_token("endpoints")
    do(api, "POST", "/endpoints", 201, token, json={"url": URL}, headers=key)
    with api.site.database.read() as connection:
        assert len(list_endpoints(connection)) == 2
    api.site.now += RETENTION + timedelta(seconds=1)
    do(api, "POST", "/endpoints", 201, json={"url": URL + "/2"}, headers=key)


def test_a_request_that_is_refused_does_not_use_up_its_key(api: ApiSite) -> None:
    key = {"Idempotency-Key": "mine"}
    slip = {"url": URL, "filters": {"calendars": ["opne"]}}
    do(api, "POST", "/endpoints", 422, json=slip, headers=key)
    do(api, "POST", "/endpoints", 201, json={"url": URL}, headers=key)


def test_a_key_given_twice_at_the_same_time_does_it_once(api: ApiSite) -> None:
    key = {"Idempotency-Key": "mine"}
    together = Barrier(4)
    # Made before the threads are: routes compile code, and before Python 3.12 two threads that
    # parse at the same time can raise SystemError (python/cpython#106905).
    sites = [ApiSite(api.site) for _ in range(4)]

    def add_one(client: ApiSite) -> tuple[int, Any, bool]:
        together.wait(PATIENCE)
        answer = client.ask("POST", "/endpoints", json={"url": URL}, headers=key)
        return answer.status_code, answer.json, "Idempotent-Replayed" in answer.headers

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(add_one, sites))
    assert [status for status, _, _ in answers] == [201] * 4
    assert sorted(again for _, _, again in answers) == [False, True, True, True]
    assert len({made["id"] for _, made, _ in answers}) == 1
    assert [made["secret"] for _, made, again in answers if again] == [None] * 3
    with api.site.database.read() as connection:
        assert len(list_endpoints(connection)) == 1


def test_a_key_of_one_operation_is_no_key_of_another(api: ApiSite) -> None:
    key = {"Idempotency-Key": "mine"}
    one, other = add(api), add(api)
    do(api, "POST", f"/endpoints/{one['id']}/rotate", json={}, headers=key)
    for path in (f"/endpoints/{other['id']}/rotate", f"/endpoints/{one['id']}/test"):
        given: dict[str, Any] = {"json": {}} if path.endswith("rotate") else {}
        refused = do(api, "POST", path, 422, headers=key, **given)
        assert refused["errors"][0]["pointer"] == "Idempotency-Key"
    with api.site.database.read() as connection:
        assert list_deliveries(connection) == []


def test_a_rehearsal_sends_what_an_endpoint_wants_and_touches_nothing_real(api: ApiSite) -> None:
    made = add(api, filters={"calendars": ["open"]})
    window = {"endpoint": made["id"], "from": "2026-12-01", "to": "2027-02-01"}
    done = do(api, "POST", "/rehearsals", 201, json=window)
    assert len(done["deliveries"]) == 6  # the fair, and five of the rounds
    assert do(api, "GET", f"/rehearsals/{done['id']}") == done
    message = do(api, "GET", f"/messages/{done['deliveries'][0]['message']}")
    assert (message["body"]["rehearsal"], message["calendar"]) == (True, "open")
    tested = do(api, "POST", f"/endpoints/{made['id']}/test", 201)
    listed = do(api, "GET", "/deliveries")["items"]
    assert {one["id"] for one in listed if not one["rehearsal"]} == {tested["id"]}
    told = do(api, "GET", "/messages")["items"]
    assert [one["id"] for one in told if not one["rehearsal"]] == [tested["message"]]
    assert {change["state"] for change in done["deliveries"]} == {"pending"}
    nothing = {"endpoint": made["id"], "from": "2020-12-01", "to": "2021-01-01"}
    do(api, "POST", "/rehearsals", 422, json=nothing)
    do(api, "POST", "/rehearsals", 404, json={**window, "endpoint": "ep_none"})
    do(api, "POST", f"/endpoints/{made['id']}/pause")
    do(api, "POST", "/rehearsals", 409, json=window)


def test_deliveries_are_listed_page_by_page_and_by_what_they_are(api: ApiSite) -> None:
    made = add(api)
    numbers = [do(api, "POST", f"/endpoints/{made['id']}/test", 201)["id"] for _ in range(5)]
    first = do(api, "GET", f"/deliveries?limit=3&endpoint={made['id']}")
    rest = do(api, "GET", f"/deliveries?limit=3&cursor={first['next']}")
    assert [one["id"] for one in first["items"] + rest["items"]] == numbers[::-1]
    assert rest["next"] is None
    assert do(api, "GET", "/deliveries?state=failed&state=held")["items"] == []
    only = do(api, "GET", f"/deliveries?message={first['items'][0]['message']}")
    assert [one["id"] for one in only["items"]] == [numbers[-1]]
    messages = do(api, "GET", "/messages?limit=4")
    more = do(api, "GET", f"/messages?limit=4&cursor={messages['next']}")
    assert len({one["id"] for one in messages["items"] + more["items"]}) == 5
    shown = do(api, "GET", f"/deliveries/{numbers[0]}")
    assert (shown["delivery"]["id"], shown["attempts"]) == (numbers[0], [])
    do(api, "GET", "/deliveries/999", 404)


def test_what_failed_is_sent_again_and_of_the_rest_it_is_said_why_not(api: ApiSite) -> None:
    made = add(api)
    path = f"/endpoints/{made['id']}"
    numbers = [do(api, "POST", f"{path}/test", 201)["id"] for _ in range(3)]
    with api.site.database.write() as connection:
        failed = update(deliveries).where(deliveries.c.id.in_(numbers[:2]))
        connection.execute(failed.values(state="failed", settled_at=api.site.now))
    one = do(api, "POST", "/deliveries/retry", json={"deliveries": [numbers[0], numbers[2]]})
    assert one["pending"] == [numbers[0]]
    assert [refused["id"] for refused in one["refused"]] == [numbers[2]]
    since = {"endpoint": made["id"], "since": "2020-01-01"}
    assert do(api, "POST", "/deliveries/retry", json=since)["pending"] == [numbers[1]]
    for wrong in ({}, {"deliveries": [1], **since}, {"endpoint": made["id"]}):
        do(api, "POST", "/deliveries/retry", 422, json=wrong)
    with api.site.database.read() as connection:
        assert {row.state for row in list_deliveries(connection)} == {"pending"}


def test_a_token_is_made_shown_once_and_revoked(api: ApiSite) -> None:
    made = do(api, "POST", "/tokens", 201, json={"scopes": ["read", "deliveries"]})
    assert do(api, "GET", "/deliveries", token=made["secret"])["items"] == []
    assert made["secret"] not in api.ask("GET", "/tokens").text
    do(api, "DELETE", f"/tokens/{made['id']}", 204)
    do(api, "GET", "/deliveries", 401, made["secret"])
    do(api, "DELETE", "/tokens/999", 404)


def test_a_token_makes_none_that_may_more_and_revokes_none_that_does(api: ApiSite) -> None:
    clerk = api.make_token("tokens", "read:vault-zx9", "deliveries")
    for scopes in (["admin"], ["endpoints"], ["read"], ["read:open"]):
        do(api, "POST", "/tokens", 403, clerk, json={"scopes": scopes})
    made = do(api, "POST", "/tokens", 201, clerk, json={"scopes": ["read:vault-zx9"]})
    stronger = do(api, "POST", "/tokens", 201, json={"scopes": ["endpoints"]})
    do(api, "DELETE", f"/tokens/{stronger['id']}", 403, clerk)
    do(api, "DELETE", f"/tokens/{made['id']}", 204, clerk)


def test_the_feed_of_a_private_calendar_gets_a_token_from_who_may_read_it(api: ApiSite) -> None:
    given = {"calendar": "vault-zx9", "description": "Amina"}
    made = do(api, "POST", "/tokens", 201, json=given)
    api.site.state.refresh()
    address = (
        made["address"].replace("{secret}", made["secret"]).removeprefix("https://example.org")
    )
    assert "Zircon" in api.site.get(address).text
    do(api, "GET", "/calendars", 401, made["secret"])
    stranger = api.make_token("tokens")
    do(api, "POST", "/tokens", 422, stranger, json=given)
    assert "vault" not in api.ask("GET", "/tokens", stranger).text
    do(api, "DELETE", f"/tokens/{made['id']}", 404, stranger)
    do(api, "POST", "/tokens", 422, json={"calendar": "open"})


def test_a_token_of_the_api_expires_and_cannot_have_expired_before(api: ApiSite) -> None:
    given = {"scopes": ["read"], "expires": (api.site.now + timedelta(days=1)).isoformat()}
    made = api.ask("POST", "/tokens", json=given).json
    assert made is not None
    assert api.ask("GET", "/calendars", made["secret"]).status_code == 200
    api.site.now += timedelta(days=1)
    expired, unknown = (api.ask("GET", "/calendars", one) for one in (made["secret"], "never"))
    assert (expired.status_code, expired.text) == (401, unknown.text)
    past = api.ask("POST", "/tokens", json=given)
    assert past.status_code == 422
    assert past.json is not None
    assert [one["pointer"] for one in past.json["errors"]] == ["#/expires"]
