"""A definition as YAML text that people like to read and edit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

# What YAML 1.2, or a reader less strict than PyYAML, would take for a number or a boolean.
_GUESSED = re.compile(
    r"[-+]?(\d[\d_]*)?\.?\d+([eE][-+]?\d+)?|0[ox][\da-fA-F]+|[yYnN]|\d+(:\d\d)+(\.\d+)?"
)
_UNFOLDED = 1 << 20  # longer than any line: a text stays in one


class _Dumper(yaml.SafeDumper):
    """PyYAML's own, which unlike libyaml's writes emoji as they are."""

    def ignore_aliases(self, data: object) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)  # lists stand to the right of their key


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else "'" if _GUESSED.fullmatch(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)


def write_definition(definition: Mapping[str, Any], comment: str) -> bytes:
    """The YAML text of a definition, in the order of its keys; `comment` is its first line.

    Texts of several lines are blocks; what YAML would take for something else is quoted.
    """
    line = " ".join("".join(each if each.isprintable() else " " for each in comment).split())
    text: str = yaml.dump(
        definition, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_UNFOLDED
    )
    return f"# {line}\n{text}".encode()
