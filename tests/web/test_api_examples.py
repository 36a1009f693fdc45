"""The examples of the OpenAPI document work as they stand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from calfeed.web.api.app import MOUNT
from tests.web.api_site import ApiSite, make_api_site

SITE = """
name: Open days
time_zone: Asia/Karachi
reminders: [1 week]
events:
  fair: {summary: Spring fair, start: 2026-12-10}
"""


@pytest.fixture
def api(tmp_path: Path) -> Iterator[ApiSite]:
    made = make_api_site(tmp_path, files=[("open", SITE)])
    yield made
    made.site.database.close()


def examples(api: ApiSite) -> Iterator[tuple[str, str, dict[str, Any], dict[str, Any]]]:
    """Each operation's method and path, its parameters by place, and what to send along."""
    document = api.client.get(f"{MOUNT}/openapi.json").json
    assert document is not None
    for path, described in document["paths"].items():
        for method, operation in described.items():
            parts: dict[str, Any] = {"path": {}, "query": {}}
            for each in operation["parameters"]:
                if "example" in each:
                    parts[each["in"]][each["name"]] = each["example"]
                else:
                    assert not each["required"], (path, each)
            body = operation.get("requestBody")
            given = {"json": body["content"]["application/json"]["example"]} if body else {}
            yield method.upper(), path, parts, given


def test_each_example_is_answered_as_the_operation_says(api: ApiSite) -> None:
    """Of what the site does not have, that is 404."""
    count = 0
    for method, path, parts, given in examples(api):
        address = path.format_map(parts["path"])
        answer = api.ask(method, address, query_string=parts["query"], **given)
        public = {"calendar", "event"}.issuperset(parts["path"])
        own = public and not {"endpoint", "deliveries"}.intersection(given.get("json", {}))
        wanted = answer.status_code < 300 or (answer.status_code == 404 and not own)
        assert wanted, f"{method} {address}: {answer.text}"
        count += 1
    assert count > 30


def test_each_example_works_with_what_there_is(api: ApiSite) -> None:
    """Removals come last. A registration needs what only its owner has: a token, a challenge."""
    api.site.now = api.site.now.replace(day=30)
    made = api.ask("POST", "/endpoints", json={"url": "https://example.org/hooks"}).json
    assert made is not None
    polled = api.ask("POST", "/endpoints", json={"url": "poll:"}).json
    assert polled is not None
    window = {"endpoint": made["id"], "from": "2026-11-30", "to": "2026-12-30"}
    rehearsal = api.ask("POST", "/rehearsals", json=window).json
    token = api.ask("POST", "/tokens", json={"scopes": ["read"]}).json
    assert rehearsal is not None
    assert token is not None
    ids = {
        "endpoint": made["id"],
        "rehearsal": rehearsal["id"],
        "delivery": rehearsal["deliveries"][0]["id"],
        "message": rehearsal["deliveries"][0]["message"],
        "token": token["id"],
    }
    listed = [one for one in examples(api) if not one[1].startswith("/registrations/")]
    for method, path, parts, given in sorted(listed, key=lambda one: one[0] == "DELETE"):
        own = {"endpoint": polled["id"]} if path == "/endpoints/{endpoint}/messages" else {}
        address = path.format_map({**parts["path"], **ids, **own})
        if "endpoint" in given.get("json", {}):
            given["json"]["endpoint"] = ids["endpoint"]
        answer = api.ask(method, address, query_string=parts["query"], **given)
        assert answer.status_code < 300, f"{method} {address} {given}: {answer.text}"


@pytest.mark.parametrize("given", [{}, {"json": {}}, {"json": {"secret": None}}])
def test_a_secret_is_rotated_without_a_body(api: ApiSite, given: dict[str, Any]) -> None:
    made = api.ask("POST", "/endpoints", json={"url": "https://example.org/hooks"}).json
    assert made is not None
    rotated = api.ask("POST", f"/endpoints/{made['id']}/rotate", **given).json
    assert rotated is not None
    assert rotated["secret"].startswith("whsec_")
    assert rotated["secret"] != made["secret"]
