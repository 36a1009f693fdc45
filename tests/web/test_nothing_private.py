"""A private calendar, asked for in every way there is: the answer is that of one that never was.

The words that are private have others of the same length beside them, which stand nowhere. Who
asks with the one gets what he gets with the other, to the byte, but for the word that he gave.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from calfeed.web.api.app import OPERATIONS as ALWAYS
from calfeed.web.api.operations import Operation
from calfeed.web.api.paging import write_cursor
from calfeed.web.api.resources import registrations
from calfeed.web.app import make_flask
from calfeed.web.pages import export
from tests.web.api_site import OPEN, VAULT, ApiSite, make_api_site
from tests.web.fuzzing import SCOPED, URL, Registered, list_private_words, register
from tests.web.published import BASE, NOW

pytestmark = pytest.mark.slow

NOWHERE = {"zx9": "zx0", "handover": "handdown", "Zircon": "Zircal", "Vaultroom": "Vaultrune"}
"""What stands nowhere, by what is private: names end with the first."""

OPERATIONS = [
    one
    for one in (*ALWAYS, *registrations.operations)
    if one.method == "GET" or "{endpoint}" not in str(one.scope)
]
"""All but what is done to an endpoint of one's own, which asks for nothing else."""

QUERIES = [
    "",
    "?q=Zircon",
    "?q=Vaultroom&lang=ur",
    "?category=vault-zx9",
    "?view=month&month=2027-01",
    "?view=year&year=2027&lang=ps",
    "?start=2027-01-01&end=2027-02-01",
    "?view=month&month=Zircon",
    "?zone=Zircon",
    "?alarms=Zircon",
]

BODIES: dict[str, list[dict[str, Any]]] = {
    "POST /tokens": [{"calendar": "vault-zx9"}, {"scopes": ["read:vault-zx9"]}],
    "POST /registrations": [
        {"url": URL, "filters": {"calendars": ["vault-zx9"]}},
        {"url": URL, "filters": {"events": ["vault-zx9/handover-zx9"]}},
        {"url": URL, "filters": {"types": ["Zircon"]}, "Zircon": ""},
    ],
}
"""What is asked for by name in a body; all of it is refused."""


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiSite]:
    api = make_api_site(tmp_path_factory.mktemp("private"))
    api.fill()
    yield api
    api.site.database.close()


def rename(given: Any) -> Any:
    """The same, of what stands nowhere."""
    match given:
        case str():
            for private, nowhere in NOWHERE.items():
                given = given.replace(private, nowhere)
            return given
        case dict():
            return {rename(name): rename(each) for name, each in given.items()}
        case list():
            return [rename(each) for each in given]
    return given


def tell(response: TestResponse) -> str:
    """Everything a response says, but for when, what counts requests, and what is made of bytes."""
    aside = ("Date", "ETag", "Last-Modified")
    headers = [each for each in response.headers if each[0] not in aside]
    said = [each for each in headers if not each[0].startswith("X-RateLimit")]
    return f"{response.status} {said} {response.data.decode('utf-8', 'replace')}"


def assert_alike(api: ApiSite, hidden: TestResponse, nowhere: TestResponse) -> None:
    """See that one answer is as the other, in which no private word was given, nor is said."""
    assert rename(tell(hidden)) == tell(nowhere)
    assert not [word for word in list_private_words(api) if word in tell(nowhere)]


def list_addresses(api: ApiSite, calendar: str, event: str) -> list[str]:
    """Every address of the site's that a publish makes, for these names."""
    routes = make_flask(api.site.state, BASE).url_map
    values = {"slug": calendar, "event_slug": event, "shape": "json", "token": "a-guess"}
    return [
        routes.bind("").build(rule.endpoint, {name: values[name] for name in rule.arguments})
        for rule in routes.iter_rules()
        if rule.arguments <= values.keys()
    ] + ["/changes.atom", f"/calendars/{calendar}.csv", f"/calendars/{calendar}.jcal", "/sitemap"]


@pytest.mark.parametrize("query", QUERIES)
def test_no_page_and_no_feed_knows_of_a_private_calendar(api: ApiSite, query: str) -> None:
    for names in (("vault-zx9", "handover-zx9"), ("open", "handover-zx9"), ("vault-zx9", "fair")):
        for path in list_addresses(api, *names):
            address = path + query
            for accept in ("text/html", "application/json"):
                asked = [api.site.get(one, Accept=accept) for one in (address, rename(address))]
                assert_alike(api, *asked)


def test_no_public_page_and_no_exported_file_has_anything_private_in_it(api: ApiSite) -> None:
    files = dict(export.make_site(api.site.database, BASE, NOW))
    assert len(files) > 20
    for name, body in files.items():
        said = name + body.decode("utf-8", "replace")
        assert not [word for word in list_private_words(api) if word in said], name


def test_publishes_of_a_private_calendar_show_nowhere(tmp_path: Path) -> None:
    """Two sites differ in a private calendar that comes, changes and goes; the public sees one."""
    sites = [make_api_site(tmp_path / name) for name in ("busy", "quiet")]
    files = {"open": OPEN}
    for number in range(4):
        vault = VAULT.replace("Pier nine", f"Pier {number}")
        for api, private in zip(
            sites, ({"vault-zx9": vault} if number < 3 else {}, {}), strict=True
        ):
            api.site.publish(files | private)
            api.site.now += timedelta(hours=1)
        paths = [*list_addresses(sites[0], "open", "fair"), "/readyz", "/calendars.ics", "/"]
        for path in paths:
            busy, quiet = (api.site.get(path) for api in sites)
            assert (busy.status_code, list(busy.headers), busy.data) == (
                *(quiet.status_code, list(quiet.headers), quiet.data),
            ), path
        busy_changes, quiet_changes = (api.ask("GET", "/changes?limit=2", None) for api in sites)
        assert busy_changes.text == quiet_changes.text
    for api in sites:
        api.site.database.close()


def test_a_calendar_that_becomes_private_changes_the_date_of_the_feed_of_all(
    tmp_path: Path,
) -> None:
    """A client that asks by date alone must not keep what is private now."""
    api = make_api_site(tmp_path)
    stamps = []
    other = OPEN.replace("Open days", "Other")
    for text in (other, other + "visibility: private\n"):
        api.site.publish({"open": OPEN, "other": text})
        stamps.append(api.site.get("/calendars.ics").headers["Last-Modified"])
        api.site.now += timedelta(hours=1)
    assert stamps[0] != stamps[1]
    api.site.database.close()


def test_a_cursor_that_names_a_private_change_is_as_one_that_names_none(api: ApiSite) -> None:
    token = api.make_token("read:vault-zx9")
    (private,) = (
        one
        for one in (api.ask("GET", "/changes", token).json or {})["items"]
        if one["calendar"] == "vault-zx9"
    )
    cursors = [write_cursor(private["uid"], private["sequence"]), write_cursor("no-such-uid", 0)]
    hidden, nowhere = (api.ask("GET", f"/changes?cursor={one}", None) for one in cursors)
    assert hidden.text == nowhere.text == api.ask("GET", "/changes", None).text


def label(operation: Operation) -> str:
    return f"{operation.method} {operation.path}"


@pytest.fixture(scope="module")
def mine(api: ApiSite) -> Registered:
    return register(api)


@pytest.mark.parametrize("operation", OPERATIONS, ids=label)
def test_no_operation_knows_of_a_private_calendar(
    api: ApiSite, mine: Registered, operation: Operation
) -> None:
    tokens = [None, api.make_token(*SCOPED), mine.token, "a-token-that-nobody-made"]
    names = {**api.known, "calendar": "vault-zx9", "event": "handover-zx9", "endpoint": mine.id}
    queries = [""]
    if operation.method == "GET":
        window = "from=2027-01-01&to=2027-12-31"
        queries += [f"?{window}", f"?{window}&calendar=vault-zx9", "?calendar=vault-zx9"]
        queries += ["?calendar=Zircon", "?Zircon=1", "?cursor=Zircon", "?limit=Zircon"]
    bodies = BODIES.get(label(operation), [{}])
    for token, query, body in product(tokens, queries, bodies):
        path = operation.path.format_map(names) + query
        given = {"json": body} if operation.model("body") else {}
        first = api.ask(operation.method, path, token, **given)
        other = api.ask(operation.method, rename(path), token, **rename(given))
        assert_alike(api, first, other)
