"""Keys about dates: reminders, working days, met and waived deadlines, corrections."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Self

from pydantic import (
    BeforeValidator,
    Field,
    GetJsonSchemaHandler,
    WithJsonSchema,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from calfeed.definitions.formats.distances import Distance, parse_distance
from calfeed.definitions.formats.scalars import (
    SCALAR,
    SPAN_SCHEMA,
    Clock,
    Day,
    Literal,
    parse_weekday,
    scalar,
    to_lowercase,
)
from calfeed.definitions.hints.keys import known_word
from calfeed.definitions.keys.entries import Entry, Line
from calfeed.model.dates.dating import Outcome
from calfeed.model.dates.holiday_library import check_region
from calfeed.model.dates.offsets import WEEKDAYS, Roll
from calfeed.model.texts import shortened

MAX_DAYS = 1_000
"""The maximum number of days in `closed`, and in `open`."""


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _list_schema(item: dict[str, object]) -> dict[str, object]:
    """Return the schema of a list; a single item may be written without the list."""
    return {"anyOf": [item, {"type": "array", "items": item}]}


RollWord = Annotated[Roll, BeforeValidator(to_lowercase)]
_Outcome = Annotated[Outcome, BeforeValidator(to_lowercase)]
_Regions = Annotated[
    list[Annotated[str, scalar(check_region)]],
    BeforeValidator(_as_list),
    WithJsonSchema(_list_schema({"type": "string"})),
]
_Weekdays = Annotated[
    list[Annotated[int, scalar(parse_weekday)]],
    BeforeValidator(_as_list),
    WithJsonSchema(_list_schema({"type": "string", "enum": list(WEEKDAYS)})),
]
_Distance = Annotated[Distance, scalar(parse_distance), WithJsonSchema(SPAN_SCHEMA)]


class ReminderEntry(Entry):
    """How long before an event a reminder is sent; "1 week" is short for {before: 1 week}."""

    before: _Distance = Field(
        description="How long before the start (years, months, weeks, days, hours, minutes), "
        'or "3 working days", "on the day", "1 hour before the end"'
    )
    at: Clock | None = Field(
        None, description='At what time of day, in the event\'s time zone, as "09:00"'
    )

    @model_validator(mode="before")
    @classmethod
    def _read_short_form(cls, value: object) -> object:
        return {"before": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _check_time_of_day(self) -> Self:
        if self.at is not None and not self.before.on_calendar:
            raise ValueError(
                f'"at" can be combined only with days, weeks, months and years, not with '
                f'"{self.before}"; remove "at", or write "before: 1 day"'
            )
        return self

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"anyOf": [SPAN_SCHEMA, handler.resolve_ref_schema(handler(core_schema))]}


class _ShortEntry(Entry):
    """A map that may be written as a text alone."""

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"anyOf": [SCALAR, handler.resolve_ref_schema(handler(core_schema))]}


class ClosureEntry(_ShortEntry):
    """A closed day in addition to weekends and holidays; a date alone is short for {date: ...}."""

    date: Day = Field(description="The day, as 2030-12-31")
    title: Line | None = Field(None, description="The reason, in one line, or a map of languages")

    @model_validator(mode="before")
    @classmethod
    def _read_short_form(cls, value: object) -> object:
        return {"date": value} if isinstance(value, str) else value


class WorkingDaysEntry(Entry):
    """Which days are working days."""

    holidays: _Regions | None = Field(
        None,
        max_length=20,
        description="Countries, or parts of them, whose holidays do not count: PK, GB-SCT",
    )
    weekend: _Weekdays | None = Field(
        None, max_length=6, description="The days of the weekend; default: those of the countries"
    )
    closed: list[ClosureEntry] | None = Field(
        None, max_length=MAX_DAYS, description="Additional days that do not count: {date, title}"
    )
    open: list[Day] | None = Field(
        None, max_length=MAX_DAYS, description="Days that count although they normally would not"
    )

    @model_validator(mode="after")
    def _check_days(self) -> Self:
        closed: set[date] = {closure.date for closure in self.closed or ()}
        if both := closed & set(self.open or ()):
            raise ValueError(f"{min(both)} is both closed and open; keep one")
        return self


class DoneEntry(_ShortEntry):
    """Whether a deadline was met or waived; "met", "waived" or a day alone is short for a map."""

    date: Day | None = Field(None, description="The day on which that happened, as 2030-06-12")
    as_: _Outcome = Field(Outcome.MET, alias="as", description="met (the default) or waived")

    @model_validator(mode="before")
    @classmethod
    def _read_short_form(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        if value.strip().lower() in [*Outcome]:
            return {"as": value}
        if any(character.isdigit() for character in value):
            return {"date": value}
        word = known_word(value, Outcome)
        hint = f' (perhaps "{word}")' if word else ""
        raise ValueError(
            f'must be met, waived or a day such as 2030-06-12, not "{shortened(value)}"{hint}'
        )


class CorrectionEntry(_ShortEntry):
    """A wrong date that was published; the date alone is short for {was: ...}."""

    was: Literal = Field(description="The wrong date, as it was published")

    @model_validator(mode="before")
    @classmethod
    def _read_short_form(cls, value: object) -> object:
        return {"was": value} if isinstance(value, str) else value
