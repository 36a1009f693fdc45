"""JSON Schemas (2020-12) of the messages, generated from the models of the registry.

Published schemas allow unknown keys, because new keys may be added to messages. Strict ones, for
tests, do not.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Literal

from pydantic import BaseModel, Field, create_model
from pydantic.json_schema import models_json_schema

from calfeed.reminders.contract.dates import TimeText
from calfeed.reminders.contract.registry import TYPES, MessageType

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_DEFINITION = "#/$defs/{model}"


@cache
def make_message_schema(name: str, *, strict: bool = False) -> dict[str, Any]:
    """Return the schema of the messages of one type, which callers must not change.

    Raises KeyError for an unknown type.
    """
    definitions = make_definitions([name], strict=strict)
    message = definitions.pop(class_name(name))
    return {"$schema": DIALECT, "title": class_name(name), **message, "$defs": definitions}


@cache
def make_messages_schema() -> dict[str, Any]:
    """Return the schema of a message of any known type, which callers must not change."""
    return {
        "$schema": DIALECT,
        "title": "Message",
        "description": "A message of one of the known types. Accept unknown types too: more may "
        "be added.",
        "oneOf": [{"$ref": _DEFINITION.format(model=class_name(name))} for name in TYPES],
        "$defs": make_definitions(TYPES),
    }


def make_definitions(
    names: Iterable[str], template: str = _DEFINITION, *, strict: bool = False
) -> dict[str, Any]:
    """Return the schemas of these types and of their parts, by class name.

    `template` is the reference from one schema to another, with `{model}` for a class name.
    """
    models: list[tuple[type[BaseModel], Literal["validation"]]] = [
        (_model(TYPES[name]), "validation") for name in names
    ]
    _, found = models_json_schema(models, ref_template=template)
    definitions: dict[str, Any] = _tidy(found["$defs"], strict)
    for name in names:
        definitions[class_name(name)]["examples"] = [show_example(name)]
    return definitions


def class_name(name: str) -> str:
    """Return the name of a type as the name of a class: `event.date_open` is `EventDateOpen`."""
    return "".join(word.capitalize() for word in name.replace("_", ".").split("."))


@cache
def _example(name: str) -> bytes:
    return TYPES[name].example().body


def show_example(name: str) -> dict[str, Any]:
    """Return the example of a type as JSON values."""
    body: dict[str, Any] = json.loads(_example(name))
    return body


@cache
def _model(listed: MessageType) -> type[BaseModel]:
    rehearsal: Any = (
        Literal[True] | None,
        Field(None, description="Present if the message is part of a rehearsal: do not act on it."),
    )
    fields: dict[str, Any] = {
        "type": (Literal[listed.name], ...),
        "timestamp": (TimeText, Field(description="When the message was made (UTC).")),
        **({"rehearsal": rehearsal} if listed.rehearsable else {}),
        "data": (listed.data, ...),
    }
    model: type[BaseModel] = create_model(
        class_name(listed.name), __doc__=f"Sent when {listed.sent_when}.", **fields
    )
    return model


def _tidy(schema: Any, strict: bool) -> Any:
    """Remove what pydantic adds for its own use, and null where a key is left out instead."""
    if isinstance(schema, list):
        return [_tidy(item, strict) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    tidied = {key: _tidy(value, strict) for key, value in schema.items()}
    # The keyword `title` has a text; a property named `title` has a schema.
    if isinstance(tidied.get("title"), str):
        del tidied["title"]
    if "default" in tidied and tidied["default"] is None:
        del tidied["default"]
        kinds = [kind for kind in tidied.pop("anyOf") if kind != {"type": "null"}]
        tidied = {**(kinds[0] if len(kinds) == 1 else {"anyOf": kinds}), **tidied}
    if isinstance(tidied.get("properties"), Mapping):
        tidied.pop("additionalProperties", None)
        if strict:
            tidied["additionalProperties"] = False
    return tidied
