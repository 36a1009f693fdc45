"""Slips that YAML allows and that lose part of what was written: comments and commas.

`summary: Report #3` is "Report" to YAML, and `{rule: FREQ=WEEKLY;BYDAY=TU,TH}` has two keys.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from calfeed.model.texts import shortened

_LONGEST = 120
"""How much of a text is repeated as it has to be written."""
_COMMENT = re.compile(r"[ \t]+(#[^\s#].*)")


def split_lines(text: str) -> list[str]:
    """The lines of a text as YAML counts them."""
    return re.split("\r\n|\r|\n", text)


def text_in_braces(lines: Sequence[str], line: int, column: int) -> str:
    """The text from a line and column (from 0) to the next key, or to the end of the braces."""
    rest = lines[line][column : column + 1_000]
    found = re.match(r"(.*?)\s*(?=,\s*[^\s,:]+:\s|[{}\[\]]|$)", rest)
    return found[1] if found else rest


def find_comment(lines: Sequence[str], line: int, column: int) -> str:
    """The comment that touches what ends at a line and column (from 0); empty if there is none.

    A comment is set off by a space after its `#`. One without may be meant as text: a number, a
    colour, a tag.
    """
    if line >= len(lines) or "#" not in lines[line]:
        return ""
    found = _COMMENT.match(lines[line], column)
    return found[1].rstrip() if found else ""


def explain_comment(key: str, text: str, comment: str) -> str:
    """What is wrong with a comment that touches a value, and what to write."""
    shown = shortened(comment)
    if not text:
        return f'is empty, because "{shown}" is a comment to YAML; put quotes around it'
    whole = quoted(shortened(f"{text} {comment}", _LONGEST))
    right = f"{key}: {whole}" if key else whole
    return f'"{shown}" is a comment to YAML and would be lost; put quotes around it all: {right}'


def explain_comma(key: str, text: str) -> str:
    """What is wrong with a comma in a text inside of {…}, and what to write."""
    if not key:
        return f'"{shortened(text)}" has no colon; a map is written as {{key: value}}'
    right = f"{key}: {quoted(shortened(text, _LONGEST))}"
    return f"a comma ends the text in {{…}}; put quotes around all of it: {right}"


def quoted(text: str) -> str:
    """The text in quotes as YAML reads them."""
    if '"' in text or "\\" in text:
        return "'" + text.replace("'", "''") + "'"
    return f'"{text}"'
