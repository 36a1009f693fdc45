"""The reader of a page: the language it is in, texts in it, and the zone that it counts days in."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

from babel import Locale
from markupsafe import Markup
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from calfeed.model.events import Text, language_of
from calfeed.model.texts import check_language

_RIGHT_TO_LEFT = {"ar", "dv", "fa", "he", "ku", "ps", "sd", "ug", "ur", "yi"}


def text_direction(tag: str) -> str:
    """The direction a language (BCP 47 tag) is written in, for HTML's `dir`."""
    base, *rest = tag.split("-")
    script = rest[0] if rest and len(rest[0]) == 4 else ""
    if script:
        return "rtl" if script in ("Arab", "Hebr") else "ltr"
    return "rtl" if base in _RIGHT_TO_LEFT else "ltr"


@cache
def _find_locale(name: str) -> Locale:
    return Locale.parse(name)


@dataclass(frozen=True)
class Language:
    """A language that pages are in: its BCP 47 tag, its own name, and Babel's name for it.

    The names of the locales have a country, which decides on what day a week begins. `reviewed`
    says whether a native reader has gone over the translation.
    """

    tag: str
    name: str
    locale_name: str
    reviewed: bool = False

    @property
    def locale(self) -> Locale:
        return _find_locale(self.locale_name)

    @property
    def direction(self) -> str:
        return text_direction(self.tag)


ENGLISH = Language("en", "English", "en_GB", reviewed=True)
LANGUAGES = (
    ENGLISH,
    Language("ur", "اردو", "ur_PK"),
    Language("ps", "پښتو", "ps_AF"),
    Language("fa-AF", "دری", "fa_AF"),
)

# Dari has a code of its own, which some devices ask with.
_BY_BASE = {one.tag.split("-")[0]: one for one in LANGUAGES} | {"prs": LANGUAGES[3]}
TAGS = frozenset({*_BY_BASE, *(one.tag for one in LANGUAGES)})
"""The tags by which pages can be asked for."""


@dataclass(frozen=True)
class Said:
    """A text in the language that it was found in; in a template it brings its `lang` and `dir`."""

    text: str
    language: str

    @property
    def attributes(self) -> Markup:
        """`lang` and `dir`, for an element that holds nothing else."""
        return Markup('lang="{}" dir="{}"').format(self.language, text_direction(self.language))

    def __html__(self) -> Markup:
        return Markup("<bdi {}>{}</bdi>").format(self.attributes, self.text)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Reader:
    """Who reads a page: the language of the page, and the tag in which texts are wanted.

    `explicit` says that the address names the language, so links have to go on doing so.
    `time_zone` (an IANA name) is where the reader is: lists are by its days and hours.
    `chosen_zone` is the same where the address names it, so that links name it too, else empty.
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
        """This reader with the zone that an address names; empty for none."""
        return replace(self, time_zone=name, chosen_zone=name) if name else self

    def default_zone(self, name: str) -> Reader:
        """This reader in a zone, unless the address names another."""
        return self if self.chosen_zone else replace(self, time_zone=name)

    def today(self, now: datetime) -> date:
        """The reader's day at a moment."""
        return now.astimezone(self.zone).date()

    def say(self, text: Text, own: str) -> Said:
        """A text in the reader's language, else in `own`, the calendar's or the event's."""
        found = language_of(text, self.tag, own)
        return Said(text[found], found)


def choose_reader(wanted: str, accepted: str) -> Reader:
    """The reader of a page: `?lang=` as it was given, empty for none, and Accept-Language.

    A language that pages are not in may still be one that events are in.
    """
    try:
        tag = check_language(wanted) if wanted else ""
    except ValueError:
        tag = ""
    language = _find(tag) if tag else None
    if language is not None:
        return Reader(language, tag, explicit=True)
    language = choose_accepted(accepted)
    return Reader(language, tag or language.tag, explicit=bool(tag))


def nearest_language(tag: str, known: Container[str]) -> str:
    """A tag, or what is left of it without its last parts, that is known; else "" (RFC 4647, 3.4).

    So there are only as many answers as there are languages, whatever is asked for.
    """
    while tag and tag not in known:
        tag = tag.rpartition("-")[0]
    return tag


def choose_accepted(accepted: str) -> Language:
    """The first language of an Accept-Language header that pages are in (RFC 9110, 12.5.4)."""
    return _choose_accepted(accepted) if len(accepted) <= 500 else ENGLISH


@lru_cache(maxsize=1024)
def _choose_accepted(accepted: str) -> Language:
    for tag, quality in parse_accept_header(accepted, LanguageAccept):
        language = _find(tag.replace("_", "-"))
        if language is not None and quality > 0:
            return language
    return ENGLISH


def _find(tag: str) -> Language | None:
    return _BY_BASE.get(tag.split("-")[0].lower())
