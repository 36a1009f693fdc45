"""The field types of requests, with validation."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)

from calfeed.delivery.transport.guard import check_url
from calfeed.errors import InvalidInputError
from calfeed.reminders.endpoint_values import MAX_LINE, POLLED
from calfeed.reminders.option_values import Option
from calfeed.reminders.options import OPTIONS, Options
from calfeed.reminders.signing import check_secret

_YEARS = range(1900, 2200)
_MAX_WINDOW = timedelta(days=366)
_BAD_TIME = "write a date such as 2025-06-30, or a time with an offset such as 2025-06-30T09:00:00Z"


def _checked(check: Callable[[str], Any]) -> AfterValidator:
    """Return a validator from a function that raises InvalidInputError."""

    def run(text: str) -> str:
        try:
            check(text)
        except InvalidInputError as error:
            raise ValueError(str(error)) from error
        return text

    return AfterValidator(run)


def _check_url(text: str, info: ValidationInfo) -> str:
    if text == POLLED:
        return text
    try:
        return check_url(text, **(info.context or {}))
    except InvalidInputError as error:
        raise ValueError(str(error)) from error


def _read_moment(text: object) -> datetime:
    if not isinstance(text, str):
        raise ValueError(_BAD_TIME)
    try:
        moment = datetime.fromisoformat(text)
        if len(text) == len("2025-06-30"):
            moment = datetime.combine(date.fromisoformat(text), time(), UTC)
    except ValueError:
        raise ValueError(_BAD_TIME) from None
    if moment.tzinfo is None:
        raise ValueError("a time needs an offset, such as 2025-06-30T09:00:00Z")
    if moment.year not in _YEARS:
        raise ValueError(f"the year must be from {_YEARS[0]} to {_YEARS[-1]}")
    return moment.astimezone(UTC)


Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
"""The name of a calendar or an event."""

Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")]
"""The id of an endpoint, a message or a rehearsal."""

Number = Annotated[int, Field(ge=1, le=2**53)]
"""The number of a delivery or a token."""

Line = Annotated[str, Field(max_length=MAX_LINE, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]

Url = Annotated[
    str,
    Field(min_length=1, max_length=2048, examples=["https://example.org/hooks"]),
    AfterValidator(_check_url),
]

Secret = Annotated[str, Field(max_length=200, examples=["whsec_…"]), _checked(check_secret)]

HeaderName = Annotated[str, Field(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$")]
HeaderValue = Annotated[
    str, Field(pattern=r"^[!-~]([ -~\t]{0,4094}[!-~])?$", examples=["Bearer …"])
]


def option_fields(*, given: bool) -> dict[str, Any]:
    """Return the fields of a model of endpoint options, for requests (`given`) or for responses."""
    fields: dict[str, Any] = {}
    for name, option in OPTIONS.items():
        kind: Any = str if option.maximum is None else int
        default = Options.model_fields[name].default
        if given:
            kind = Annotated[kind, *_list_checks(option)]
        if default is None:
            kind = kind | None
        field = Field(default, description=option.description) if given else ...
        fields[name] = (kind, field)
    return fields


def _list_checks(option: Option) -> list[Any]:
    if option.maximum is not None:
        return [Field(ge=1, le=option.maximum)]
    return [Field(max_length=100, examples=[option.example]), _checked(option.parse)]


Moment = Annotated[
    datetime,
    BeforeValidator(_read_moment),
    WithJsonSchema(
        {
            "type": "string",
            "anyOf": [{"format": "date"}, {"format": "date-time"}],
            "examples": ["2025-06-30", "2025-06-30T09:00:00Z"],
        }
    ),
]
"""A date (its midnight in UTC) or a time with an offset, converted to UTC."""


class Window(BaseModel):
    """A period: `begin <= moment < end`."""

    begin: Moment = Field(alias="from", description="The start: a date, or a time with an offset.")
    end: Moment = Field(
        alias="to",
        description=f"The end, exclusive; at most {_MAX_WINDOW.days} days later.",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not timedelta() < self.end - self.begin <= _MAX_WINDOW:
            raise ValueError(f"`to` must be later than `from`, by at most {_MAX_WINDOW.days} days")
        return self
