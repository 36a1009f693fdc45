"""Parse YAML into a tree of maps, lists and strings, with the position of each node.

The tree is built from libyaml's events, so that depth, aliases and duplicate keys are checked
early. All scalars stay strings: YAML's implicit types (`no`, `09:30`, `1e3`) are not applied.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeAlias

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from calfeed.definitions.hints.syntax import explain_syntax
from calfeed.definitions.hints.tables import describe_table, find_table
from calfeed.definitions.hints.yaml_pitfalls import (
    explain_comma,
    explain_comment,
    find_comment,
    split_lines,
    text_in_braces,
)
from calfeed.errors import DefinitionWarning, InvalidValueError, Problem

Node: TypeAlias = "str | list[Node] | dict[str, Node] | None"
Path: TypeAlias = "tuple[str | int, ...]"

MAX_FILE_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 20
MAX_ALIASED_NODES = 100_000
"""The most nodes that all aliases of a file may expand to."""

_FORBIDDEN_CHARACTERS = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)
_TOO_DEEP_MESSAGE = f"is nested too deep; the maximum is {MAX_DEPTH} levels"


@dataclass
class Document:
    """A parsed file.

    `marks` holds the line and column (from 1) of each path; for an entry of a map, of its key.
    Nodes from an alias have no marks. `problems` and `warnings` grow while the file is checked;
    `paths_with_problems` includes all parents. Examples in messages are later than `today`.
    """

    file: str
    today: date | None = None
    value: Node = None
    marks: dict[Path, tuple[int, int]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[DefinitionWarning] = field(default_factory=list)
    paths_with_problems: set[Path] = field(default_factory=set)

    def report(self, path: Path, message: str | ValueError) -> None:
        """Add a problem at `path` or its nearest parent with a mark."""
        path, line, column = self.find(path)
        self.report_at(line, column, path, message)

    def warn(self, path: Path, message: str) -> None:
        """Add a warning at `path` or its nearest parent with a mark, unless it is there already."""
        path, line, column = self.find(path)
        warning = DefinitionWarning(self.file, line, column, format_path(path), message)
        if warning not in self.warnings:  # a cached document has those of the previous reading
            self.warnings.append(warning)

    def report_at(self, line: int, column: int, path: Path, message: str | ValueError) -> None:
        """Add a problem at a line and column; 0 and 0 for the file as a whole."""
        self.paths_with_problems.update(path[:length] for length in range(len(path) + 1))
        error = message if isinstance(message, InvalidValueError) else None
        place = (self.file, line, column, format_path(path))
        self.problems.append(Problem(*place, str(message), error))

    def find(self, path: Path) -> tuple[Path, int, int]:
        """Return `path` or its nearest parent with a mark, and its line and column."""
        while path and path not in self.marks:
            path = path[:-1]
        return path, *self.marks.get(path, (1, 1))


def format_path(path: Path) -> str:
    """Format a path: `events.audit.start`."""
    return ".".join(map(str, path))


def read_tree(file: str, data: bytes, today: date | None = None) -> Document:
    """Parse one YAML document; all errors are in the result's `problems`."""
    document = Document(file, today)
    if len(data) > MAX_FILE_BYTES:
        limit = MAX_FILE_BYTES // 1024**2
        document.report_at(0, 0, (), f"is larger than {limit} MiB; split it over several files")
        return document
    text = _decode(document, data)
    if text is not None:
        try:
            _Builder(document, text).build()
        except _StopError:
            pass
        except yaml.MarkedYAMLError as error:
            document.value = None
            line, column, message = explain_syntax(text, error)
            # libyaml reads ahead, so it may reach its own limit first.
            message = _TOO_DEEP_MESSAGE if "nesting depth" in message else message
            document.report_at(line, column, (), message)
    return document


def _decode(document: Document, data: bytes) -> str | None:
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        before = data[: error.start].decode()
        line, column = _position_after(before)
        message = f"is not UTF-8: the byte 0x{data[error.start]:02x} is invalid here"
        document.report_at(line, column, (), f"{message}; save the file as UTF-8")
        return None
    text = text.removeprefix("\ufeff")
    if found := _FORBIDDEN_CHARACTERS.search(text):
        line, column = _position_after(text[: found.start()])
        document.report_at(line, column, (), _explain_forbidden(found[0]))
        return None
    return text


def _position_after(before: str) -> tuple[int, int]:
    """Return the line and column, from 1, of the character after `before`."""
    lines = split_lines(before.removeprefix("\ufeff"))
    return len(lines), len(lines[-1]) + 1


def _explain_forbidden(character: str) -> str:
    return f"the control character U+{ord(character):04X} is not allowed; remove it"


class _StopError(Exception):
    """Parsing stops; the problem was already added to the document."""


@dataclass
class _Anchor:
    value: Node = None
    nodes: int = 0
    height: int = 0
    open: bool = True
    used: bool = False


class _Builder:
    """Builds a document's tree from the events of its text."""

    def __init__(self, document: Document, text: str) -> None:
        self._document = document
        self._lines = split_lines(text)
        self._marks = document.marks
        self._events: Iterator[Any] = yaml.parse(text, Loader=yaml.CSafeLoader)
        self._anchors: dict[str, _Anchor] = {}
        self._anchored_scalars: list[tuple[Any, Path, _Anchor]] = []
        self._nodes = 0  # including the nodes that aliases expand to
        self._aliased_nodes = 0
        self._max_depth = 0  # inside the innermost open anchor

    def build(self) -> None:
        next(self._events)  # the start of the stream
        if not isinstance(next(self._events), DocumentStartEvent):
            return
        event = next(self._events)
        self._marks[()] = _mark(event)
        self._document.value = self._node(event, ())
        for named, path, anchor in self._anchored_scalars:
            if not anchor.used:
                name = f'"&{named.anchor}" is an anchor in YAML that no alias uses'
                self._report(named, path, f"{name}; it would be lost; put quotes around it all")
        next(self._events)  # the end of the document
        event = next(self._events)
        if not isinstance(event, StreamEndEvent):
            line, column = _mark(event)
            message = 'a second document begins here; a file holds one, so remove the "---"'
            self._document.report_at(line, column, (), message)

    def _node(self, event: Any, path: Path) -> Node:
        self._nodes += 1
        self._max_depth = max(self._max_depth, len(path))
        if isinstance(event, AliasEvent):
            return self._alias(event, path)
        if event.tag is not None:
            self._report(
                event,
                path,
                f'the tag "{event.tag}" is not supported; remove it, or put '
                "quotes around a text that begins with !",
            )
        if event.anchor is not None:
            return self._anchored(event, path)
        return self._content(event, path)

    def _content(self, event: Any, path: Path) -> Node:
        if isinstance(event, ScalarEvent):
            return self._scalar(event, path)
        self._check_depth(event, path, len(path))
        if isinstance(event, SequenceStartEvent):
            return self._list(path)
        return self._map(path, in_braces=event.flow_style)

    def _scalar(self, event: Any, path: Path) -> str | None:
        value: str = event.value
        end = event.end_mark
        if (
            len(path) < 2
            and path in ((), ("events",))
            and (table := find_table(self._lines, end.line))
        ):
            self._document.report_at(table.line + 1, table.column + 1, path, describe_table(table))
            return None
        if comment := find_comment(self._lines, end.line, end.column):
            key = path[-1] if path and isinstance(path[-1], str) else ""
            self._report(event, path, explain_comment(key, value, comment))
            value = value or comment
        if event.style == '"' and (
            found := re.search("\r", value) or _FORBIDDEN_CHARACTERS.search(value)
        ):
            self._report(event, path, _explain_forbidden(found[0]))
        return value if value or event.style else None

    def _list(self, path: Path) -> Node:
        items: list[Node] = []
        while not isinstance(event := next(self._events), SequenceEndEvent):
            item = (*path, len(items))
            self._marks[item] = _mark(event)
            items.append(self._node(event, item))
        return items

    def _map(self, path: Path, *, in_braces: bool) -> Node:
        entries: dict[str, Node] = {}
        last = ""
        while not isinstance(event := next(self._events), MappingEndEvent):
            key = self._key(event, path)
            # A value without a usable key is parsed only to report problems in it.
            child = (*path, "?" if key is None else key)
            if key in entries:
                line, _ = self._marks[child]
                self._report(event, child, f'"{key}" is already in line {line}; keep one')
                self._node(next(self._events), (*child, "?"))
                continue
            begin = next(self._events)
            if in_braces and key is not None and _has_no_colon(event, begin):
                if not last:
                    self._report(event, path, explain_comma("", key))
                elif (*path, last) not in self._document.paths_with_problems:
                    entries[last] = self._join(event, path, last, entries[last])
                continue
            self._marks[child] = _mark(event)
            value = self._node(begin, child)
            if key is not None:
                entries[key] = value
                last = key
        return entries

    def _join(self, event: Any, path: Path, key: str, value: Node) -> Node:
        """Report a comma that ended the value of `key`; return the probably intended value."""
        mark = event.start_mark
        rest = text_in_braces(self._lines, mark.line, mark.column)
        if not isinstance(value, str):
            self._report(event, (*path, key), explain_comma("", rest))
            return value
        space = " " if self._lines[mark.line][: mark.column].endswith(" ") else ""
        text = f"{value},{space}{rest}"
        self._report(event, (*path, key), explain_comma(key, text))
        return text

    def _key(self, event: Any, path: Path) -> str | None:
        if isinstance(event, ScalarEvent):
            key = self._node(event, (*path, event.value))
            if key is not None:
                return event.value
            self._report(event, path, "a key is missing before the colon")
            return None
        self._report(event, path, "a key must be a plain text, not a map, a list or an alias")
        if isinstance(event, SequenceStartEvent | MappingStartEvent):
            self._node(event, (*path, "?"))
        elif event.anchor in self._anchors:
            self._anchors[event.anchor].used = True
        return None

    def _anchored(self, event: Any, path: Path) -> Node:
        anchor = self._anchors[event.anchor] = _Anchor()
        if isinstance(event, ScalarEvent):
            self._anchored_scalars.append((event, path, anchor))
        nodes, reached, self._max_depth = self._nodes, self._max_depth, len(path)
        anchor.value = self._content(event, path)
        anchor.nodes = self._nodes - nodes + 1
        anchor.height = self._max_depth - len(path)
        anchor.open = False
        self._max_depth = max(self._max_depth, reached)
        return anchor.value

    def _alias(self, event: Any, path: Path) -> Node:
        anchor = self._anchors.get(event.anchor)
        if anchor is None:
            hint = "a text that begins with * needs quotes around it"
            self._report(event, path, f'there is no anchor "&{event.anchor}" above; {hint}')
            return None
        if anchor.open:
            self._report(event, path, f'the alias "*{event.anchor}" is inside its own anchor')
            return None
        anchor.used = True
        self._nodes += anchor.nodes
        self._aliased_nodes += anchor.nodes
        if self._aliased_nodes > MAX_ALIASED_NODES:
            message = f"the aliases of this file expand to more than {MAX_ALIASED_NODES:,} values"
            self._report(event, path, f"{message}; write them out, or use fewer")
            raise _StopError
        self._max_depth = max(self._max_depth, len(path) + anchor.height)
        self._check_depth(event, path, len(path) + anchor.height)
        return anchor.value

    def _check_depth(self, event: Any, path: Path, depth: int) -> None:
        if depth >= MAX_DEPTH:
            self._report(event, path, _TOO_DEEP_MESSAGE)
            raise _StopError

    def _report(self, event: Any, path: Path, message: str) -> None:
        line, column = _mark(event)
        self._document.report_at(line, column, path, message)


def _has_no_colon(key: Any, value: Any) -> bool:
    """Return whether a key in braces has no colon: an empty value is then at the key's end."""
    return isinstance(value, ScalarEvent) and _mark(value) == (
        key.end_mark.line + 1,
        key.end_mark.column + 1,
    )


def _mark(event: Any) -> tuple[int, int]:
    mark = event.start_mark
    return mark.line + 1, mark.column + 1
