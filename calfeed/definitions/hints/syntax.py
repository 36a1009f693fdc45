"""Why a file is not YAML: the line that is wrong, and what to write there.

libyaml reads ahead, so it often blames the line after the one with the slip. The lines themselves
tell more: each rule below looks for one kind of slip around the place that libyaml names.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import yaml

from calfeed.counting import count
from calfeed.definitions.hints.slips import quoted, split_lines
from calfeed.definitions.hints.tables import describe_table, find_table
from calfeed.model.texts import shortened

Found: TypeAlias = tuple[int, int, str]
"""A line and a column, counted from 1, and what is wrong there."""

_ENTRY = re.compile(r"(?P<indent> *)(?P<dashes>(?:- +)*)(?P<key>[^\s:'\"#][^:]*?) *:(?: +|$)")
_LIST_ITEM = re.compile(r" *- ")
_CONFLICT = re.compile(r"(?:<{7}|>{7}) |={7}$")
_LONGEST = 1_000
"""How much of a line is looked at."""
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
class _Place:
    """What libyaml says, and the lines of the file; `line` and `column` count from 0.

    `opened` is where it began to read what it could not end.
    """

    lines: Sequence[str]
    words: str
    line: int
    column: int
    opened: tuple[int, int]

    @property
    def text(self) -> str:
        return self.lines[self.line] if self.line < len(self.lines) else ""

    @property
    def above(self) -> int:
        """The nearest line above that is neither empty nor a comment; -1 where there is none."""
        line = self.line - 1
        while line >= 0 and not self.lines[line].split("#")[0].strip():
            line -= 1
        return line


def explain_syntax(text: str, error: yaml.MarkedYAMLError) -> Found:
    """The place and the cause of a syntax error in a file's text."""
    lines = [line[:_LONGEST] for line in split_lines(text)]
    mark = error.problem_mark or error.context_mark
    opened = error.context_mark or mark
    words = " ".join(str(part) for part in (error.context, error.problem) if part)
    if mark is None or opened is None:
        return 1, 1, f"is not YAML: {words}"
    place = _Place(lines, words, mark.line, mark.column, (opened.line, opened.column))
    found = next(filter(None, (rule(place) for rule in _RULES)), None)
    if found is not None:
        return found
    hint = next((f"; {hint}" for sign, hint in _HINTS.items() if sign in words), "")
    return mark.line + 1, mark.column + 1, f"is not YAML: {words}{hint}"


def _find_conflict(place: _Place) -> Found | None:
    """The first mark that git leaves where two versions of a file could not be joined."""
    for number, line in enumerate(place.lines):
        if _CONFLICT.match(line):
            message = (
                "two versions of this file meet here, marked by git; keep what is right of each"
            )
            return number + 1, 1, f"{message}, and remove the lines with <<<, === and >>>"
    return None


def _find_open_quote(place: _Place) -> Found | None:
    message = "the quote that opens here is not closed; write one at the end"
    if "quoted scalar" in place.words and "escape" not in place.words:
        return place.opened[0] + 1, place.opened[1] + 1, message
    for line in range(place.opened[0], place.line):
        entry = _ENTRY.match(place.lines[line])
        value = place.lines[line][entry.end() :] if entry else ""
        # One that is not closed on its line was closed by a quote of the line libyaml names.
        if value[:1] in ('"', "'") and value.count(value[0]) == 1 and value[0] in place.text:
            return line + 1, len(place.lines[line]) - len(value) + 1, message
    return None


def _find_open_bracket(place: _Place) -> Found | None:
    if "parsing a flow" not in place.words:
        return None
    line, column = place.opened
    if line >= place.line:
        line = place.above
        column = max(place.lines[line].rfind("["), place.lines[line].rfind("{"))
    if "flow node" in place.words and "#" not in place.lines[line][max(column, 0) :]:
        return None
    if line < 0 or column < 0 or place.lines[line][column] not in "[{":
        return None
    message = f"the {place.lines[line][column]} that opens here is not closed"
    if found := re.search(r"(?<=[\[{,\s])#[^\s#].*", place.lines[line][column:]):
        comment = shortened(found[0])
        message += f', as "{comment}" is a comment to YAML; put quotes around each text with a #'
    return line + 1, column + 1, message


def _find_invisible(place: _Place) -> Found | None:
    """A character that looks like a space, or like nothing, where YAML needs a plain space."""
    for line in sorted({place.opened[0], max(place.above, 0), place.line}):
        found = _INVISIBLE.match(place.lines[line]) if line < len(place.lines) else None
        if found is not None:
            character = found[1]
            name = unicodedata.name(character, "")
            message = (
                f"has the invisible character U+{ord(character):04X} ({name}) where YAML needs a "
                "plain space; type a space instead"
            )
            return line + 1, found.start(1) + 1, message
    return None


def _find_tab(place: _Place) -> Found | None:
    for line in sorted({place.line, place.opened[0]}):
        text = place.lines[line] if line < len(place.lines) else ""
        blank = text[: len(text) - len(text.lstrip())]
        if "\t" in blank and not find_table(place.lines, line):
            message = "is indented with a tab; YAML takes spaces alone, two for each level"
            return line + 1, blank.index("\t") + 1, message
    return None


def _find_table(place: _Place) -> Found | None:
    for line in (place.opened[0], place.line, place.above):
        if table := find_table(place.lines, line):
            return table.line + 1, table.column + 1, describe_table(table)
    return None


def _find_unquoted(place: _Place) -> Found | None:
    """A value that needs quotes, in the line named or in the one above it."""
    for line in (place.line, place.opened[0]):
        text = place.lines[line] if line < len(place.lines) else ""
        entry = _ENTRY.match(text)
        if entry is None or not text[entry.end() :].strip():
            continue
        value = text[entry.end() :].strip()
        if reason := _needs_quotes(value, place, line):
            column = entry.end() + 1
            if value[0] in "\"'" and value[-1] == value[0]:
                value = value[1:-1]
            right = f"{entry['key']}: {quoted(value.strip(_OPENING + _CLOSING))}"
            return line + 1, column, f"{reason}; write {shortened(right, 120)}"
    return None


def _needs_quotes(value: str, place: _Place, line: int) -> str:
    first = value[0]
    if first in _OPENING and (": " in value or line == place.line):
        return f"{first} is not a quote to YAML, which has \" and ' alone"
    if first in "@`%":
        return f"a text that begins with {first} needs quotes around it"
    if first in ">|" and "block scalar" in place.words:
        return f"a text that begins with {first} needs quotes around it"
    if first in "[{" and line == place.line and re.search(r"[\]}]\s*[^\s,\]}#]", value):
        return f"a text that begins with {first} needs quotes around it"
    if first in "\"'" and line == place.line and re.search(rf"{first}\s*[^\s#,\]}}]", value[1:]):
        return "the text goes on after its closing quote; put quotes around all of it"
    if first in "-?" and line == place.line and "are not allowed" in place.words:
        return f"a text that begins with {first} needs quotes around it"
    if first in "*&!" and f"scanning a{'n' if first != '!' else ''} " in place.words:
        return f"a text that begins with {first} needs quotes around it"
    if line == place.line and "mapping values" in place.words:
        colon = place.column - (len(place.text) - len(place.text.lstrip()))
        if colon > 0 and place.column > place.text.find(value):
            return 'a text with ": " in it needs quotes around it'
    return ""


def _find_missing_colon(place: _Place) -> Found | None:
    """A line without the colon that makes it a key, or without the space after the colon."""
    if "mapping values" in place.words:
        line = place.above
    elif "could not find expected ':'" in place.words:
        line = place.opened[0]
    else:
        return None
    text = place.lines[line] if 0 <= line < len(place.lines) else ""
    content = text.split(" #")[0].strip()
    if not content or _ENTRY.match(text) or content[0] in "[{\"'":
        return None
    column = len(text) - len(text.lstrip()) + 1
    if spaceless := re.match(r"(?:- )?([A-Za-z_-]+):(\S.*)", content):
        message = f'a space is missing after the colon; write "{spaceless[1]}: {spaceless[2]}"'
        return line + 1, column, shortened(message, 160)
    below = place.lines[place.line] if place.line < len(place.lines) else ""
    deeper = place.line > line and len(below) - len(below.lstrip()) >= column
    words = re.match(r"(?:- )?([a-z_]+)\s*(?:[=：\-–—>]+\s*|\s+)(\S.*)", content)
    right = f"{words[1]}: {words[2]}" if words and not deeper else f"{content.rstrip('：=')}:"
    message = f'a colon is missing in "{shortened(content)}"; write "{shortened(right)}"'
    return line + 1, column, message


def _find_indentation(place: _Place) -> Found | None:
    """A key that is not indented as those around it are."""
    entry = _ENTRY.match(place.text)
    if entry is None or place.column not in (
        entry.start("key"),
        entry.end("key"),
        len(entry["indent"]),
    ):
        return None
    indent, above = len(entry["indent"]), place.above
    before = _ENTRY.match(place.lines[above]) if above >= 0 else None
    levels = list(_levels(place.lines, place.line))
    if before is not None and "mapping values" in place.words:
        right = before.start("key")
    elif "did not find expected" in place.words and indent not in levels and levels:
        # Between two levels: what has a value is a key of the inner map, what has none opens one.
        opens = not place.text[entry.end() :].strip()
        right = min(levels, key=lambda level: (abs(level - indent), level if opens else -level))
    else:
        return None
    message = (
        f'"{shortened(entry["key"])}" is indented by {count(indent, "space")}, '
        f"the keys beside it by {count(right, 'space')}; indent it by {right}"
    )
    return place.line + 1, indent + 1, message


def _levels(lines: Sequence[str], line: int) -> Iterator[int]:
    """How far the maps that are open above a line are indented, the innermost first."""
    limit = 10_000
    for text in reversed(lines[:line]):
        entry = _ENTRY.match(text)
        if entry is not None and entry.start("key") < limit:
            limit = entry.start("key")
            yield limit


_RULES: tuple[Callable[[_Place], Found | None], ...] = (
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
