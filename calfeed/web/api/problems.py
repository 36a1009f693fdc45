"""Error responses: problem+json (RFC 9457), with all mistakes of a request at once."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from http import HTTPStatus
from typing import cast

from flask import Flask, Response
from pydantic import BaseModel, Field, ValidationError
from werkzeug.exceptions import HTTPException

from calfeed.errors import (
    ConflictError,
    ForbiddenError,
    InvalidFieldsError,
    InvalidInputError,
    NotFoundError,
    SealError,
    StoreError,
    reason_of,
)

PROBLEM = "application/problem+json"

_log = logging.getLogger(__name__)

_DETAILS = {
    404: "Not found; /api/ lists all operations.",
    405: "Method not allowed; the Allow header lists the allowed methods.",
    413: "The body is too large.",
    500: "Internal server error; the server's log has the details.",
    429: "Too many requests; retry after the seconds in the Retry-After header.",
}


class Mistake(BaseModel):
    """A mistake in a request."""

    pointer: str = Field(
        description="The place: a JSON pointer into the body (`#/…`), a parameter (`?name`), or "
        "the name of a header."
    )
    detail: str = Field(description="What is wrong, and how to fix it.")


class Problem(BaseModel):
    """An error (RFC 9457)."""

    type: str = "about:blank"
    title: str = Field(description="The name of the status.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What happened, and what to do.")
    errors: list[Mistake] = Field(default_factory=list, description="All mistakes in the request.")


class ProblemError(HTTPException):
    """An error response: its status, its detail, and the mistakes of the request."""

    def __init__(self, status: HTTPStatus, detail: str, mistakes: Sequence[Mistake] = ()) -> None:
        super().__init__(detail)
        self.code = status.value
        self.mistakes = tuple(mistakes)


def validation_problem(mistakes: Sequence[Mistake]) -> ProblemError:
    """Return the error (422) for a request with mistakes."""
    return ProblemError(
        HTTPStatus.UNPROCESSABLE_ENTITY, "The request is not valid; see errors.", mistakes
    )


def list_mistakes(error: ValidationError, prefix: str) -> list[Mistake]:
    """Return pydantic's errors as mistakes, without the input values.

    `prefix` is `#/` for a body, `?` for parameters.
    """
    found = error.errors(include_input=False, include_url=False)
    return [
        Mistake(
            pointer=(prefix + "/".join(_escape(str(part)) for part in item["loc"]))
            if item["loc"]
            else prefix[0],
            detail=reason_of(item),
        )
        for item in found
    ]


def add_error_handlers(app: Flask) -> None:
    """Make an application respond to every error with problem+json."""

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response:
        status = error.code or 500
        if error.response is not None or status < 400:
            return cast(Response, error.get_response())  # a redirect
        mistakes = error.mistakes if isinstance(error, ProblemError) else ()
        detail = error.description or ""
        if not isinstance(error, ProblemError):
            detail = _DETAILS.get(status, detail)
        response = _make_response(status, detail, mistakes)
        for name, value in error.get_headers():
            if name == "Allow":
                response.headers[name] = value
        if status == HTTPStatus.UNAUTHORIZED:
            response.headers["WWW-Authenticate"] = 'Bearer realm="calfeed"'
        return response

    @app.errorhandler(NotFoundError)
    def not_found(error: NotFoundError) -> Response:
        return _make_response(404, str(error))

    @app.errorhandler(SealError)
    def unreadable_secret(error: SealError) -> Response:
        return _make_response(409, str(error))

    @app.errorhandler(ConflictError)
    def conflict(error: ConflictError) -> Response:
        return _make_response(409, str(error))

    @app.errorhandler(ForbiddenError)
    def forbidden(error: ForbiddenError) -> Response:
        return _make_response(403, str(error))

    @app.errorhandler(InvalidInputError)
    def invalid_input(error: InvalidInputError) -> Response:
        return _make_response(422, str(error))

    @app.errorhandler(InvalidFieldsError)
    def invalid_fields(error: InvalidFieldsError) -> Response:
        mistakes = [
            Mistake(pointer=f"#/{fault.place}", detail=fault.message) for fault in error.faults
        ]
        return http_error(validation_problem(mistakes))

    @app.errorhandler(StoreError)
    def database_unavailable(error: StoreError) -> Response:
        _log.error("%s", error)
        response = _make_response(503, "The database is unavailable; try again in a few seconds.")
        response.headers["Retry-After"] = "5"
        return response


def _make_response(status: int, detail: str, mistakes: Sequence[Mistake] = ()) -> Response:
    problem = Problem(
        title=HTTPStatus(status).phrase, status=status, detail=detail, errors=list(mistakes)
    )
    return Response(problem.model_dump_json(), status, content_type=PROBLEM)


def _escape(part: str) -> str:
    """Escape a part of a JSON pointer (RFC 6901, 3)."""
    return part.replace("~", "~0").replace("/", "~1")
