"""The OpenAPI 3.1 document of the API, generated from its operations."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from calfeed import __version__
from calfeed.reminders.contract.documents import describe_webhooks
from calfeed.reminders.contract.registry import TYPES
from calfeed.reminders.contract.schemas import make_definitions
from calfeed.store.access.tokens import SCOPES
from calfeed.web.api.operations import IDEMPOTENCY_KEY, MAX_KEY_LENGTH, Operation
from calfeed.web.api.problems import PROBLEM, Problem

_PREFIX = "#/components/schemas/"
_MESSAGE = _PREFIX + "Message{model}"

_PARAMETER_MODELS = ("path", "query")
"""Models whose fields become parameters instead of schemas."""

_ABOUT = """\
Calendars of key dates, and the webhooks that report their changes.

Public data needs no token. Everything else requires a token with the named scope:
`Authorization: Bearer …`. Lists are paginated: `next` is the `cursor` of the next page.
Every error is problem+json (RFC 9457), and lists all mistakes of a request at once.
"""


def make_document(operations: Iterable[Operation], path: str) -> dict[str, Any]:
    """Return the document as JSON values; `path` is the base path of the operations."""
    listed = list(operations)
    schemas = _make_schemas(listed)
    paths: dict[str, dict[str, Any]] = {}
    for operation in listed:
        described = _describe(operation, schemas)
        paths.setdefault(operation.path, {})[operation.method.lower()] = described
    for operation in listed:
        for name in _PARAMETER_MODELS:
            if (model := operation.model(name)) is not None:
                schemas.pop(schema_name(model), None)
    for schema in schemas.values():
        schema.pop("examples", None)  # added to the operations, with values of the site
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "calfeed",
            "version": __version__,
            "summary": "Key dates, published and announced",
            "description": _ABOUT,
        },
        "servers": [{"url": path}],
        "paths": paths,
        "webhooks": describe_webhooks(_MESSAGE),
        "components": {
            "schemas": schemas | _make_message_schemas(),
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token and its scopes: "
                    + "; ".join(f"`{name}`, to {purpose}" for name, purpose in SCOPES.items()),
                }
            },
        },
    }


def _make_message_schemas() -> dict[str, Any]:
    """The schemas of messages, under names that differ from those of the API's own models."""
    definitions = make_definitions(TYPES, _MESSAGE)
    return {f"Message{name}": schema for name, schema in definitions.items()}


def schema_name(model: type[Any]) -> str:
    return re.sub(r"\W", "_", model.__name__)


def _make_schemas(operations: list[Operation]) -> dict[str, Any]:
    models: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {(Problem, "serialization"): None}
    for operation in operations:
        for name in ("path", "query", "body"):
            if (model := operation.model(name)) is not None:
                models[(model, "validation")] = None
        if operation.response_model is not None:
            models[(operation.response_model, "serialization")] = None
    references, found = models_json_schema(list(models), ref_template=_PREFIX + "{model}")
    schemas: dict[str, Any] = found["$defs"]
    for (listed, _), reference in references.items():
        # pydantic names a generic model after its parameters, whatever the model is called.
        generated = reference["$ref"].removeprefix(_PREFIX)
        schemas[schema_name(listed)] = schemas.pop(generated)
    return schemas


def _describe(operation: Operation, schemas: dict[str, Any]) -> dict[str, Any]:
    summary, _, more = (inspect.getdoc(operation.handler) or "").partition("\n\n")
    needs = f"Requires a token with the scope `{operation.scope}`." if operation.scope else ""
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
        (example,) = schemas[schema_name(body)]["examples"]
        content = {"schema": {"$ref": _PREFIX + schema_name(body)}, "example": example}
        described["requestBody"] = {
            "required": operation.needs_body,
            "content": {"application/json": content},
        }
    return {key: value for key, value in described.items() if value != ""}


def _list_parameters(operation: Operation, schemas: dict[str, Any]) -> list[dict[str, Any]]:
    parameters = []
    for place in _PARAMETER_MODELS:
        model = operation.model(place)
        if model is None:
            continue
        schema = schemas[schema_name(model)]
        for name, field in schema.get("properties", {}).items():
            described = _without_null(field)
            parameters.append(
                {
                    "name": name,
                    "in": place,
                    "description": described.pop("description", ""),
                    "required": place == "path" or name in schema.get("required", []),
                    "schema": described,
                }
            )
    if operation.idempotent:
        parameters.append(
            {
                "name": IDEMPOTENCY_KEY,
                "in": "header",
                "required": False,
                "description": "A unique value for each operation. A request that is repeated with "
                "the same key within a day is not executed again, and gets the same response.",
                "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY_LENGTH},
            }
        )
    return parameters


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an optional parameter without null, which cannot be sent."""
    reduced = {key: value for key, value in schema.items() if key not in ("anyOf", "title")}
    if reduced.get("default", "") is None:
        del reduced["default"]
    kinds = [kind for kind in schema.get("anyOf", []) if kind != {"type": "null"}]
    if len(kinds) == 1:
        return {**kinds[0], **reduced}
    return {**reduced, **({"anyOf": kinds} if kinds else {})}


def _list_responses(operation: Operation) -> dict[str, Any]:
    good: dict[str, Any] = {"description": operation.status.phrase}
    if operation.response_model is not None:
        schema = {"$ref": _PREFIX + schema_name(operation.response_model)}
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
    problem = {PROBLEM: {"schema": {"$ref": _PREFIX + schema_name(Problem)}}}
    return {str(operation.status.value): good} | {
        str(status.value): {"description": status.phrase, "content": problem}
        for status in sorted(statuses)
    }
