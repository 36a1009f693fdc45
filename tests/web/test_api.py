"""The API as a whole: its document, its scopes, its errors, its limits."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import text
from werkzeug.test import TestResponse

from calfeed.store.access.tokens import SCOPES, allows
from calfeed.store.database import Database
from calfeed.web.api.app import MAX_BODY_BYTES, make_api
from calfeed.web.api.app import OPERATIONS as ALWAYS
from calfeed.web.api.operations import Operation
from calfeed.web.api.resources import registrations
from tests.delivery.office import SECRET
from tests.web.api_site import ADMIN, ApiSite, make_api_site
from tests.web.fuzzing import ASKERS, fuzz, load_operations
from tests.web.published import BASE

DOCS = (Path(__file__).parents[2] / "docs" / "api.md").read_text("utf-8")

SCOPES_OF = {
    "GET /calendars": None,
    "GET /calendars/{calendar}": None,
    "GET /calendars/{calendar}/events": None,
    "GET /calendars/{calendar}/events/{event}": None,
    "GET /occurrences": None,
    "GET /changes": None,
    "GET /reminders": None,
    "GET /endpoints": "endpoints",
    "POST /endpoints": "endpoints",
    "GET /endpoints/{endpoint}": "endpoints",
    "PATCH /endpoints/{endpoint}": "endpoints",
    "DELETE /endpoints/{endpoint}": "endpoints",
    "POST /endpoints/{endpoint}/pause": "endpoints",
    "POST /endpoints/{endpoint}/resume": "endpoints",
    "POST /endpoints/{endpoint}/rotate": "endpoints",
    "POST /endpoints/{endpoint}/test": "endpoints",
    "GET /endpoints/{endpoint}/messages": "poll:{endpoint}",
    "GET /messages": "deliveries",
    "GET /messages/{message}": "deliveries",
    "GET /message-types": None,
    "GET /message-types/schema.json": None,
    "GET /message-types/{type}/schema.json": None,
    "GET /deliveries": "deliveries",
    "GET /deliveries/{delivery}": "deliveries",
    "POST /deliveries/retry": "deliveries",
    "POST /rehearsals": "rehearse",
    "GET /rehearsals/{rehearsal}": "rehearse",
    "GET /tokens": "tokens",
    "POST /tokens": "tokens",
    "DELETE /tokens/{token}": "tokens",
    "POST /registrations": None,
    "GET /registrations/{endpoint}": "endpoint:{endpoint}",
    "DELETE /registrations/{endpoint}": "endpoint:{endpoint}",
    "POST /registrations/{endpoint}/confirm": "endpoint:{endpoint}",
    "POST /registrations/{endpoint}/pause": "endpoint:{endpoint}",
    "POST /registrations/{endpoint}/resume": "endpoint:{endpoint}",
    "POST /registrations/{endpoint}/rotate": "endpoint:{endpoint}",
}
"""The scope that each operation requires."""

OPERATIONS = [*ALWAYS, *registrations.operations]

READER = {"scopes": ["read"]}


def assert_problem(response: TestResponse, method: str = "GET") -> None:
    """See that an error is said as all are, but to HEAD, which is told its length alone."""
    assert response.content_type == "application/problem+json"
    if method != "HEAD":
        assert response.json is not None
        assert response.json["status"] == response.status_code
        assert response.json["title"]
        assert response.json["detail"]


def label(operation: Operation) -> str:
    return f"{operation.method} {operation.path}"


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiSite]:
    api = make_api_site(tmp_path_factory.mktemp("api"))
    api.fill()
    yield api
    api.site.database.close()


def test_every_operation_needs_the_scope_that_the_table_says() -> None:
    assert {label(one): one.scope for one in OPERATIONS} == SCOPES_OF


@pytest.mark.parametrize("name", [name for name, scope in SCOPES_OF.items() if scope])
def test_an_operation_is_closed_to_all_but_its_scope(api: ApiSite, name: str) -> None:
    method, path = name.split(" ")
    path = re.sub(r"\{\w+\}", "1", path)
    assert api.ask(method, path, None).status_code == 401
    assert api.ask(method, path, "a-token-that-nobody-made").status_code == 401
    for scope in SCOPES:
        refused = not allows([scope], str(SCOPES_OF[name]))
        response = api.ask(method, path, api.make_token(scope))
        assert (response.status_code == 403) is refused, scope
        if refused:
            assert str(SCOPES_OF[name]).format(endpoint=1) in response.text


_BODY = '{"url": "https://example.org/a"'


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (f'{_BODY}, "url": "https://example.org/b"}}', 422, '"url" occurs 2 times'),
        (f'{_BODY}, "headers": {{"X": "a", "X": "b"}}}}', 422, '"X" occurs 2 times'),
        (f'{_BODY}, "description": "\\ud800"}}', 400, "Invalid JSON"),
        (f'{_BODY}, "options": {{"rate": NaN}}}}', 422, "#/options/rate"),
        (f'{_BODY}, "options": {{"rate": {"9" * 5_000}}}}}', 400, "Invalid JSON"),
        ("[" * 20_000, 400, "Invalid JSON"),
        ('{"a":' * 8_000 + "1" + "}" * 8_000, 400, "Invalid JSON"),
        (f"{_BODY}}}".encode("utf-16"), 400, "Invalid JSON"),
        (b'{"url": "https://example.org/\xff"}', 400, "Invalid JSON"),
        ("null", 422, "#"),
        ("", 400, "Invalid JSON"),
    ],
)
def test_a_body_that_has_no_one_reading_is_refused(
    api: ApiSite, body: str | bytes, status: int, said: str
) -> None:
    before = api.ask("GET", "/endpoints").json
    headers = {"Content-Type": "application/json"}
    response = api.ask("POST", "/endpoints", data=body, headers=headers)
    assert response.status_code == status, response.text
    assert response.json is not None
    assert said in response.text.replace('\\"', '"')
    assert api.ask("GET", "/endpoints").json == before


@pytest.mark.parametrize("operation", OPERATIONS, ids=label)
def test_every_operation_is_in_the_document_and_in_the_docs(
    api: ApiSite, operation: Operation
) -> None:
    document = api.client.get("/api/openapi.json").json
    assert document is not None
    described = document["paths"][operation.path][operation.method.lower()]
    assert described["summary"]
    assert f"`{label(operation)}`" in DOCS
    assert len({one.handler.__name__ for one in OPERATIONS}) == len(OPERATIONS)


@pytest.mark.parametrize("scope", SCOPES)
def test_every_scope_is_in_the_docs(scope: str) -> None:
    assert f"| `{scope}` |" in DOCS


@pytest.mark.parametrize("asker", ASKERS)
def test_whatever_is_asked_the_answer_is_as_documented_and_nothing_private_leaks(
    tmp_path: Path, asker: str
) -> None:
    api = make_api_site(tmp_path)
    api.fill()
    for operation in load_operations(api):
        fuzz(api, operation, asker, 6)
    api.site.database.close()


@pytest.mark.parametrize(
    ("method", "path", "given", "status"),
    [
        ("GET", "/nothing", {}, 404),
        ("GET", "/calendars/", {}, 404),
        ("GET", "/../v2", {}, 404),
        ("GET", "/../ui/nothing.js", {}, 404),
        ("GET", "/calendars/%00", {}, 404),
        ("HEAD", "/nothing", {}, 404),
        ("PUT", "/calendars", {}, 405),
        ("HEAD", "/registrations", {}, 405),
        ("TRACE", "/calendars", {}, 405),
        ("OPTIONS", "/calendars", {}, 405),
        ("POST", "/endpoints", {"data": "{", "content_type": "application/json"}, 400),
        ("POST", "/endpoints", {"data": b"\xff", "content_type": "application/json"}, 400),
        ("POST", "/endpoints", {"data": b"[" * 9999, "content_type": "application/json"}, 400),
        ("POST", "/endpoints", {"data": "[]", "content_type": "application/json"}, 422),
        ("POST", "/endpoints", {"data": "url=x", "content_type": "text/plain"}, 415),
        ("POST", "/endpoints", {"data": "{}"}, 415),
        ("POST", "/registrations", {"data": {"url": "https://example.org"}}, 415),
        ("POST", "/endpoints", {"data": b" " * (MAX_BODY_BYTES + 1)}, 413),
        ("GET", "/deliveries/0", {}, 404),
        ("GET", "/tokens?colour=red", {}, 422),
        ("POST", "/endpoints?colour=red", {"json": {"url": "https://example.org"}}, 422),
        ("GET", "/calendars/open?colour=red", {}, 422),
        ("POST", "/tokens", {"json": {"scopes": ["all"]}}, 422),
        (
            "POST",
            "/tokens",
            {"json": {"scopes": ["read"]}, "headers": {"Idempotency-Key": ""}},
            422,
        ),
    ],
)
def test_every_error_is_a_problem(
    api: ApiSite, method: str, path: str, given: dict[str, Any], status: int
) -> None:
    if status == 413:
        given = {**given, "content_type": "application/json"}
    response = api.ask(method, path, **given)
    assert response.status_code == status
    assert ("Allow" in response.headers) is (status == 405)
    assert_problem(response, method)


def test_a_body_of_unknown_length_is_read_no_further_than_it_may_be(api: ApiSite) -> None:
    body = BytesIO(b" " * (10 * MAX_BODY_BYTES))
    environ = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    response = api.ask(
        "POST",
        "/endpoints",
        input_stream=body,
        content_type="application/json",
        environ_overrides=environ,
    )
    assert response.status_code == 400
    assert_problem(response)
    assert body.tell() == MAX_BODY_BYTES


def test_a_refused_token_is_told_how_to_show_another(api: ApiSite) -> None:
    for headers in ({"Authorization": f"Basic {ADMIN}"}, {"Authorization": "Bearer wrong"}):
        response = api.ask("GET", "/calendars", None, headers=headers)
        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_database_that_is_away_is_a_503_and_a_fault_is_a_500(tmp_path: Path) -> None:
    api = make_api_site(tmp_path)
    gone = Database(f"sqlite:///{tmp_path / 'empty.sqlite3'}")
    application = make_api(api.site.state, gone, BASE, admin_token=SecretStr(ADMIN))
    response = application.test_client().get("/v1/changes")
    assert response.status_code == 503
    assert "sqlite" not in response.text

    def fail() -> str:
        raise ZeroDivisionError("division by zero")

    application.config["PROPAGATE_EXCEPTIONS"] = False
    application.view_functions["list_calendars"] = fail
    broken = application.test_client().get("/v1/calendars")
    assert broken.status_code == 500
    assert broken.content_type == "application/problem+json"
    assert "division" not in broken.text
    api.site.database.close()
    gone.close()


def test_who_asks_too_often_is_told_when_to_come_back_and_the_others_are_not_hindered(
    tmp_path: Path,
) -> None:
    api = make_api_site(tmp_path, rate="3 per hour")
    for _ in range(3):
        assert api.ask("GET", "/calendars", None).status_code == 200
    for token in (None, "a-token-that-nobody-made"):
        response = api.ask("GET", "/calendars", token)
        assert response.status_code == 429
        assert 0 < int(response.headers["Retry-After"]) <= 3600
        assert_problem(response)
    assert api.ask("GET", "/calendars").status_code == 200
    other = api.client.get("/api/v1/calendars", environ_base={"REMOTE_ADDR": "192.0.2.7"})
    assert other.status_code == 200
    api.site.database.close()


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v1/nothing"), ("PUT", "/v1/calendars"), ("GET", "/ui/index.html")],
)
def test_tokens_are_tried_out_at_no_speed_where_there_is_nothing_either(
    tmp_path: Path, method: str, path: str
) -> None:
    api = make_api_site(tmp_path, rate="3 per hour")
    guess = {"Authorization": "Bearer a-token-that-nobody-made"}
    statuses = [
        api.client.open("/api" + path, method=method, headers=guess, buffered=True).status_code
        for _ in range(5)
    ]
    assert statuses == [401, 401, 401, 429, 429]
    api.site.database.close()


def test_no_secret_is_in_what_is_said_or_logged_of_a_fault(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    api = make_api_site(database)
    secrets = {"secret": SECRET, "token": ADMIN, "key": "a-key-of-my-own", "value": "to-be-kept"}
    given = {
        "url": "https://example.org/hooks/to-be-kept",
        "secret": SECRET,
        "headers": {"X-Token": "to-be-kept"},
    }
    with api.site.database.write() as connection:
        connection.execute(text("ALTER TABLE endpoints RENAME TO elsewhere"))
    try:
        response = api.ask(
            "POST", "/endpoints", json=given, headers={"Idempotency-Key": secrets["key"]}
        )
    finally:
        with api.site.database.write() as connection:
            connection.execute(text("ALTER TABLE elsewhere RENAME TO endpoints"))
    assert response.status_code == 503
    assert caplog.text
    for secret in secrets.values():
        assert secret not in caplog.text + response.text


def test_every_reference_in_the_document_leads_to_a_schema(api: ApiSite) -> None:
    document = api.client.get("/api/openapi.json").text
    schemas = {
        f"#/components/schemas/{name}" for name in json.loads(document)["components"]["schemas"]
    }
    assert set(re.findall(r'"\$ref": ?"([^"]+)"', document)) == schemas


def test_the_page_for_trying_it_out_loads_only_what_is_ours(api: ApiSite) -> None:
    page = api.client.get("/api/", buffered=True)
    assert page.status_code == 200
    policy = page.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "http" not in policy
    for address in re.findall(r'(?:src|href)="([^"]+)"', page.text):
        if not address.startswith("data:"):
            found = api.client.get(f"/api/{address}", buffered=True)
            assert found.status_code == 200, address
    assert api.client.get("/api").headers["Location"] == "/api/"


def test_the_makefile_names_the_version_of_swagger_ui_that_ships() -> None:
    root = Path(__file__).parents[2]
    bundle = (root / "calfeed/web/api/ui/swagger-ui-bundle.js").read_text("utf-8")
    (version,) = set(re.findall(r'PACKAGE_VERSION:"([^"]+)"', bundle))
    assert f"SWAGGER_UI := {version}\n" in (root / "Makefile").read_text("utf-8")


def test_a_right_token_gets_in_whatever_strangers_of_the_same_address_try(tmp_path: Path) -> None:
    api = make_api_site(tmp_path, rate="5 per hour")
    own = api.make_token("read")
    guesses = [api.ask("GET", "/calendars", f"a-guess-{number}") for number in range(9)]
    assert {one.status_code for one in guesses} == {401, 429}
    for token in (ADMIN, own):
        assert api.ask("GET", "/calendars", token).status_code == 200
    api.site.database.close()
