"""The gettext catalogs for pages and mails that calfeed ships, and the order of look-ups."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from babel.support import NullTranslations, Translations

from calfeed.model.site import SHIPPED_LANGUAGES
from calfeed.model.texts import list_bases

TRANSLATIONS = Path(__file__).parent / "translations"
"""The folder with the catalogs of all languages except English, and with their template."""


def list_fallbacks(tag: str) -> list[str]:
    """List the languages in which a text is looked up, in order: `fr-CA`, `fr`, `en`."""
    return list(dict.fromkeys([*list_bases(tag), "en"]))


def find_shipped(tag: str) -> Translations | None:
    """Load the shipped catalog of exactly this language, without fallbacks; None if it has none."""
    if tag not in SHIPPED_LANGUAGES or tag == "en":
        return None
    # The file is named in full, because gettext's own search would fall back from `fr_CA` to `fr`.
    file = TRANSLATIONS / tag.replace("-", "_") / "LC_MESSAGES" / "messages.mo"
    with file.open("rb") as compiled:
        return Translations(compiled)


def chain_catalogs(
    tag: str, find_own: Callable[[str], NullTranslations | None] = lambda _: None
) -> NullTranslations:
    """Return the translations of a language. A text that a catalog does not have is looked up in
    the next one: first the site's own, then the shipped one, then those of the base language; as a
    last resort, it is in English.

    `find_own` returns a new object with the site's own translations of one language, or None.
    """
    found = [
        catalog
        for each in list_fallbacks(tag)
        for catalog in (find_own(each), find_shipped(each))
        if catalog is not None
    ]
    first, *others = [*found, NullTranslations()]
    for other in others:
        first.add_fallback(other)
    return first


@cache
def load_shipped(tag: str) -> NullTranslations:
    """Load the shipped translations of a language; texts without a translation are in English."""
    return chain_catalogs(tag)


@dataclass(frozen=True)
class CatalogWording:
    """The texts of mails in one language, a BCP 47 tag."""

    language: str
    catalog: NullTranslations

    def gettext(self, text: str, **values: object) -> str:
        """Translate a text and interpolate values (`%(name)s`)."""
        translated = self.catalog.ugettext(text)
        return translated % values if values else translated

    def ngettext(self, one: str, many: str, number: int, **values: object) -> str:
        """Translate a text with the plural form of a number, `%(num)s`."""
        return self.catalog.ungettext(one, many, number) % {"num": number, **values}


@cache
def wording_in(language: str) -> CatalogWording:
    """Return the shipped texts of mails in a language (BCP 47 tag), such as `fa-AF`.

    They are in English if there is no catalog for the language.
    """
    known = language if language in SHIPPED_LANGUAGES else "en"
    return CatalogWording(known, load_shipped(known))
