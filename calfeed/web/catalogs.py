"""The gettext catalogs of pages and mails."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from babel.support import NullTranslations, Translations

TRANSLATIONS = Path(__file__).parent / "translations"
"""The folder of the catalogs, for all languages except English."""


@cache
def load_catalog(locale: str) -> NullTranslations:
    """Load the catalog of a locale (`fa_AF`); texts without a translation stay in English."""
    return Translations.load(TRANSLATIONS, [locale])


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
    """Return the texts of mails in a language (BCP 47 tag), such as `fa-AF`.

    They are in English if there is no catalog of it, or none any more.
    """
    catalog = load_catalog(language.replace("-", "_"))
    return CatalogWording(language if isinstance(catalog, Translations) else "en", catalog)
