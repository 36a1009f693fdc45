"""Errors of the API: problem+json (RFC 9457), and every mistake in a request at once."""

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
    404: "There is nothing at this address; /api/ shows every address there is.",
    405: "This cannot be done at this address; the header Allow says what can.",
    413: "The body is too large.",
    500: "This is a fault of calfeed's; its log says more.",
    429: "Too many requests; the header Retry-After says when to ask again, in seconds.",
}


class Mistake(BaseModel):
    """One thing wrong in a request."""

    pointer: str = Field(
        description="Where: `#/…`, a JSON pointer into the body; `?name`, a parameter; or a header."
    )
    detail: str = Field(description="What is wrong, and what would be right.")


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    type: str = "about:blank"
    title: str = Field(description="The status in words.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What happened, and what to do.")
    errors: list[Mistake] = Field(
        default_factory=list, description="Everything that is wrong in the request."
    )


class RefusalError(HTTPException):
    """A request that is not done: the status, why, and everything that is wrong with it."""

    def __init__(self, status: HTTPStatus, detail: str, mistakes: Sequence[Mistake] = ()) -> None:
        super().__init__(detail)
        self.code = status.value
        self.mistakes = tuple(mistakes)


def refuse_input(mistakes: Sequence[Mistake]) -> RefusalError:
    """The refusal (422) of a request with these mistakes."""
    return RefusalError(
        HTTPStatus.UNPROCESSABLE_ENTITY, "The request cannot be understood; see errors.", mistakes
    )


def list_mistakes(error: ValidationError, prefix: str) -> list[Mistake]:
    """What pydantic found wrong, without the values; `prefix` stands before each place.

    It is `#/` for a body, `?` for parameters.
    """
    found = error.errors(include_input=False, include_url=False)
    return [
        Mistake(
            pointer=(prefix + "/".join(_escape(str(part)) for part in each["loc"]))
            if each["loc"]
            else prefix[0],
            detail=reason_of(each),
        )
        for each in found
    ]


def explain_errors(app: Flask) -> None:
    """Let an application answer every error as problem+json."""

    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> Response:
        status = error.code or 500
        if error.response is not None or status < 400:
            return cast(Response, error.get_response())  # a redirect
        mistakes = error.mistakes if isinstance(error, RefusalError) else ()
        said = error.description or ""
        detail = said if isinstance(error, RefusalError) else _DETAILS.get(status, said)
        response = _answer(status, detail, mistakes)
        for name, value in error.get_headers():
            if name == "Allow":
                response.headers[name] = value
        if status == HTTPStatus.UNAUTHORIZED:
            response.headers["WWW-Authenticate"] = 'Bearer realm="calfeed"'
        return response

    @app.errorhandler(NotFoundError)
    def absent(error: NotFoundError) -> Response:
        return _answer(404, str(error))

    @app.errorhandler(SealError)
    def sealed(error: SealError) -> Response:
        return _answer(409, str(error))

    @app.errorhandler(ConflictError)
    def conflicting(error: ConflictError) -> Response:
        return _answer(409, str(error))

    @app.errorhandler(ForbiddenError)
    def forbidden(error: ForbiddenError) -> Response:
        return _answer(403, str(error))

    @app.errorhandler(InvalidInputError)
    def invalid(error: InvalidInputError) -> Response:
        return _answer(422, str(error))

    @app.errorhandler(InvalidFieldsError)
    def mistaken(error: InvalidFieldsError) -> Response:
        mistakes = [Mistake(pointer=f"#/{one.place}", detail=one.message) for one in error.faults]
        return refused(refuse_input(mistakes))

    @app.errorhandler(StoreError)
    def stuck(error: StoreError) -> Response:
        _log.error("%s", error)
        response = _answer(503, "The database does not answer; try again in a few seconds.")
        response.headers["Retry-After"] = "5"
        return response


def _answer(status: int, detail: str, mistakes: Sequence[Mistake] = ()) -> Response:
    problem = Problem(
        title=HTTPStatus(status).phrase, status=status, detail=detail, errors=list(mistakes)
    )
    return Response(problem.model_dump_json(), status, content_type=PROBLEM)


def _escape(part: str) -> str:
    """A part of a JSON pointer (RFC 6901, 3)."""
    return part.replace("~", "~0").replace("/", "~1")
