"""The reader of a page: language and time zone, and the choice of translations."""

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

from calfeed.model.texts import check_language
from calfeed.model.values import Text, language_of

_RIGHT_TO_LEFT = {"ar", "dv", "fa", "he", "ku", "ps", "sd", "ug", "ur", "yi"}


def text_direction(tag: str) -> str:
    """Return the writing direction of a language (BCP 47 tag), for HTML's `dir`."""
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
    """A language of the pages: BCP 47 tag, native name, and Babel locale.

    The locale includes a country, which determines the first day of the week. `reviewed` is true
    if a native speaker has reviewed the translation.
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

# Some devices use Dari's own code.
_BY_BASE = {language.tag.split("-")[0]: language for language in LANGUAGES} | {"prs": LANGUAGES[3]}
TAGS = frozenset({*_BY_BASE, *(language.tag for language in LANGUAGES)})
"""The tags that select a language of the pages."""


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
    """The reader of a page: its language, and the preferred tag of event texts.

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
        """Return a text in the reader's language, or else in `own`, the event's or calendar's."""
        found = language_of(text, self.tag, own)
        return LocalizedText(text[found], found)


def choose_reader(wanted: str, accepted: str) -> Reader:
    """Return the reader for a `lang` parameter (may be empty) and an Accept-Language header.

    Event texts may exist in languages that pages do not have.
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
    """Return the longest known prefix of a tag, or "" (RFC 4647, 3.4).

    This bounds the number of distinct responses.
    """
    while tag and tag not in known:
        tag = tag.rpartition("-")[0]
    return tag


def choose_accepted(accepted: str) -> Language:
    """Return the preferred language of pages for Accept-Language (RFC 9110, 12.5.4)."""
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
