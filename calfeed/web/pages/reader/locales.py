"""The languages of pages and mails: names, translations, and how each writes dates (CLDR)."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

from babel import Locale
from babel.core import get_global
from babel.support import NullTranslations

from calfeed.model.texts import LANGUAGE_ALIASES, check_known_language, text_direction
from calfeed.web.catalogs import load_shipped

_NAMES = {"en": "English", "fa-AF": "دری", "prs": "دری"}
"""Names that are not CLDR's."""

_LOCALES = {"en": "en_GB", "ur": "ur_PK", "ps": "ps_AF"}
"""Locales of languages that are written alike in most countries."""

_ZEROS = {
    "adlm": 0x1E950,
    "arab": 0x0660,
    "arabext": 0x06F0,
    "beng": 0x09E6,
    "cakm": 0x11136,
    "deva": 0x0966,
    "hmnp": 0x1E140,
    "mtei": 0xABF0,
    "mymr": 0x1040,
    "nkoo": 0x07C0,
    "olck": 0x1C50,
    "tibt": 0x0F20,
}
"""The digit zero of each numbering system that a locale has by default; the others follow it."""


@dataclass(frozen=True)
class Formats:
    """How a language writes dates: CLDR patterns, and patterns with {0} and {1}.

    `joined` has {1} for the day and {0} for the time, `span` has two dates or times, `parts` two
    parts of a duration. `comma` separates phrases that are not sentences, `colon` a label from its
    text.
    """

    day: str
    short_day: str
    month: str
    year: str
    clock: str
    joined: str
    span: str
    parts: str
    comma: str
    colon: str = ": "


_URDU_PASHTO_DARI = Formats(
    day="EEEE'، 'd MMMM y",
    short_day="d MMMM y",
    month="LLLL y",
    year="y",
    clock="HH:mm",
    joined="{1}، {0}",
    span="{0} – {1}",
    parts="{0} {1}",
    comma="، ",
)
"""CLDR has other formats for these languages, which are not in common use."""

_COLONS = {"fr": "\u00a0: ", "ja": "：", "zh": "："}

_OWN_FORMATS = dict.fromkeys(("ur_PK", "ps_AF", "fa_AF"), _URDU_PASHTO_DARI)


@dataclass(frozen=True)
class Language:
    """A language of pages and mails: BCP 47 tag, native name, and the name of its CLDR locale.

    `reviewed` is false if it has machine translations that no native speaker has reviewed. `own`
    are its translations if the site has some of its own. `first_day` is the first day of the week
    (0 is Monday) if the site sets it.
    """

    tag: str
    name: str
    locale_name: str
    reviewed: bool = False
    own: NullTranslations | None = field(default=None, compare=False, repr=False)
    first_day: int | None = None

    @property
    def locale(self) -> Locale:
        return _find_locale(self.locale_name)

    @property
    def direction(self) -> str:
        return text_direction(self.tag)

    @property
    def catalog(self) -> NullTranslations:
        return self.own or load_shipped(self.tag)

    @property
    def formats(self) -> Formats:
        return _OWN_FORMATS.get(self.locale_name) or _read_formats(self.locale_name)

    @property
    def digits(self) -> dict[int, int]:
        """The digits of the language by ASCII digits, for `str.translate`."""
        return _find_digits(self.locale.default_numbering_system)

    @property
    def first_weekday(self) -> int:
        """The first day of the week; Monday is 0."""
        if self.first_day is not None:
            return self.first_day
        return _find_first_weekday(self.locale_name)


def name_locale(tag: str) -> str:
    """Return the CLDR locale of a language, such as `fa_AF`.

    Raises InvalidValueError for a tag (BCP 47) of a language that CLDR does not know.
    """
    checked = check_known_language(tag)
    own = _LOCALES.get(checked)
    return own or str(Locale.parse(LANGUAGE_ALIASES.get(checked, checked), sep="-"))


def name_language(tag: str) -> str:
    """Return the name of a language in that language, capitalized: "Français".

    Raises InvalidValueError for a tag of a language that CLDR does not know.
    """
    checked = check_known_language(tag)
    if checked in _NAMES:
        return _NAMES[checked]
    # Not by `name_locale`, which would make "ur" into "Urdu (Pakistan)".
    locale = Locale.parse(LANGUAGE_ALIASES.get(checked, checked), sep="-")
    return capitalize(locale.get_display_name() or checked)


def capitalize(text: str) -> str:
    """Return a text with a capital first letter; the others stay."""
    return text[:1].title() + text[1:]


@cache
def _find_locale(name: str) -> Locale:
    return Locale.parse(name)


@cache
def _find_digits(numbering_system: str) -> dict[int, int]:
    zero = _ZEROS.get(numbering_system, ord("0"))
    return {ord("0") + digit: zero + digit for digit in range(10)}


@cache
def _read_formats(locale_name: str) -> Formats:
    locale = _find_locale(locale_name)
    skeletons = locale.datetime_skeletons
    return Formats(
        day=locale.date_formats["full"].pattern,
        short_day=locale.date_formats["long"].pattern,
        month=str(skeletons["yMMMM"].pattern),
        year=str(skeletons["y"].pattern),
        # 24 hours in every language, because feeds and URLs on the same page have such times.
        clock=str(skeletons["Hm"].pattern),
        joined=str(locale.datetime_formats["full"]).replace("'", ""),
        # Thin spaces are missing in many fonts.
        span=str(locale.interval_formats[None]).replace("\u2009", " "),
        parts=_find_parts(locale),
        comma=_find_comma(locale),
        colon=_COLONS.get(locale.language, ": "),
    )


def _find_parts(locale: Locale) -> str:
    styles = locale.list_patterns
    named = ("unit-narrow", "unit-short", "unit", "standard")
    pattern: str = next(styles[each]["2"] for each in named if "2" in styles.get(each, {}))
    return pattern


def _find_comma(locale: Locale) -> str:
    comma: str = locale.list_patterns["standard"]["start"].replace("{0}", "").replace("{1}", "")
    if any(letter.isalpha() for letter in comma):  # in Arabic, it is the word for "and"
        return "، " if text_direction(str(locale).replace("_", "-")) == "rtl" else ", "
    return comma


def _find_first_weekday(locale_name: str) -> int:
    locale = _find_locale(locale_name)
    likely = get_global("likely_subtags").get(locale_name, "")
    if locale.territory is None and likely:
        # The first day of the week depends on the country, not on the language.
        locale = _find_locale("und_" + likely.split("_")[-1])
    return locale.first_week_day
