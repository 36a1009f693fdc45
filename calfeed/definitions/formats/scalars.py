"""Scalar types of definition files: parsers and JSON Schemas."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time
from typing import Annotated

from pydantic import PlainValidator, ValidationInfo, WithJsonSchema

from calfeed.definitions.formats import starts
from calfeed.definitions.formats.times import ParsedMoment, parse_clock, parse_day, parse_moment
from calfeed.definitions.formats.zone_names import check_zone
from calfeed.model.dates.durations import Duration, parse_duration
from calfeed.model.dates.offsets import WEEKDAYS
from calfeed.model.details import Position, check_email, check_name, check_position, check_priority
from calfeed.model.texts import check_line, check_url, shortened

SCALAR = {"type": ["string", "number", "boolean"]}
"""The JSON Schema of a text; editors' YAML parsers may read it as a number or boolean."""
URL_SCHEMA = {"type": "string", "pattern": "^[Hh][Tt][Tt][Pp][Ss]?://"}
SPAN_SCHEMA = {"type": "string", "examples": ["1 month", "1 week", "1 day 12 hours"]}

_DATE = r"\d{4}-\d{2}-\d{2}"
_CLOCK = r"\d{2}:\d{2}"
_BOOLEANS = {"true": True, "yes": True, "false": False, "no": False}
_MOMENT_SCHEMA = {
    "type": "string",
    "pattern": rf"^{_DATE}([T ]{_CLOCK}(:\d{{2}})?( ?(Z|[+-]\d{{2}}:?\d{{2}}))?)?$",
}


def scalar(parse: Callable[[str], object]) -> PlainValidator:
    """Return a validator that parses a scalar."""
    return PlainValidator(lambda value: parse(_check_text(value)))


def _dated_scalar(parse: Callable[[str, date | None], object]) -> PlainValidator:
    """Return a validator whose parser also receives the validation context's `today`."""

    def read(value: object, info: ValidationInfo) -> object:
        return parse(_check_text(value), (info.context or {}).get("today"))

    return PlainValidator(read)


def _check_text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"must be a text, not {describe_type(value)}")
    return value


def to_lowercase(value: object) -> object:
    """Return a text in lower case and stripped; other values unchanged."""
    return value.strip().lower() if isinstance(value, str) else value


def describe_type(value: object) -> str:
    """Name the type of a node for an error message."""
    if value is None:
        return "empty"
    return "a map" if isinstance(value, dict) else "a list" if isinstance(value, list) else "a text"


def parse_boolean(text: str) -> bool:
    """Parse true, yes, false or no; raise ValueError for anything else."""
    word = text.strip().lower()
    if word not in _BOOLEANS:
        raise ValueError(f'must be true or false, not "{shortened(text)}"')
    return _BOOLEANS[word]


def parse_weekday(text: str) -> int:
    """Return the number of a weekday by its English name; 0 is Monday. Raises ValueError."""
    name = text.strip().lower()
    if name not in WEEKDAYS:
        raise ValueError(f'must be a day of the week, such as saturday, not "{shortened(text)}"')
    return WEEKDAYS.index(name)


Boolean = Annotated[bool, scalar(parse_boolean), WithJsonSchema({"type": "boolean"})]
Label = Annotated[str, scalar(check_line), WithJsonSchema(SCALAR)]
Name = Annotated[str, scalar(check_name), WithJsonSchema(SCALAR)]
Url = Annotated[str, scalar(check_url), WithJsonSchema(URL_SCHEMA)]
Zone = Annotated[
    str,
    scalar(check_zone),
    WithJsonSchema({"type": "string", "examples": ["Asia/Karachi", "America/New_York", "UTC"]}),
]
Moment = Annotated[ParsedMoment, _dated_scalar(parse_moment), WithJsonSchema(_MOMENT_SCHEMA)]
Day = Annotated[
    date, _dated_scalar(parse_day), WithJsonSchema({"type": "string", "pattern": f"^{_DATE}$"})
]
Clock = Annotated[
    time, scalar(parse_clock), WithJsonSchema({"type": "string", "pattern": f"^{_CLOCK}$"})
]
Start = Annotated[
    starts.Start,
    _dated_scalar(starts.parse_start),
    WithJsonSchema({"type": ["string", "number"], "minLength": 4}),
]
Literal = Annotated[
    ParsedMoment | starts.UncertainDate,
    _dated_scalar(starts.parse_literal),
    WithJsonSchema({"type": ["string", "number"], "minLength": 4}),
]
"""A moment or an uncertain date."""
Span = Annotated[Duration, scalar(parse_duration), WithJsonSchema(SPAN_SCHEMA)]
Degrees = Annotated[
    Position,
    scalar(check_position),
    WithJsonSchema({"type": "string", "examples": ["24.8607, 67.0011"]}),
]
Email = Annotated[
    str,
    scalar(check_email),
    WithJsonSchema({"type": "string", "examples": ["desk@example.org"]}),
]
Priority = Annotated[
    int, scalar(check_priority), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 9})
]
