"""The structure of `site.yaml`."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from calfeed.definitions.formats.scalars import SCALAR, Boolean, Zone, parse_weekday, scalar
from calfeed.definitions.keys.dates import WorkingDaysEntry
from calfeed.definitions.keys.entries import Entry, Line, Lines, by_language
from calfeed.errors import InvalidValueError
from calfeed.model.colors import COLORS
from calfeed.model.contrast import ENOUGH, legible, lowest_contrast
from calfeed.model.details import check_email
from calfeed.model.texts import (
    check_known_language,
    check_language,
    check_line,
    check_url,
    nearest,
    shortened,
)

MAX_LANGUAGES = 30

_HEX = re.compile(r"#[0-9a-f]{6}")
_SHORT_HEX = re.compile(r"#[0-9a-f]{3}")


def _check_accent(text: str) -> str:
    """Return a colour as `#rrggbb`; raise ValueError if it is invalid or not legible on pages."""
    name = text.strip().lower()
    color: str = COLORS.get(name, name)
    if _SHORT_HEX.fullmatch(color):
        color = "#" + "".join(digit * 2 for digit in color[1:])
    if not _HEX.fullmatch(color):
        near = nearest(name, COLORS)
        hint = f"did you mean {near}?" if near else 'write one such as "#0b6161" or darkgreen'
        raise InvalidValueError(shortened(text), f"is not a colour; {hint}")
    found = lowest_contrast(color)
    if found < ENOUGH:
        raise InvalidValueError(
            shortened(text),
            f"is too pale to be read on a light page: its contrast is {found:.1f}, and text needs "
            f'{ENOUGH} (WCAG 2.2); write a darker one, such as "{legible(color)}"',
        )
    return color


def _check_contact(text: str) -> str:
    """Return a mail address or a URL; raise ValueError for anything else."""
    if "://" in text:
        return check_url(text)
    try:
        return check_email(text)
    except InvalidValueError:
        raise InvalidValueError(
            shortened(text),
            "is neither a mail address nor a URL; write one such as desk@example.org or "
            "https://example.org/contact",
        ) from None


def _check_path(text: str) -> str:
    """Return the path of a file beside `site.yaml`; raise ValueError if it is not in `site/`."""
    path = check_line(text)
    parts = path.split("/")
    if path.startswith("/") or "\\" in path or any(part in ("", ".", "..") for part in parts):
        raise InvalidValueError(
            shortened(path),
            "is not a path in the folder of the calendars; write one such as site/logo.svg",
        )
    if parts[0] != "site" or len(parts) == 1:
        name = parts[-1]
        raise InvalidValueError(
            shortened(path),
            f'is not in the folder "site" beside site.yaml; move it there, and write "site/{name}"',
        )
    return path


_Language = Annotated[str, AfterValidator(check_language)]
_Path = Annotated[str, scalar(_check_path), WithJsonSchema({"type": "string"})]
_Paths = Annotated[
    dict[_Language, Annotated[str, scalar(_check_path)]],
    BeforeValidator(by_language),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {"type": "object", "minProperties": 1, "additionalProperties": {"type": "string"}},
            ]
        }
    ),
]


class SiteFile(Entry):
    """`events/site.yaml`: the site's name, languages and look, and pages such as the imprint."""

    name: Line = Field(description="The name of the site, on every page and in every mail")
    title: Line | None = Field(None, description="The heading of the home page; default: the name")
    text: Lines | None = Field(None, description="What the home page says below its heading")
    languages: list[Annotated[str, scalar(check_known_language), WithJsonSchema(SCALAR)]] = Field(
        min_length=1,
        max_length=MAX_LANGUAGES,
        description="The languages of the pages (BCP 47), in order; the first is the default",
    )
    logo: _Path | None = Field(None, description="The logo, an SVG or PNG file in `site/`")
    icon: _Path | None = Field(None, description="The square icon, an SVG or PNG file in `site/`")
    accent: Annotated[str, scalar(_check_accent), WithJsonSchema(SCALAR)] | None = Field(
        None, description="The colour of links and buttons, as #rrggbb or a CSS 3 colour name"
    )
    imprint: _Paths | None = Field(
        None, description="Who runs the site: a Markdown file in `site/`, by language"
    )
    privacy: _Paths | None = Field(
        None, description="The privacy notice: a Markdown file in `site/`, by language"
    )
    accessibility: _Paths | None = Field(
        None, description="The accessibility statement: a Markdown file in `site/`, by language"
    )
    contact: Annotated[str, scalar(_check_contact), WithJsonSchema(SCALAR)] | None = Field(
        None, description="A mail address or a URL for questions"
    )
    time_zone: Zone | None = Field(
        None,
        description="The time zone of pages about all calendars; default: the zone that they share",
    )
    first_day: Annotated[int, scalar(parse_weekday), WithJsonSchema(SCALAR)] | None = Field(
        None, description="The first day of the week, such as monday; default: the language's"
    )
    working_days: WorkingDaysEntry | None = Field(
        None, description="The working days of all calendars that define none"
    )
    credit: Boolean = Field(
        True, description="Whether the footer says that the pages are made with calfeed"
    )
