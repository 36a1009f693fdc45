"""Write definitions as readable YAML."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import yaml

# Texts that YAML 1.2 or parsers other than PyYAML would read as numbers or booleans.
_AMBIGUOUS_SCALAR = re.compile(
    r"[-+]?(\d[\d_]*)?\.?\d+([eE][-+]?\d+)?|0[ox][\da-fA-F]+|[yYnN]|\d+(:\d\d)+(\.\d+)?"
)
_MAX_LINE_WIDTH = 1 << 20  # longer than any line, so texts are not wrapped
# A fast path for texts that need no quotes, because PyYAML examines each character slowly.
_PLAIN = re.compile(
    r"[^\W\d_][\w()./,;!?&'+=%@-]*(?: [\w()./+][\w()./,;!?&'+=%@-]*)*"  # words
    r"|\d{4}-\d\d-\d\d \d\d:\d\d"  # a moment
    r"|[a-zA-Z\d][\w./-]*@[\w.-]*[a-zA-Z]|[a-f\d]{8}(?:-[a-f\d]{4}){3}-[a-f\d]{12}"  # UIDs
)
_WORDS = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}


class _Dumper(yaml.SafeDumper):
    """PyYAML's dumper, which unlike libyaml's does not escape emoji."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else "'" if _AMBIGUOUS_SCALAR.fullmatch(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)


def write_definition(definition: Mapping[str, Any], comment: str) -> bytes:
    """Write a definition as YAML, keeping the order of keys; `comment` is the first line.

    Texts of several lines are block scalars; ambiguous texts are quoted.
    """
    line = " ".join("".join(char if char.isprintable() else " " for char in comment).split())
    return "\n".join([f"# {line}", *_map_lines(definition), ""]).encode()


def _map_lines(node: Mapping[Any, Any]) -> Iterator[str]:
    """Yield the lines of a map in block style, without indentation."""
    for key, value in node.items():
        if isinstance(value, Mapping | list) and value:
            yield f"{_scalar(key)}:"
            lines = _map_lines(value) if isinstance(value, Mapping) else _list_lines(value)
            yield from _indented(lines)
        else:
            first, *others = _scalar(value).split("\n")
            yield f"{_scalar(key)}: {first}"
            yield from others


def _list_lines(node: list[Any]) -> Iterator[str]:
    for item in node:
        if isinstance(item, Mapping) and item:
            lines = _map_lines(item)
            yield f"- {next(lines)}"
            yield from _indented(lines)
        else:
            first, *others = _scalar(item).split("\n")
            yield f"- {first}"
            yield from others


def _indented(lines: Iterator[str]) -> Iterator[str]:
    return (f"  {line}" if line else line for line in lines)


def _scalar(value: Any) -> str:
    """Write a scalar or an empty collection as the value of a key."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    text: str = yaml.dump({"k": value}, Dumper=_Dumper, allow_unicode=True, width=_MAX_LINE_WIDTH)
    return text.removeprefix("k: ").removesuffix("\n")
