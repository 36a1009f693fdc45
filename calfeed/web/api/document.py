"""The OpenAPI 3.1 document of the API, made of its operations."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from calfeed import __version__
from calfeed.store.access.tokens import SCOPES
from calfeed.web.api.operations import IDEMPOTENCY_KEY, LONGEST_KEY, Operation
from calfeed.web.api.problems import PROBLEM, Problem

_PREFIX = "#/components/schemas/"

_WRITTEN_OUT = ("path", "query")
"""Models whose fields become parameters, and that are no schemas of the document."""

_ABOUT = """\
Calendars of dates that matter and move, and the webhooks that tell of them.

What is public is read without a token. Everything else needs one with the scope that is named:
`Authorization: Bearer …`. Lists come in pages: `next` is the `cursor` of the page that follows.
Every error is problem+json (RFC 9457), and says everything that is wrong with a request at once.
"""


def make_document(operations: Iterable[Operation], prefix: str) -> dict[str, Any]:
    """The document, as JSON values; `prefix` is the path that the operations' own follow."""
    listed = list(operations)
    schemas = _make_schemas(listed)
    paths: dict[str, dict[str, Any]] = {}
    for operation in listed:
        described = _describe(operation, schemas)
        paths.setdefault(operation.path, {})[operation.method.lower()] = described
    for operation in listed:
        for name in _WRITTEN_OUT:
            if (model := operation.model(name)) is not None:
                schemas.pop(name_of(model), None)
    for schema in schemas.values():
        schema.pop("examples", None)  # which are with the operations, to be filled in
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "calfeed",
            "version": __version__,
            "summary": "Key dates, published and told",
            "description": _ABOUT,
        },
        "servers": [{"url": prefix}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token and its scopes: "
                    + "; ".join(f"`{name}`, to {words}" for name, words in SCOPES.items()),
                }
            },
        },
    }


def name_of(model: type[Any]) -> str:
    """A model's name among the schemas."""
    return re.sub(r"\W", "_", model.__name__)


def _make_schemas(operations: list[Operation]) -> dict[str, Any]:
    wanted: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {(Problem, "serialization"): None}
    for operation in operations:
        for name in ("path", "query", "body"):
            if (model := operation.model(name)) is not None:
                wanted[(model, "validation")] = None
        if operation.answer is not None:
            wanted[(operation.answer, "serialization")] = None
    references, found = models_json_schema(list(wanted), ref_template=_PREFIX + "{model}")
    schemas: dict[str, Any] = found["$defs"]
    for (listed, _), reference in references.items():
        # pydantic names a generic model after its parameters, whatever the model is called.
        generated = reference["$ref"].removeprefix(_PREFIX)
        schemas[name_of(listed)] = schemas.pop(generated)
    return schemas


def _describe(operation: Operation, schemas: dict[str, Any]) -> dict[str, Any]:
    summary, _, more = (inspect.getdoc(operation.handler) or "").partition("\n\n")
    needs = f"Needs a token with the scope `{operation.scope}`." if operation.scope else ""
    described: dict[str, Any] = {
        "operationId": operation.handler.__name__,
        "tags": [operation.path.split("/")[1]],
        "summary": summary.rstrip("."),
        "description": "\n\n".join(part for part in (more, needs) if part),
        "security": [{"token": [operation.scope]}] if operation.scope else [{}, {"token": []}],
        "parameters": _list_parameters(operation, schemas),
        "responses": _list_responses(operation),
    }
    if (body := operation.model("body")) is not None:
        (example,) = schemas[name_of(body)]["examples"]
        content = {"schema": {"$ref": _PREFIX + name_of(body)}, "example": example}
        described["requestBody"] = {
            "required": operation.needs_body,
            "content": {"application/json": content},
        }
    return {key: value for key, value in described.items() if value != ""}


def _list_parameters(operation: Operation, schemas: dict[str, Any]) -> list[dict[str, Any]]:
    parameters = []
    for place in _WRITTEN_OUT:
        model = operation.model(place)
        if model is None:
            continue
        schema = schemas[name_of(model)]
        for name, each in schema.get("properties", {}).items():
            described = _say_without_null(each)
            parameters.append(
                {
                    "name": name,
                    "in": place,
                    "description": described.pop("description", ""),
                    "required": place == "path" or name in schema.get("required", []),
                    "schema": described,
                }
            )
    if operation.once:
        parameters.append(
            {
                "name": IDEMPOTENCY_KEY,
                "in": "header",
                "required": False,
                "description": "A value of your own, new for each thing to be done. A request that "
                "is sent again with it within a day is not done again, and gets the same answer.",
                "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY},
            }
        )
    return parameters


def _say_without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a parameter: one that is left out has no value, and not that of null."""
    said = {key: value for key, value in schema.items() if key not in ("anyOf", "title")}
    if said.get("default", "") is None:
        del said["default"]
    kinds = [each for each in schema.get("anyOf", []) if each != {"type": "null"}]
    if len(kinds) == 1:
        return {**kinds[0], **said}
    return {**said, **({"anyOf": kinds} if kinds else {})}


def _list_responses(operation: Operation) -> dict[str, Any]:
    good: dict[str, Any] = {"description": operation.status.phrase}
    if operation.answer is not None:
        schema = {"$ref": _PREFIX + name_of(operation.answer)}
        good["content"] = {"application/json": {"schema": schema}}
    statuses = [HTTPStatus.UNAUTHORIZED, HTTPStatus.UNPROCESSABLE_ENTITY]
    if operation.model("path") is not None or operation.model("body") is not None:
        statuses.append(HTTPStatus.NOT_FOUND)
    if operation.scope is not None:
        statuses.append(HTTPStatus.FORBIDDEN)
    if operation.method != "GET":
        statuses.append(HTTPStatus.CONFLICT)
    if operation.model("body") is not None:
        statuses += [
            HTTPStatus.BAD_REQUEST,
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        ]
    statuses += [
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.SERVICE_UNAVAILABLE,
    ]
    problem = {PROBLEM: {"schema": {"$ref": _PREFIX + name_of(Problem)}}}
    return {str(operation.status.value): good} | {
        str(status.value): {"description": status.phrase, "content": problem}
        for status in sorted(statuses)
    }
