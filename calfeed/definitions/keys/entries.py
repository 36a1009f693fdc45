"""Entries: maps in definition files, and their texts in several languages."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, WithJsonSchema

from calfeed.definitions.formats.scalars import SCALAR, describe_type, scalar
from calfeed.model.texts import UNTAGGED, check_language, check_line, check_text


def by_language(value: object) -> object:
    """Return a map by language; a plain string is under `UNTAGGED`. Raises ValueError."""
    if isinstance(value, str):
        return {UNTAGGED: value}
    if not isinstance(value, dict):
        raise ValueError(
            f"must be a text, or a map of languages such as {{en: ..., ur: ...}}, "
            f"not {describe_type(value)}"
        )
    if not value:
        raise ValueError("must not be empty; write a text, or remove the key")
    if len({key.lower() for key in value}) < len(value):
        raise ValueError("has the same language twice; keep one")
    return value


_TEXT_SCHEMA = {
    "anyOf": [SCALAR, {"type": "object", "minProperties": 1, "additionalProperties": SCALAR}]
}
_Language = Annotated[str, AfterValidator(check_language)]

Line = Annotated[
    dict[_Language, Annotated[str, scalar(check_line)]],
    BeforeValidator(by_language),
    WithJsonSchema(_TEXT_SCHEMA),
]
"""A one-line text by language; a plain string is stored under `UNTAGGED`."""
Lines = Annotated[
    dict[_Language, Annotated[str, scalar(check_text)]],
    BeforeValidator(by_language),
    WithJsonSchema(_TEXT_SCHEMA),
]
"""A text by language; a plain string is stored under `UNTAGGED`."""


class Entry(BaseModel):
    """A map in a definition file; unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)
