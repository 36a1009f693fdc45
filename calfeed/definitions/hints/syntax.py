"""Explain YAML syntax errors: the line with the mistake, and the fix.

libyaml reads ahead and often reports the line after the mistake. Each rule below looks for one
kind of mistake in the lines around the reported position.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import yaml

from calfeed.counting import count
from calfeed.definitions.hints.tables import describe_table, find_table
from calfeed.definitions.hints.yaml_pitfalls import quoted, split_lines
from calfeed.model.texts import shortened

Diagnosis: TypeAlias = tuple[int, int, str]
"""A line and a column, counted from 1, and an error message."""

_ENTRY = re.compile(r"(?P<indent> *)(?P<dashes>(?:- +)*)(?P<key>[^\s:'\"#][^:]*?) *:(?: +|$)")
_CONFLICT = re.compile(r"(?:<{7}|>{7}) |={7}$")
_MAX_LINE_LENGTH = 1_000
"""The most characters of a line that are examined."""
_INVISIBLE = re.compile(
    "(?: *(?:[^\\s:]+:)? *)([\xa0\u1680\u2000-\u200f\u202f\u205f\u2060\u3000\ufeff])"
)
_OPENING, _CLOSING = "“„‟”«‹‘‚’`´", "”“‟»›’‘`´"
_HINTS = {
    "cannot start any token": "put quotes around a text that begins with @, ` or %",
    "did not find expected": "look for a missing quote, bracket or comma, or for lines that are "
    "not indented alike",
    "could not find expected ':'": 'write "key: value"; a text over several lines needs quotes, '
    "or | after the key",
    "mapping values are not allowed": 'write "key: value"; a text with ": " in it needs quotes',
}


@dataclass(frozen=True)
class _Context:
    """The lines of a file and libyaml's error; `line` and `column` count from 0.

    `opened` is the position of the unfinished construct.
    """

    lines: Sequence[str]
    error_text: str
    line: int
    column: int
    opened: tuple[int, int]

    @property
    def text(self) -> str:
        return self.lines[self.line] if self.line < len(self.lines) else ""

    @property
    def above(self) -> int:
        """The nearest line above that is neither empty nor a comment, else -1."""
        line = self.line - 1
        while line >= 0 and not self.lines[line].split("#")[0].strip():
            line -= 1
        return line


def explain_syntax(text: str, error: yaml.MarkedYAMLError) -> Diagnosis:
    """Find the position and the cause of a syntax error."""
    lines = [line[:_MAX_LINE_LENGTH] for line in split_lines(text)]
    mark = error.problem_mark or error.context_mark
    opened = error.context_mark or mark
    words = " ".join(str(part) for part in (error.context, error.problem) if part)
    if mark is None or opened is None:
        return 1, 1, f"is not YAML: {words}"
    context = _Context(lines, words, mark.line, mark.column, (opened.line, opened.column))
    found = next(filter(None, (rule(context) for rule in _RULES)), None)
    if found is not None:
        return found
    hint = next((f"; {hint}" for sign, hint in _HINTS.items() if sign in words), "")
    return mark.line + 1, mark.column + 1, f"is not YAML: {words}{hint}"


def _find_conflict(context: _Context) -> Diagnosis | None:
    """Find the first merge conflict marker of git."""
    for number, line in enumerate(context.lines):
        if _CONFLICT.match(line):
            message = "this is a merge conflict of git; resolve it, and remove the lines with <<<,"
            return number + 1, 1, f"{message} === and >>>"
    return None


def _find_open_quote(context: _Context) -> Diagnosis | None:
    message = "the quote that opens here is not closed; write one at the end"
    if "quoted scalar" in context.error_text and "escape" not in context.error_text:
        return context.opened[0] + 1, context.opened[1] + 1, message
    for line in range(context.opened[0], context.line):
        entry = _ENTRY.match(context.lines[line])
        value = context.lines[line][entry.end() :] if entry else ""
        # libyaml took a quote in the reported line as the end of the text that begins here.
        if value[:1] in ('"', "'") and value.count(value[0]) == 1 and value[0] in context.text:
            return line + 1, len(context.lines[line]) - len(value) + 1, message
    return None


def _find_open_bracket(context: _Context) -> Diagnosis | None:
    if "parsing a flow" not in context.error_text:
        return None
    line, column = context.opened
    if line >= context.line:
        line = context.above
        column = max(context.lines[line].rfind("["), context.lines[line].rfind("{"))
    if "flow node" in context.error_text and "#" not in context.lines[line][max(column, 0) :]:
        return None
    if line < 0 or column < 0 or context.lines[line][column] not in "[{":
        return None
    message = f"the {context.lines[line][column]} that opens here is not closed"
    if found := re.search(r"(?<=[\[{,\s])#[^\s#].*", context.lines[line][column:]):
        comment = shortened(found[0])
        message += f', as "{comment}" is a comment in YAML; put quotes around each text with a #'
    return line + 1, column + 1, message


def _find_invisible(context: _Context) -> Diagnosis | None:
    """Find an invisible or space-like character where YAML needs a plain space."""
    for line in sorted({context.opened[0], max(context.above, 0), context.line}):
        found = _INVISIBLE.match(context.lines[line]) if line < len(context.lines) else None
        if found is not None:
            character = found[1]
            name = unicodedata.name(character, "")
            message = (
                f"has the invisible character U+{ord(character):04X} ({name}) where YAML needs a "
                "plain space; type a space instead"
            )
            return line + 1, found.start(1) + 1, message
    return None


def _find_tab(context: _Context) -> Diagnosis | None:
    for line in sorted({context.line, context.opened[0]}):
        text = context.lines[line] if line < len(context.lines) else ""
        blank = text[: len(text) - len(text.lstrip())]
        if "\t" in blank and not find_table(context.lines, line):
            message = "is indented with a tab; YAML allows only spaces, use two for each level"
            return line + 1, blank.index("\t") + 1, message
    return None


def _find_table(context: _Context) -> Diagnosis | None:
    for line in (context.opened[0], context.line, context.above):
        if table := find_table(context.lines, line):
            return table.line + 1, table.column + 1, describe_table(table)
    return None


def _find_unquoted(context: _Context) -> Diagnosis | None:
    """Find an unquoted value that needs quotes, in the reported line or where it was opened."""
    for line in (context.line, context.opened[0]):
        text = context.lines[line] if line < len(context.lines) else ""
        entry = _ENTRY.match(text)
        if entry is None or not text[entry.end() :].strip():
            continue
        value = text[entry.end() :].strip()
        if reason := _needs_quotes(value, context, line):
            column = entry.end() + 1
            if value[0] in "\"'" and value[-1] == value[0]:
                value = value[1:-1]
            fixed = f"{entry['key']}: {quoted(value.strip(_OPENING + _CLOSING))}"
            return line + 1, column, f"{reason}; write {shortened(fixed, 120)}"
    return None


def _needs_quotes(value: str, context: _Context, line: int) -> str:
    first = value[0]
    if first in _OPENING and (": " in value or line == context.line):
        return f"{first} is not a quote in YAML, which uses only \" and '"
    if first in "@`%":
        return f"a text that begins with {first} needs quotes around it"
    if first in ">|" and "block scalar" in context.error_text:
        return f"a text that begins with {first} needs quotes around it"
    if first in "[{" and line == context.line and re.search(r"[\]}]\s*[^\s,\]}#]", value):
        return f"a text that begins with {first} needs quotes around it"
    if first in "\"'" and line == context.line and re.search(rf"{first}\s*[^\s#,\]}}]", value[1:]):
        return "the text goes on after its closing quote; put quotes around all of it"
    if first in "-?" and line == context.line and "are not allowed" in context.error_text:
        return f"a text that begins with {first} needs quotes around it"
    if first in "*&!" and f"scanning a{'n' if first != '!' else ''} " in context.error_text:
        return f"a text that begins with {first} needs quotes around it"
    if line == context.line and "mapping values" in context.error_text:
        colon = context.column - (len(context.text) - len(context.text.lstrip()))
        if colon > 0 and context.column > context.text.find(value):
            return 'a text with ": " in it needs quotes around it'
    return ""


def _find_missing_colon(context: _Context) -> Diagnosis | None:
    """Find a key without a colon, or without the space after the colon."""
    if "mapping values" in context.error_text:
        line = context.above
    elif "could not find expected ':'" in context.error_text:
        line = context.opened[0]
    else:
        return None
    text = context.lines[line] if 0 <= line < len(context.lines) else ""
    content = text.split(" #")[0].strip()
    if not content or _ENTRY.match(text) or content[0] in "[{\"'":
        return None
    column = len(text) - len(text.lstrip()) + 1
    if spaceless := re.match(r"(?:- )?([A-Za-z_-]+):(\S.*)", content):
        message = f'a space is missing after the colon; write "{spaceless[1]}: {spaceless[2]}"'
        return line + 1, column, shortened(message, 160)
    below = context.lines[context.line] if context.line < len(context.lines) else ""
    deeper = context.line > line and len(below) - len(below.lstrip()) >= column
    words = re.match(r"(?:- )?([a-z_]+)\s*(?:[=：\-–—>]+\s*|\s+)(\S.*)", content)
    fixed = f"{words[1]}: {words[2]}" if words and not deeper else f"{content.rstrip('：=')}:"
    message = f'a colon is missing in "{shortened(content)}"; write "{shortened(fixed)}"'
    return line + 1, column, message


def _find_indentation(context: _Context) -> Diagnosis | None:
    """Find a key with a wrong indentation."""
    entry = _ENTRY.match(context.text)
    if entry is None or context.column not in (
        entry.start("key"),
        entry.end("key"),
        len(entry["indent"]),
    ):
        return None
    indent, above = len(entry["indent"]), context.above
    before = _ENTRY.match(context.lines[above]) if above >= 0 else None
    levels = list(_levels(context.lines, context.line))
    if before is not None and "mapping values" in context.error_text:
        right = before.start("key")
    elif "did not find expected" in context.error_text and indent not in levels and levels:
        # Halfway between two levels, a key with a value belongs to the inner map. A key without a
        # value opens a map, so it belongs to the outer one.
        opens = not context.text[entry.end() :].strip()
        right = min(levels, key=lambda level: (abs(level - indent), level if opens else -level))
    else:
        return None
    message = (
        f'"{shortened(entry["key"])}" is indented by {count(indent, "space")}, '
        f"the keys beside it by {count(right, 'space')}; indent it by {right}"
    )
    return context.line + 1, indent + 1, message


def _levels(lines: Sequence[str], line: int) -> Iterator[int]:
    """Yield the indentations of the maps that are open at a line, the innermost first."""
    limit = 10_000
    for text in reversed(lines[:line]):
        entry = _ENTRY.match(text)
        if entry is not None and entry.start("key") < limit:
            limit = entry.start("key")
            yield limit


_RULES: tuple[Callable[[_Context], Diagnosis | None], ...] = (
    _find_conflict,
    _find_open_quote,
    _find_open_bracket,
    _find_invisible,
    _find_table,
    _find_tab,
    _find_unquoted,
    _find_missing_colon,
    _find_indentation,
)
