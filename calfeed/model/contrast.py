"""The contrast of colours (WCAG 2.2, 1.4.3), and colours with sufficient contrast."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

ENOUGH = 4.5
"""The minimum contrast of text with its background (WCAG 2.2, level AA)."""

PAPERS = ("#fbfaf7", "#14171a")
"""The background of pages, in the light and the dark scheme."""

SHEETS = ("#ffffff", "#1c2025")
"""The background of cards and fields, in the light and the dark scheme."""

_TINTS = (0.09, 0.16)
"""The share of the accent in the background of marked elements, by scheme as in `PAPERS`."""

_TARGETS = ("#000000", "#ffffff")
"""The colour that is mixed into an accent until its contrast is sufficient.

The first is for the light scheme, the second for the dark one.
"""

_STEPS = 64


class Accent(NamedTuple):
    """The colours of an accent in the light or the dark scheme (`#rrggbb`).

    `color` is the accent itself, such as that of links; `ink` is for text on it, and `tint` for the
    background of marked elements.
    """

    color: str
    ink: str
    tint: str


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours (`#rrggbb`), from 1 to 21."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def make_accent(color: str, *, dark: bool) -> Accent:
    """Return an accent for the light or the dark scheme."""
    ink = max(("#ffffff", PAPERS[1]), key=lambda each: contrast(color, each))
    return Accent(color, ink, mix(PAPERS[dark], color, _TINTS[dark]))


def lowest_contrast(color: str, *, dark: bool = False) -> float:
    """Return the lowest contrast of an accent with its backgrounds and with the text on it."""
    accent = make_accent(color, dark=dark)
    backgrounds = (PAPERS[dark], SHEETS[dark], accent.tint)
    return min(*(contrast(color, each) for each in backgrounds), contrast(color, accent.ink))


def legible(color: str, *, dark: bool = False) -> str:
    """Return the legible colour closest to an accent: a darker one, or a lighter one if `dark`."""
    mixed = (mix(color, _TARGETS[dark], step / _STEPS) for step in range(_STEPS + 1))
    return next(each for each in mixed if lowest_contrast(each, dark=dark) >= ENOUGH)


def mix(one: str, other: str, share: float) -> str:
    """Return a colour with a `share` (0 to 1) of another."""
    pairs = zip(_channels(one), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def _channels(color: str) -> Sequence[int]:
    return bytes.fromhex(color[1:])


def _luminance(color: str) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (channel / 255 for channel in _channels(color))
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
