"""Detect spreadsheet tables that were pasted into a definition file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from calfeed.definitions.formats.dates import CLOCK, find_clock_readings, normalize
from calfeed.definitions.formats.slugs import make_slug
from calfeed.definitions.hints.moments import suggest_moment
from calfeed.model.texts import shortened

_MAX_ROWS = 20
_SEPARATORS = {"\t": "tabs", ";": "semicolons", "|": "|", ",": "commas"}


@dataclass(frozen=True)
class Table:
    """A table that begins at `line` and `column` (from 0); `rows` holds its first rows."""

    line: int
    column: int
    separator: str
    rows: list[list[str]]


def find_table(lines: Sequence[str], line: int) -> Table | None:
    """Return the table that a line belongs to, if any."""
    for separator in _SEPARATORS:
        if _cells(lines, line, separator) < 2:
            continue
        width, first, last = _cells(lines, line, separator), line, line
        while _cells(lines, first - 1, separator) == width:
            first -= 1
        while _cells(lines, last + 1, separator) == width:
            last += 1
        if last > first:
            shown = lines[first : min(last + 1, first + _MAX_ROWS)]
            rows = [_split(text, separator) for text in shown]
            indent = len(lines[first]) - len(lines[first].lstrip())
            return Table(first, indent, separator, rows)
    return None


def describe_table(table: Table) -> str:
    """Explain that a table is not YAML, with one of its rows as an event."""
    event = next(filter(None, map(_write_event, table.rows)), None)
    example = event or "report-due: {summary: Report due, start: year-month-day}"
    return (
        f"is a table with {_SEPARATORS[table.separator]} between its cells, as copied from a "
        f"spreadsheet; write each row as an event, such as {example}"
    )


def _cells(lines: Sequence[str], line: int, separator: str) -> int:
    """Count the cells of a line; 0 if it is not a row."""
    if not 0 <= line < len(lines):
        return 0
    text = lines[line].strip(" ")
    if not text or text[0] in "#-[{\"'" or re.search(r"\w: |:$", text):
        return 0
    return len(_split(text, separator)) if separator in text.strip() else 0


def _split(text: str, separator: str) -> list[str]:
    cells = [cell.strip().strip('"') for cell in text.strip(" ").split(separator)]
    return cells[1:-1] if separator == "|" and not (cells[0] or cells[-1]) else cells


def _write_event(row: Sequence[str]) -> str:
    """Write a row as an event; "" if it has no title or no day."""
    title = day = clock = ""
    for cell in row:
        if not day and (moment := suggest_moment(cell)):
            day = moment
        elif not clock and (found := CLOCK.fullmatch(normalize(cell).lower())):
            readings = find_clock_readings(found)
            clock = readings[0][1].text if len(readings) == 1 else ""
        elif not title and cell and not any(character in cell for character in "{}[]#:,"):
            title = cell
    slug = make_slug(title)
    if not title or not day or not slug:
        return ""
    start = day if " " in day or not clock else f"{day} {clock}"
    return f"{slug}: {{summary: {shortened(title)}, start: {start}}}"
