"""A definition as YAML text that people like to read and edit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import yaml

# What YAML 1.2, or a reader less strict than PyYAML, would take for a number or a boolean.
_GUESSED = re.compile(
    r"[-+]?(\d[\d_]*)?\.?\d+([eE][-+]?\d+)?|0[ox][\da-fA-F]+|[yYnN]|\d+(:\d\d)+(\.\d+)?"
)
_UNFOLDED = 1 << 20  # longer than any line: a text stays in one
# What can only be plain. PyYAML looks at each character, which takes most of a large import.
_PLAIN = re.compile(
    r"[^\W\d_][\w()./,;!?&'+=%@-]*(?: [\w()./+][\w()./,;!?&'+=%@-]*)*"  # words
    r"|\d{4}-\d\d-\d\d \d\d:\d\d"  # a moment
    r"|[a-zA-Z\d][\w./-]*@[\w.-]*[a-zA-Z]|[a-f\d]{8}(?:-[a-f\d]{4}){3}-[a-f\d]{12}"  # UIDs
)
_WORDS = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}


class _Dumper(yaml.SafeDumper):
    """PyYAML's own, which unlike libyaml's writes emoji as they are."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else "'" if _GUESSED.fullmatch(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)


def write_definition(definition: Mapping[str, Any], comment: str) -> bytes:
    """The YAML text of a definition, in the order of its keys; `comment` is its first line.

    Texts of several lines are blocks; what YAML would take for something else is quoted.
    """
    line = " ".join("".join(each if each.isprintable() else " " for each in comment).split())
    return "\n".join([f"# {line}", *_map_lines(definition), ""]).encode()


def _map_lines(node: Mapping[Any, Any]) -> Iterator[str]:
    """The lines of a map in block style, not indented."""
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
    """A scalar, or an empty collection, as it stands after a key; a block goes on indented."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    text: str = yaml.dump({"k": value}, Dumper=_Dumper, allow_unicode=True, width=_UNFOLDED)
    return text.removeprefix("k: ").removesuffix("\n")
