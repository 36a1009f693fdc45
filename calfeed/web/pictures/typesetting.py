"""The fonts of pictures, the widths of texts, and how texts are broken into lines."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import groupby

import uharfbuzz

from calfeed.model.texts import text_direction
from calfeed.web.pictures.fontfiles import FAMILIES, font_file

_TITLES = ("NotoSerif-Bold", "NotoNaskhArabic-Bold", "NotoSans-Regular")
_ARABIC_TITLES = ("NotoNaskhArabic-Bold", "NotoSerif-Bold", "NotoSans-Regular")
_URDU_TITLES = ("NotoNastaliqUrdu-Bold", *_ARABIC_TITLES)
_TEXTS = ("NotoSans-Regular", "NotoNaskhArabic-Regular")
_ARABIC_TEXTS = ("NotoNaskhArabic-Regular", "NotoSans-Regular")

_MAX_LENGTH = 300
"""The most characters of a text that are measured."""

_NASTALIQ = "NotoNastaliqUrdu-Bold"
_NASTALIQ_SHARE = 0.75
_NASKH_SHARE = 1.12
"""The sizes, as multiples of that of Latin, at which these scripts look as large as Latin."""

_LEADING = 1.28
_NASTALIQ_LEADING = 1.85
"""The distance of baselines, as a multiple of the font's size; more for Nastaliq, which slopes."""

_ELLIPSIS = "…"
_EMBED = {"rtl": "\u202b", "ltr": "\u202a"}
_END = "\u202c"


@dataclass(frozen=True)
class Span:
    """A part of a line in one font; `family` is empty if the part needs a font of the system."""

    text: str
    family: str


@dataclass(frozen=True)
class Line:
    """A line of a text, in the direction of its language. `width` is in pixels."""

    spans: tuple[Span, ...]
    width: float

    @property
    def covered(self) -> bool:
        """Whether the fonts of this package have all characters of the line."""
        return all(span.family for span in self.spans)


@dataclass(frozen=True)
class Block:
    """Lines of one size, in pixels; `leading` is the distance of their baselines.

    `cut` says that the text was too long, so that its end is missing.
    """

    lines: tuple[Line, ...]
    size: float
    leading: float
    bold: bool = False
    cut: bool = False

    @property
    def height(self) -> float:
        return self.leading * len(self.lines)

    @property
    def width(self) -> float:
        return max((line.width for line in self.lines), default=0.0)


def set_text(
    text: str,
    language: str,
    sizes: Sequence[float],
    width: float,
    *,
    lines: int = 1,
    title: bool = False,
) -> Block:
    """Set a text in at most `lines` lines of a `width` (pixels), in the first of `sizes` that fits.

    `sizes` are font sizes in pixels for Latin script, the largest first; other scripts are scaled.
    If none fits, the text is cut in the last size, and ends with an ellipsis.
    """
    words = " ".join(text.split())[:_MAX_LENGTH]
    fonts = _choose_fonts(language, title=title)
    share = _share_of(language, title=title)
    for size in (each * share for each in sizes):
        found = _wrap(words, fonts, width / size)
        if len(found) <= lines:
            break
    cut = len(found) > lines
    if cut:
        found = [*found[: lines - 1], _cut(found[lines - 1], fonts, width / size)]
    direction = text_direction(language)
    made = tuple(_make_line(line, fonts, size, direction) for line in found)
    return Block(made, size, size * _leading_of(fonts), title, cut)


def title_leading(language: str, size: float) -> float:
    """Return the distance of a title's baselines, in pixels; `size` is that of Latin script."""
    share = _share_of(language, title=True)
    return size * share * _leading_of(_choose_fonts(language, title=True))


def _leading_of(fonts: tuple[str, ...]) -> float:
    return _NASTALIQ_LEADING if fonts[0] == _NASTALIQ else _LEADING


def _share_of(language: str, *, title: bool) -> float:
    fonts = _choose_fonts(language, title=title)
    return {_NASTALIQ: _NASTALIQ_SHARE, _ARABIC_TEXTS[0]: _NASKH_SHARE}.get(fonts[0], 1.0)


def _wrap(text: str, fonts: tuple[str, ...], width: float) -> list[str]:
    """Break a text into lines of a width (em) between words, or within words that are too long."""
    found: list[str] = []
    for word in text.split(" "):
        if found and _measure(f"{found[-1]} {word}", fonts) <= width:
            found[-1] += f" {word}"
            continue
        while _measure(word, fonts) > width and len(word) > 1:
            length = max(1, _find_length(word, fonts, width))
            found.append(word[:length])
            word = word[length:]
        found.append(word)
    return found


def _cut(line: str, fonts: tuple[str, ...], width: float) -> str:
    """Return the beginning of a line, with an ellipsis, that fits in a width (em)."""
    return line[: _find_length(line, fonts, width - 1.0)].rstrip(" ,.;:،؛") + _ELLIPSIS


def _find_length(text: str, fonts: tuple[str, ...], width: float) -> int:
    """Return how many characters of a text fit in a width (em)."""
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if _measure(text[:middle], fonts) <= width:
            low = middle
        else:
            high = middle - 1
    return low


def _make_line(text: str, fonts: tuple[str, ...], size: float, direction: str) -> Line:
    spans = [Span(part, FAMILIES.get(font, "")) for font, part in _split(text, fonts)]
    # resvg lays lines out from left to right, unless control characters set another direction.
    spans[0] = Span(_EMBED[direction] + spans[0].text, spans[0].family)
    spans[-1] = Span(spans[-1].text + _END, spans[-1].family)
    return Line(tuple(spans), _measure(text, fonts) * size)


@lru_cache(maxsize=4096)
def _measure(text: str, fonts: tuple[str, ...]) -> float:
    """Return the width of a text in em. A character that no font has counts as 1 em."""
    width = 0.0
    for name, part in _split(text, fonts):
        if not name:
            width += len(part)
            continue
        face, font, _ = _load(name)
        buffer = uharfbuzz.Buffer()
        buffer.add_str(part)
        buffer.guess_segment_properties()
        uharfbuzz.shape(font, buffer)
        width += sum(place.x_advance for place in buffer.glyph_positions) / face.upem
    return width


def _split(text: str, fonts: tuple[str, ...]) -> list[tuple[str, str]]:
    """Split a text into pairs of font and text; the font is "" for characters that no font has."""
    chosen: list[tuple[str, str]] = []
    last = fonts[0]
    for character in text:
        # Spaces, marks and digits are in the font of the character before, if that font has them.
        loose = not unicodedata.category(character).startswith("L")
        having = [name for name in fonts if ord(character) in _load(name)[2]]
        if not (loose and last in having):
            if not having and unicodedata.category(character) == "Cf":
                continue  # it has no shape
            last = having[0] if having else ""
        chosen.append((last, character))
    parts = groupby(chosen, key=lambda pair: pair[0])
    return [(name, "".join(character for _, character in pairs)) for name, pairs in parts]


@cache
def _load(name: str) -> tuple[uharfbuzz.Face, uharfbuzz.Font, frozenset[int]]:
    """Return a font, and the characters that it has."""
    face = uharfbuzz.Face(uharfbuzz.Blob.from_file_path(font_file(name)))
    return face, uharfbuzz.Font(face), frozenset(face.unicodes)


def _choose_fonts(language: str, *, title: bool) -> tuple[str, ...]:
    if text_direction(language) == "ltr":
        return _TITLES if title else _TEXTS
    if not title:
        return _ARABIC_TEXTS
    return _URDU_TITLES if language.split("-")[0] == "ur" else _ARABIC_TITLES
