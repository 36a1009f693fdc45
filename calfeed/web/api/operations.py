"""Operations of the API: functions whose signatures define requests and responses.

A handler takes a `Call` and those of these arguments that it names: `path`, `query` and `body`
(pydantic models), and either `connection`, a read transaction, or `database`, for services that
write. It returns the response model. The OpenAPI document is generated from the same signatures.
"""

from __future__ import annotations

import hashlib
import inspect
import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from flask import Flask, Response, request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from calfeed.delivery.transport.guard import UrlRules
from calfeed.services.idempotency import StoredResponse, UsedKeyError, do_once
from calfeed.store.database import Database, Transactions
from calfeed.web.api.access import Access, current_access
from calfeed.web.api.problems import Mistake, ProblemError, list_mistakes, validation_problem
from calfeed.web.published.calendars import PublishedCalendar
from calfeed.web.published.snapshot import Snapshot
from calfeed.web.published.state import State

IDEMPOTENCY_KEY = "Idempotency-Key"
MAX_KEY_LENGTH = 255

Handler = Callable[..., Any]
Handled = TypeVar("Handled", bound=Handler)


class WithSecret(BaseModel):
    """A response with a secret, which is shown once."""

    secret: str | None = Field(description="Shown once; null if the response is replayed.")


class Path(BaseModel):
    """Path parameters."""

    model_config = ConfigDict(extra="forbid")


class RequestBody(BaseModel):
    """A request body without unknown keys.

    Each has an example: `model_config = as_example(...)`.
    """

    model_config = ConfigDict(extra="forbid")


def as_example(**body: Any) -> ConfigDict:
    """Return the configuration of a body with an example; `{name}` is a placeholder."""
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [body]})


@dataclass(frozen=True)
class ApiContext:
    """The dependencies of the operations."""

    state: State
    database: Database
    base_url: str
    urls: UrlRules
    limit_registrations: Callable[[], None]


@dataclass(frozen=True)
class Call:
    """A request: its access, its time (UTC), and the snapshot for the response."""

    context: ApiContext
    access: Access
    snapshot: Snapshot
    now: datetime

    def visible_calendars(self) -> Mapping[str, PublishedCalendar]:
        """The calendars that the request may read."""
        return {
            slug: found
            for slug, found in self.snapshot.all_calendars.items()
            if found.public or self.access.may_read(slug, *found.calendar.formerly)
        }


@dataclass(frozen=True)
class Operation:
    """An operation of the API; `scope` is the required scope, None if it is public.

    `path` has parameters in braces, as in OpenAPI; `scope` may contain them too. `idempotent`
    operations accept an Idempotency-Key.
    """

    method: str
    path: str
    scope: str | None
    status: HTTPStatus
    idempotent: bool
    handler: Handler

    def model(self, name: str) -> type[BaseModel] | None:
        """Return the handler's model of `path`, `query` or `body`; None if it does not take it."""
        hint = get_type_hints(self.handler).get(name)
        found: type[BaseModel] | None = get_args(hint)[0] if self._is_optional(name) else hint
        return found

    @property
    def needs_body(self) -> bool:
        return self.model("body") is not None and not self._is_optional("body")

    def _is_optional(self, name: str) -> bool:
        parameter = inspect.signature(self.handler).parameters.get(name)
        return parameter is not None and parameter.default is None

    @property
    def response_model(self) -> Any:
        found = get_type_hints(self.handler)["return"]
        return None if found is type(None) else found


class Operations(list[Operation]):
    """A list of operations, filled by a decorator."""

    def add(
        self,
        method: str,
        path: str,
        *,
        scope: str | None = None,
        status: HTTPStatus = HTTPStatus.OK,
        idempotent: bool = False,
    ) -> Callable[[Handled], Handled]:
        def register(handler: Handled) -> Handled:
            self.append(Operation(method, path, scope, status, idempotent, handler))
            return handler

        return register


def add_operation_route(app: Flask, prefix: str, operation: Operation, context: ApiContext) -> None:
    """Add the route of an operation to an application."""
    models = {name: operation.model(name) for name in ("path", "query", "body")}
    parameters = inspect.signature(operation.handler).parameters

    def handle(**parts: str) -> Response:
        access = current_access()
        if operation.scope is not None:
            access.require(operation.scope.format_map(parts))
        arguments = _read_input(models, parts, operation.needs_body, context)
        call = Call(context, access, context.state.snapshot, context.state.clock())
        key = request.headers.get(IDEMPOTENCY_KEY) if operation.idempotent else None
        if key is not None:
            return _run_once(key, operation, call, arguments)
        if "connection" in parameters:
            with context.database.read() as connection:
                result = operation.handler(call, connection=connection, **arguments)
        elif "database" in parameters:
            result = operation.handler(call, database=context.database, **arguments)
        else:
            result = operation.handler(call, **arguments)
        return _respond(operation, _to_json(result))

    app.add_url_rule(
        prefix + operation.path.replace("{", "<").replace("}", ">"),
        endpoint=operation.handler.__name__,
        view_func=handle,
        methods=[operation.method],
        provide_automatic_options=False,
    )


def _run_once(key: str, operation: Operation, call: Call, arguments: Mapping[str, Any]) -> Response:
    """Run an operation once for each caller and key; replay the first response afterwards."""
    if not 1 <= len(key) <= MAX_KEY_LENGTH:
        detail = f"the key must have 1 to {MAX_KEY_LENGTH} characters"
        raise validation_problem([Mistake(pointer=IDEMPOTENCY_KEY, detail=detail)])
    name = _digest(call.access.name, key)
    request_digest = _digest(request.method, request.path, request.get_data(as_text=True))

    def run(database: Transactions) -> StoredResponse:
        result = operation.handler(call, database=database, **arguments)
        replayed = result
        if isinstance(result, WithSecret):
            replayed = result.model_copy(update={"secret": None})
        return StoredResponse(_to_json(result), _to_json(replayed))

    try:
        answered = do_once(call.context.database, name, request_digest, call.now, run)
    except UsedKeyError as error:
        mistake = Mistake(pointer=IDEMPOTENCY_KEY, detail=str(error))
        raise validation_problem([mistake]) from error
    response = _respond(operation, answered.text)
    if answered.replayed:
        response.headers["Idempotent-Replayed"] = "true"
    return response


def _read_input(
    models: Mapping[str, type[BaseModel] | None],
    parts: Mapping[str, str],
    needs_body: bool,
    context: ApiContext,
) -> dict[str, Any]:
    """Validate the input of a request. Raises ProblemError with all mistakes."""
    arguments: dict[str, Any] = {}
    mistakes: list[Mistake] = []
    if (model := models["path"]) is not None:
        try:
            arguments["path"] = model.model_validate(parts)
        except ValidationError:
            raise ProblemError(HTTPStatus.NOT_FOUND, "The name in the path is not valid.") from None
    query = models["query"]
    try:
        if query is not None:
            arguments["query"] = query.model_validate(_read_arguments(query))
        elif request.args:
            mistakes += [
                Mistake(pointer=f"?{name}", detail="there is no such parameter")
                for name in request.args
            ]
    except ValidationError as error:
        mistakes += list_mistakes(error, "?")
    if (model := models["body"]) is not None and (needs_body or request.get_data()):
        try:
            arguments["body"] = _read_body(model, context)
        except ValidationError as error:
            if any(found["type"] == "json_invalid" for found in error.errors()):
                detail = f"The body is not valid. {error.errors()[0]['msg']}"
                raise ProblemError(HTTPStatus.BAD_REQUEST, detail) from None
            mistakes += list_mistakes(error, "#/")
    if mistakes:
        raise validation_problem(mistakes)
    return arguments


def _read_arguments(model: type[BaseModel]) -> dict[str, Any]:
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    repeatable = {name for name, field in fields.items() if get_origin(field.annotation) is list}
    return {
        # A repeated parameter becomes a list, which is not valid for a single value.
        name: values if name in repeatable or len(values) > 1 else values[0]
        for name, values in request.args.lists()
    }


def _read_body(model: type[BaseModel], context: ApiContext) -> BaseModel:
    if request.mimetype != "application/json":
        raise ProblemError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "The body must be JSON; send Content-Type: application/json",
        )
    text = request.get_data()
    body = model.model_validate_json(text, strict=True, context=context.urls._asdict())
    json.loads(text, object_pairs_hook=_refuse_repeated)
    return body


def _refuse_repeated(pairs: list[tuple[str, Any]]) -> None:
    """Refuse a JSON object with a duplicate name, which is ambiguous."""
    for name, count in Counter(name for name, _ in pairs).items():
        if count > 1:
            detail = f'"{name}" occurs {count} times in one object'
            raise validation_problem([Mistake(pointer="#", detail=detail)])


def _to_json(result: Any) -> str:
    return result.model_dump_json(by_alias=True) if isinstance(result, BaseModel) else ""


def _respond(operation: Operation, text: str) -> Response:
    response = Response(text, operation.status, content_type="application/json")
    if not text:
        del response.headers["Content-Type"]
    return response


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
