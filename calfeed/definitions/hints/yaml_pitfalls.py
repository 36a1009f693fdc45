"""Mistakes that are valid YAML but silently lose text: comments and commas.

YAML reads `summary: Report #3` as "Report", and `{rule: FREQ=WEEKLY;BYDAY=TU,TH}` as two keys.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from calfeed.model.texts import shortened

_MAX_QUOTED_LENGTH = 120
"""The most characters of a text that are quoted in a suggestion."""
_COMMENT = re.compile(r"[ \t]+(#[^\s#].*)")


def split_lines(text: str) -> list[str]:
    """Split a text into lines as YAML does."""
    return re.split("\r\n|\r|\n", text)


def text_in_braces(lines: Sequence[str], line: int, column: int) -> str:
    """Return the text from a line and column (from 0) to the next key or the end of the braces."""
    rest = lines[line][column : column + 1_000]
    found = re.match(r"(.*?)\s*(?=,\s*[^\s,:]+:\s|[{}\[\]]|$)", rest)
    return found[1] if found else rest


def find_comment(lines: Sequence[str], line: int, column: int) -> str:
    """Return the comment directly after a value that ends at a line and column (from 0).

    Returns "" for a comment with a space after its `#`. Without that space, the comment may be
    meant as text: a number, a colour, a tag.
    """
    if line >= len(lines) or "#" not in lines[line]:
        return ""
    found = _COMMENT.match(lines[line], column)
    return found[1].rstrip() if found else ""


def explain_comment(key: str, text: str, comment: str) -> str:
    """Explain a comment that was probably meant as part of a value."""
    shown = shortened(comment)
    if not text:
        return f'is empty, because "{shown}" is a comment in YAML; put quotes around it'
    whole = quoted(shortened(f"{text} {comment}", _MAX_QUOTED_LENGTH))
    fixed = f"{key}: {whole}" if key else whole
    return f'"{shown}" is a comment in YAML and would be lost; put quotes around it all: {fixed}'


def explain_comma(key: str, text: str) -> str:
    """Explain an unquoted comma in a text inside {…}."""
    if not key:
        return f'"{shortened(text)}" has no colon; a map is written as {{key: value}}'
    fixed = f"{key}: {quoted(shortened(text, _MAX_QUOTED_LENGTH))}"
    return f"a comma ends the text in {{…}}; put quotes around all of it: {fixed}"


def quoted(text: str) -> str:
    """Quote a text for YAML."""
    if '"' in text or "\\" in text:
        return "'" + text.replace("'", "''") + "'"
    return f'"{text}"'
