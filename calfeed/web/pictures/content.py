"""What a picture shows of an event, a calendar or the site, in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256

from flask import current_app
from markupsafe import Markup

from calfeed.model.contrast import Accent, make_accent
from calfeed.model.site import Image, Site
from calfeed.web.pages.event_view import EventView
from calfeed.web.pages.lists.cards import Card
from calfeed.web.pages.reader.languages import LocalizedText
from calfeed.web.pages.reader.wording import gettext
from calfeed.web.site.view import SiteView

_LOOK = 1
"""Increase it when the same content is drawn differently, so that pictures get new addresses."""

ACCENT = "#0b6161"
"""The accent of a site that sets none; style.css has the same."""


@dataclass(frozen=True)
class Mark:
    """A mark of a date: its name, its word, and its shape as an SVG path."""

    name: str
    word: str
    path: str


@dataclass(frozen=True)
class Former:
    """A date that an event had; `struck` says that it is no longer valid."""

    word: str
    date: str
    struck: bool


@dataclass(frozen=True)
class Content:
    """What a picture shows. `language` and `direction` are those of the page.

    `struck` says that the date was cancelled. `color` is that of the calendar (`#rrggbb`).
    """

    language: str
    direction: str
    site: LocalizedText
    accent: str
    title: LocalizedText
    text: LocalizedText | None = None
    calendar: LocalizedText | None = None
    color: str | None = None
    date: str = ""
    struck: bool = False
    former: Former | None = None
    marks: tuple[Mark, ...] = ()
    logo: Image | None = field(default=None, repr=False)

    @property
    def digest(self) -> str:
        """A short digest of all that is shown, for URLs that change when the content changes."""
        logo = self.logo.digest if self.logo else ""
        return sha256(repr((_LOOK, logo, self)).encode()).hexdigest()[:16]

    @property
    def colors(self) -> Accent:
        return make_accent(self.accent, dark=False)


def describe_site(site: Site, view: SiteView, language: str, direction: str) -> Content:
    """Return what the picture of the site shows."""
    return Content(
        language=language,
        direction=direction,
        site=view.name,
        accent=site.accent or ACCENT,
        logo=site.logo,
        title=view.title,
        text=view.text if view.text.text else None,
    )


def describe_calendar(about: Content, card: Card) -> Content:
    """Return what the picture of a calendar shows; `about` is the content about the site."""
    return _replace(about, title=card.name, text=card.description, color=card.color)


def describe_event(about: Content, card: Card, view: EventView) -> Content:
    """Return what the picture of an event shows; `about` is the content about the site."""
    former = view.former_date
    date = view.hold or view.when
    was = None
    if view.hold:
        was = Former(gettext("Was"), view.former, struck=True)
    elif former is not None:
        word = gettext("Wrong") if former.wrong else gettext("Was")
        was = Former(word, former.when, former.moved or former.wrong)
    return _replace(
        about,
        title=view.summary,
        calendar=card.name,
        color=card.color,
        date=Markup(date).striptags() if view.hold else date,
        struck=view.cancelled,
        former=was,
        marks=tuple(_list_marks(view.marks)),
    )


def _replace(about: Content, **shown: object) -> Content:
    kept = {name: getattr(about, name) for name in ("language", "direction", "site", "accent")}
    return Content(**kept, logo=about.logo, **shown)  # type: ignore[arg-type]  # by name


def _list_marks(names: Iterable[str]) -> Iterable[Mark]:
    """List marks with the same words and shapes, and in the same order, as on pages."""
    parts = current_app.jinja_env.get_template("parts.html").make_module()
    kinds: Iterable[tuple[str, str, str]] = parts.kinds  # type: ignore[attr-defined]  # a template
    return (Mark(*kind) for kind in kinds if kind[0] in names)
