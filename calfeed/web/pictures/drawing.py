"""The layout of a picture of 1200 by 630 pixels, which previews of links show uncropped."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from flask import current_app

from calfeed.model.contrast import PAPERS
from calfeed.model.site import Image
from calfeed.web.pages.reader.languages import LocalizedText
from calfeed.web.pictures.content import Content, Former, Mark
from calfeed.web.pictures.rendering import Drawing
from calfeed.web.pictures.typesetting import Block, Line, set_text, title_leading

WIDTH, HEIGHT = 1200, 630

_MARGIN = 72
_INNER = WIDTH - 2 * _MARGIN
_HEAD = 96
"""The distance of the middle of the first row from the top."""

_FOOT = HEIGHT - 58
"""The distance of the lowest possible baseline from the top."""

_INK, _QUIET = "#1d2327", "#5a646b"
"""The colours of texts, as on pages."""

_TITLE_TOP = 152
_TITLE_SIZES = (72, 64, 56, 50, 44)
_DATE_SIZES = (42, 38, 34, 30)
_MARK_SIZE = 27
_GAP = 16

_ICON_SHARE = 0.1
"""How much of an icon is margin, on each side."""


@dataclass(frozen=True)
class Placed:
    """A line of text: `x` is where it begins or, on a page from right to left, where it ends."""

    line: Line
    x: float
    y: float
    size: float
    color: str
    bold: bool = False
    struck: bool = False


@dataclass(frozen=True)
class Chip:
    """A mark in a picture; `x` and `y` are those of its upper left corner."""

    mark: Mark
    x: float
    y: float
    width: float
    height: float
    word: Placed


class Layout:
    """The texts and marks of a picture, placed one after the other."""

    def __init__(self, content: Content) -> None:
        self.content = content
        self.rtl = content.direction == "rtl"
        self.texts: list[Placed] = []
        self.chips: list[Chip] = []
        self.logo_place = (0.0, 0.0)
        self.dot_x: float | None = None
        self._place_head()
        bottom = self._place_date()
        self._place_title(bottom)

    @property
    def covered(self) -> bool:
        words = [chip.word for chip in self.chips]
        return all(placed.line.covered for placed in [*self.texts, *words])

    def _from_start(self, distance: float) -> float:
        """Return the x at a distance from the side on which lines begin: left or right."""
        return WIDTH - _MARGIN - distance if self.rtl else _MARGIN + distance

    def _place_head(self) -> None:
        """Place the logo and name of the site where lines begin, the calendar at the other side."""
        content = self.content
        side = 56.0
        self.logo_place = (self._from_start(side if self.rtl else 0), _HEAD - side / 2)
        half = _INNER / 2 - side
        name = self._set(content.site, (32, 27), half if content.calendar else _INNER - side)
        self._add(name, self._from_start(side + 16), _HEAD + 11, _INK)
        if content.calendar is not None:
            calendar = self._set(content.calendar, (27,), half)
            distance = _INNER - calendar.width
            self._add(calendar, self._from_start(distance), _HEAD + 9, _QUIET)
            self.dot_x = self._from_start(distance - 22)

    def _place_date(self) -> float:
        """Place the marks, the date and the former date at the bottom; return their top (y)."""
        content, y = self.content, float(_FOOT)
        if content.former is not None:
            y = self._place_former(content.former, y)
        if content.date:
            own = LocalizedText(content.date, content.language)
            date = self._set(own, _DATE_SIZES, _INNER, lines=2)
            y -= date.height - date.leading
            self._add(date, self._from_start(0), y, _INK, struck=content.struck)
            y -= date.leading + _GAP
        elif content.text is not None:
            text = self._set(content.text, (36, 32), _INNER, lines=3)
            y -= text.height - text.leading
            self._add(text, self._from_start(0), y, _QUIET)
            y -= text.leading + _GAP
        if content.marks:
            y = self._place_marks(content.marks, y)
        return y

    def _place_former(self, former: Former, y: float) -> float:
        """Place the word and the former date in a line; return the baseline above it."""
        language = self.content.language
        word = self._set(LocalizedText(former.word, language), (28,), _INNER / 4)
        date = self._set(
            LocalizedText(former.date, language), (30, 27, 24), _INNER - word.width - 14
        )
        self._add(word, self._from_start(0), y, _QUIET)
        start = self._from_start(word.width + 14)
        self._add(date, start, y, _QUIET, struck=former.struck)
        return y - date.leading - 12

    def _place_marks(self, marks: Sequence[Mark], y: float) -> float:
        height, distance = _MARK_SIZE * 1.75, 0.0
        top = y - height + 4
        for mark in marks:
            word = self._set(LocalizedText(mark.word, self.content.language), (_MARK_SIZE,), 420)
            width = word.width + _MARK_SIZE + 46
            if distance + width > _INNER:
                break
            left = self._from_start(distance + width if self.rtl else distance)
            shown = Placed(
                word.lines[0],
                self._from_start(distance + _MARK_SIZE + 28),
                top + height * 0.66,
                word.size,
                "",
            )
            self.chips.append(Chip(mark, left, top, width, height, shown))
            distance += width + 14
        return top - _GAP

    def _place_title(self, bottom: float) -> None:
        """Place the title below the head in two lines, or else in three of the smallest size."""
        title, room = self.content.title, bottom - _TITLE_TOP
        fitting = [
            size for size in _TITLE_SIZES if 2 * title_leading(title.language, size) <= room
        ] or _TITLE_SIZES[-1:]
        block = self._set(title, fitting, _INNER, lines=2, title=True)
        if block.cut and room >= 3 * title_leading(title.language, _TITLE_SIZES[-1]):
            block = self._set(title, _TITLE_SIZES[-1:], _INNER, lines=3, title=True)
        baseline = _TITLE_TOP + block.leading * 0.8
        self._add(block, self._from_start(0), baseline, _INK, struck=self.content.struck)

    def _set(
        self,
        text: LocalizedText,
        sizes: Sequence[float],
        width: float,
        *,
        lines: int = 1,
        title: bool = False,
    ) -> Block:
        return set_text(text.text, text.language, sizes, width, lines=lines, title=title)

    def _add(self, block: Block, x: float, y: float, color: str, *, struck: bool = False) -> None:
        for number, line in enumerate(block.lines):
            baseline = y + number * block.leading
            self.texts.append(Placed(line, x, baseline, block.size, color, block.bold, struck))


def draw(content: Content) -> Drawing:
    """Return a picture as SVG; an application context is needed, for the template."""
    layout = Layout(content)
    svg = current_app.jinja_env.get_template("picture.svg").render(
        layout=layout,
        content=content,
        width=WIDTH,
        height=HEIGHT,
        paper=PAPERS[0],
        logo=_make_data_url(content.logo) if content.logo else "",
    )
    return Drawing(svg, system_fonts=not layout.covered)


def draw_icon(icon: Image, side: int, *, ground: bool) -> Drawing:
    """Return an icon of `side` pixels; if `ground`, on white, for systems that round corners."""
    margin = round(side * _ICON_SHARE) if ground else 0
    paper = f'<rect width="{side}" height="{side}" fill="#ffffff"/>' if ground else ""
    return Drawing(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{side}" height="{side}">{paper}'
        f'<image x="{margin}" y="{margin}" width="{side - 2 * margin}"'
        f' height="{side - 2 * margin}" href="{_make_data_url(icon)}"/></svg>'
    )


def _make_data_url(image: Image) -> str:
    """Return an image as a data URL; an SVG in a data URL cannot load the files that it names."""
    kind = "svg+xml" if image.suffix == "svg" else image.suffix
    return f"data:image/{kind};base64,{b64encode(image.content).decode()}"
