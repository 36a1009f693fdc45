"""The words of pages in the language of the request's reader, from the gettext catalogs.

`pybabel extract` finds what is marked with these functions.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

from babel.support import NullTranslations, Translations
from flask import Flask, current_app

TRANSLATIONS = Path(__file__).parents[2] / "translations"
"""The folder of the catalogs, one for each language but English."""

_LOCALE = "calfeed-locale"


def install(app: Flask, locale: Callable[[], str]) -> None:
    """Give an application and its templates the catalogs; `locale` names that of the request."""
    app.extensions[_LOCALE] = locale
    app.jinja_env.add_extension("jinja2.ext.i18n")
    # Jinja puts the values in, escaped.
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]  # of the extension
        lambda text: _catalog().ugettext(text),
        lambda one, many, number: _catalog().ungettext(one, many, number),
        newstyle=True,
    )


def gettext(text: str, **values: object) -> str:
    """A text, with values in the places of `%(name)s`."""
    translated = _catalog().ugettext(text)
    return translated % values if values else translated


def ngettext(one: str, many: str, number: int, **values: object) -> str:
    """The form of a text that goes with a number, which is `%(num)s` in it."""
    return _catalog().ungettext(one, many, number) % {"num": number, **values}


def _catalog() -> NullTranslations:
    return _load(current_app.extensions[_LOCALE]())


@cache
def _load(locale: str) -> NullTranslations:
    return Translations.load(TRANSLATIONS, [locale])
