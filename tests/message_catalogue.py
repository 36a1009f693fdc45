"""The tables of docs/messages.md, made from the registry of message types.

`python -m tests.message_catalogue` writes them anew.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from calfeed.reminders.contract.registry import TYPES, MessageType
from calfeed.reminders.contract.schemas import (
    class_name,
    make_definitions,
    make_message_schema,
    show_example,
)
from tests.docs_pages import DOCS

PAGE = DOCS / "messages.md"

_MARK = "<!-- types: `python -m tests.message_catalogue` -->\n\n"


def write_page(text: str) -> str:
    """The page's text with everything after the mark written anew."""
    head, mark, _ = text.partition(_MARK)
    if not mark:
        raise ValueError("the page has no place for the types of messages")
    types = "\n".join(
        f"| [`{name}`](#{_anchor(name)}) | {listed.sent_when} |" for name, listed in TYPES.items()
    )
    sections = "\n".join(_write_type(listed) for listed in TYPES.values())
    parts = "\n".join(_write_parts())
    return (
        f"{head}{mark}| Type | Sent when |\n|---|---|\n{types}\n\n{sections}\n"
        f"## Parts of messages\n\n{parts}"
    )


def _write_type(listed: MessageType) -> str:
    schema = make_message_schema(listed.name)
    data = schema["$defs"][listed.data.__name__]
    facts = [
        f"Sent when {listed.sent_when}.",
        "A filter can name it."
        if listed.filterable
        else "Filters cannot name it: it is sent regardless of them.",
    ]
    if listed.rehearsable:
        facts.append('In a rehearsal it has `"rehearsal": true` beside `type`: do not act on it.')
    example = json.dumps(show_example(listed.name), indent=2, ensure_ascii=False)
    return (
        f"## {listed.name}\n\n{' '.join(facts)} Schema: "
        f"`/api/v1/message-types/{listed.name}/schema.json`.\n\n"
        f"{_write_keys(data, 'data.')}\n```json\n{example}\n```\n"
    )


def _write_parts() -> Iterator[str]:
    """A table for each object or list of values that messages refer to."""
    shown = {listed.data.__name__ for listed in TYPES.values()} | set(map(class_name, TYPES))
    definitions = make_definitions(TYPES)
    for name, schema in sorted(definitions.items()):
        if name in shown:
            continue
        yield f"### {name}\n\n{schema.get('description', '')}\n"
        if "enum" in schema:
            yield "One of " + ", ".join(f"`{value}`" for value in schema["enum"]) + ".\n"
        else:
            yield _write_keys(schema, "")


def _write_keys(schema: dict[str, Any], prefix: str) -> str:
    rows = [
        f"| `{prefix}{key}` | {_write_type_of(value)} | "
        f"{'always' if key in schema['required'] else ''} | {value.get('description', '')} |"
        for key, value in schema["properties"].items()
    ]
    return "\n".join(["| Key | Value | Present | Meaning |", "|---|---|---|---|", *rows, ""])


def _write_type_of(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/$defs/")
        known = any(name == listed.data.__name__ for listed in TYPES.values())
        return "objects like `data` of `reminder.due`" if known else f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(_write_type_of(kind) for kind in schema["anyOf"])
    if schema["type"] == "array":
        return f"list of {_write_type_of(schema['items'])}"
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    return str(schema.get("format", schema["type"])).replace("date-time", "time")


def _anchor(name: str) -> str:
    return name.replace(".", "")


if __name__ == "__main__":
    PAGE.write_text(write_page(PAGE.read_text("utf-8")), "utf-8")
