"""Operations: what the API can do, each a function whose signature says what it takes and gives.

A handler takes a `Call` and, by these names, `path`, `query`, `body` (pydantic models) and
`connection`, a transaction that reads, or `database`, for the services that write. What it returns
is the answer. From the same signatures the OpenAPI document is made.
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
from calfeed.services.idempotency import Answered, UsedKeyError, do_once
from calfeed.store.database import Database, Transactions
from calfeed.web.api.access import Access, current_access
from calfeed.web.api.problems import Mistake, RefusalError, list_mistakes, refuse_input
from calfeed.web.published.snapshot import PublishedCalendar, Snapshot
from calfeed.web.published.state import State

IDEMPOTENCY_KEY = "Idempotency-Key"
LONGEST_KEY = 255

Handler = Callable[..., Any]
Handled = TypeVar("Handled", bound=Handler)


class Once(BaseModel):
    """An answer with a secret, which is shown once."""

    secret: str | None = Field(
        description="Shown only now: null where the same answer is given again."
    )


class Path(BaseModel):
    """The names in an address."""

    model_config = ConfigDict(extra="forbid")


class Given(BaseModel):
    """A body that has nothing but what is known.

    Each has an example: `model_config = as_example(...)`.
    """

    model_config = ConfigDict(extra="forbid")


def as_example(**body: Any) -> ConfigDict:
    """The configuration of a body with an example, in which `{name}` is filled in."""
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [body]})


@dataclass(frozen=True)
class Backend:
    """What the operations work on."""

    state: State
    database: Database
    base_url: str
    urls: UrlRules
    limit_registrations: Callable[[], None]


@dataclass(frozen=True)
class Call:
    """One request: who asks, when (UTC), and the published state that it is about."""

    backend: Backend
    access: Access
    snapshot: Snapshot
    now: datetime

    def calendars(self) -> Mapping[str, PublishedCalendar]:
        """The calendars that whoever asks may see."""
        return {
            slug: one
            for slug, one in self.snapshot.everything.items()
            if one.public or self.access.may_read(slug, *one.calendar.formerly)
        }


@dataclass(frozen=True)
class Operation:
    """One thing the API can do; `scope` is what it needs a token for, None: anybody may.

    `path` has the names of its parts in braces, as OpenAPI writes it, and `scope` may have them.
    `once` operations take an Idempotency-Key.
    """

    method: str
    path: str
    scope: str | None
    status: HTTPStatus
    once: bool
    handler: Handler

    def model(self, name: str) -> type[BaseModel] | None:
        """The model of its `path`, `query` or `body`."""
        hint = get_type_hints(self.handler).get(name)
        found: type[BaseModel] | None = get_args(hint)[0] if self._may_lack(name) else hint
        return found

    @property
    def needs_body(self) -> bool:
        """Whether a request without a body is refused."""
        return self.model("body") is not None and not self._may_lack("body")

    def _may_lack(self, name: str) -> bool:
        parameter = inspect.signature(self.handler).parameters.get(name)
        return parameter is not None and parameter.default is None

    @property
    def answer(self) -> Any:
        """The model of what it answers; None for nothing."""
        found = get_type_hints(self.handler)["return"]
        return None if found is type(None) else found


class Operations(list[Operation]):
    """Operations, put together with decorators."""

    def add(
        self,
        method: str,
        path: str,
        *,
        scope: str | None = None,
        status: HTTPStatus = HTTPStatus.OK,
        once: bool = False,
    ) -> Callable[[Handled], Handled]:
        """Make a function an operation."""

        def register(handler: Handled) -> Handled:
            self.append(Operation(method, path, scope, status, once, handler))
            return handler

        return register


def serve_operation(app: Flask, prefix: str, operation: Operation, backend: Backend) -> None:
    """Let an application answer the requests for an operation."""
    models = {name: operation.model(name) for name in ("path", "query", "body")}
    parameters = inspect.signature(operation.handler).parameters

    def answer(**parts: str) -> Response:
        access = current_access()
        if operation.scope is not None:
            access.require(operation.scope.format_map(parts))
        given = _read_input(models, parts, operation.needs_body, backend)
        call = Call(backend, access, backend.state.snapshot, backend.state.clock())
        key = request.headers.get(IDEMPOTENCY_KEY) if operation.once else None
        if key is not None:
            return _answer_once(key, operation, call, given)
        if "connection" in parameters:
            with backend.database.read() as connection:
                made = operation.handler(call, connection=connection, **given)
        elif "database" in parameters:
            made = operation.handler(call, database=backend.database, **given)
        else:
            made = operation.handler(call, **given)
        return _respond(operation, _write(made))

    app.add_url_rule(
        prefix + operation.path.replace("{", "<").replace("}", ">"),
        endpoint=operation.handler.__name__,
        view_func=answer,
        methods=[operation.method],
        provide_automatic_options=False,
    )


def _answer_once(key: str, operation: Operation, call: Call, given: Mapping[str, Any]) -> Response:
    """Do an operation unless this caller did with this key, and answer as the first time."""
    if not 1 <= len(key) <= LONGEST_KEY:
        detail = f"it has to be from 1 to {LONGEST_KEY} characters"
        raise refuse_input([Mistake(pointer=IDEMPOTENCY_KEY, detail=detail)])
    name = _digest(call.access.name, key)
    asked = _digest(request.method, request.path, request.get_data(as_text=True))

    def do(database: Transactions) -> Answered:
        made = operation.handler(call, database=database, **given)
        hidden = made.model_copy(update={"secret": None}) if isinstance(made, Once) else made
        return Answered(_write(made), _write(hidden))

    try:
        answered = do_once(call.backend.database, name, asked, call.now, do)
    except UsedKeyError as error:
        mistake = Mistake(pointer=IDEMPOTENCY_KEY, detail=str(error))
        raise refuse_input([mistake]) from error
    response = _respond(operation, answered.text)
    if answered.replayed:
        response.headers["Idempotent-Replayed"] = "true"
    return response


def _read_input(
    models: Mapping[str, type[BaseModel] | None],
    parts: Mapping[str, str],
    needs_body: bool,
    backend: Backend,
) -> dict[str, Any]:
    """What is asked for, checked. Raises RefusalError, with every mistake there is."""
    given: dict[str, Any] = {}
    mistakes: list[Mistake] = []
    if (model := models["path"]) is not None:
        try:
            given["path"] = model.model_validate(parts)
        except ValidationError:
            raise RefusalError(HTTPStatus.NOT_FOUND, "There is nothing of that name.") from None
    query = models["query"]
    try:
        if query is not None:
            given["query"] = query.model_validate(_read_arguments(query))
        elif request.args:
            mistakes += [
                Mistake(pointer=f"?{name}", detail="there is no such parameter here")
                for name in request.args
            ]
    except ValidationError as error:
        mistakes += list_mistakes(error, "?")
    if (model := models["body"]) is not None and (needs_body or request.get_data()):
        try:
            given["body"] = _read_body(model, backend)
        except ValidationError as error:
            if any(each["type"] == "json_invalid" for each in error.errors()):
                detail = f"The body is not JSON: {error.errors()[0]['msg']}"
                raise RefusalError(HTTPStatus.BAD_REQUEST, detail) from None
            mistakes += list_mistakes(error, "#/")
    if mistakes:
        raise refuse_input(mistakes)
    return given


def _read_arguments(model: type[BaseModel]) -> dict[str, Any]:
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    many = {name for name, field in fields.items() if get_origin(field.annotation) is list}
    return {
        # What is given twice is a list, which a field for one value refuses.
        name: values if name in many or len(values) > 1 else values[0]
        for name, values in request.args.lists()
    }


def _read_body(model: type[BaseModel], backend: Backend) -> BaseModel:
    if request.mimetype != "application/json":
        raise RefusalError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "The body has to be JSON: Content-Type: application/json",
        )
    text = request.get_data()
    body = model.model_validate_json(text, strict=True, context=backend.urls._asdict())
    json.loads(text, object_pairs_hook=_refuse_repeated)
    return body


def _refuse_repeated(pairs: list[tuple[str, Any]]) -> None:
    """Refuse a JSON object in which a name is given twice: nobody knows which one was meant."""
    for name, times in Counter(name for name, _ in pairs).items():
        if times > 1:
            detail = f'"{name}" is given {times} times in one object'
            raise refuse_input([Mistake(pointer="#", detail=detail)])


def _write(made: Any) -> str:
    return made.model_dump_json(by_alias=True) if isinstance(made, BaseModel) else ""


def _respond(operation: Operation, text: str) -> Response:
    response = Response(text, operation.status, content_type="application/json")
    if not text:
        del response.headers["Content-Type"]
    return response


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
