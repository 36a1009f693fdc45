"""CSS 3 colour names, the values of the COLOR property (RFC 7986, 5.9)."""

from __future__ import annotations

import re

import webcolors

from calfeed.errors import InvalidValueError
from calfeed.model.texts import nearest

COLORS = {name: webcolors.name_to_hex(name, "css3") for name in webcolors.names("css3")}
"""The 147 names of CSS Color Module Level 3, section 4.3, mapped to "#rrggbb"."""

_HEX = re.compile(r"#[0-9a-f]{6}")


def check_color(text: str) -> str:
    """Return a CSS 3 colour name in lower case.

    Raises ValueError for any other text, with the closest name as a suggestion.
    """
    name = text.strip().lower()
    if name in COLORS:
        return name
    if _HEX.fullmatch(name):
        closest = min(COLORS, key=lambda known: _distance(COLORS[known], name))
        raise InvalidValueError(text, f"must be a colour name; the closest is {closest}")
    near = nearest(name, COLORS)
    hint = f"did you mean {near}?" if near else "such as seagreen, steelblue or crimson"
    raise InvalidValueError(text, f"is not a CSS 3 colour name; {hint}")


def _distance(color: str, other: str) -> int:
    pairs = zip(bytes.fromhex(color[1:]), bytes.fromhex(other[1:]), strict=True)
    return sum((a - b) ** 2 for a, b in pairs)
