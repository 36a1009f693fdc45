"""The reader of a page: language and time zone, and the texts in that language."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from markupsafe import Markup

from calfeed.model.texts import check_language, text_direction
from calfeed.model.values import Text, language_of
from calfeed.web.pages.reader.locales import Language
from calfeed.web.pages.reader.offers import SiteLanguages


@dataclass(frozen=True)
class LocalizedText:
    """A text with its language; in templates, it is rendered with `lang` and `dir`."""

    text: str
    language: str

    @property
    def attributes(self) -> Markup:
        """`lang` and `dir`, for an element with this text only."""
        return Markup('lang="{}" dir="{}"').format(self.language, text_direction(self.language))

    def __html__(self) -> Markup:
        return Markup("<bdi {}>{}</bdi>").format(self.attributes, self.text)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Reader:
    """The reader of a page: the language of the page, and the preferred `tag` of event texts.

    If `explicit`, the URL names the language, so links must keep it. `time_zone` (an IANA name)
    determines days and hours. `chosen_zone` is the zone in the URL, for links to keep, or empty.
    """

    language: Language
    tag: str
    explicit: bool
    time_zone: str = "UTC"
    chosen_zone: str = ""

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def choose_zone(self, name: str) -> Reader:
        return replace(self, time_zone=name, chosen_zone=name) if name else self

    def default_zone(self, name: str) -> Reader:
        """Return this reader with a default zone, unless the URL names one."""
        return self if self.chosen_zone else replace(self, time_zone=name)

    def today(self, now: datetime) -> date:
        return now.astimezone(self.zone).date()

    def localize(self, text: Text, own: str) -> LocalizedText:
        """Return a text in the reader's language, or else in `own` (of the event or calendar)."""
        found = language_of(text, self.tag, own)
        return LocalizedText(text[found], found)


def choose_reader(wanted: str, accepted: str, offered: SiteLanguages) -> Reader:
    """Return the reader for a `lang` parameter (may be empty) and an Accept-Language header.

    Event texts may exist in languages that pages do not have.
    """
    try:
        tag = check_language(wanted) if wanted else ""
    except ValueError:
        tag = ""
    language = offered.find(tag) if tag else None
    if language is not None:
        return Reader(language, tag, explicit=True)
    language = offered.choose(accepted)
    return Reader(language, tag or language.tag, explicit=bool(tag))


def nearest_language(tag: str, known: Container[str]) -> str:
    """Return the longest known prefix of a tag, or "" (RFC 4647, 3.4).

    This bounds the number of distinct responses.
    """
    while tag and tag not in known:
        tag = tag.rpartition("-")[0]
    return tag
