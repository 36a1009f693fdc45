"""Translate page texts into the reader's language, with gettext catalogs.

`pybabel extract` finds the texts passed to these functions.
"""

from __future__ import annotations

from collections.abc import Callable

from babel.support import NullTranslations
from flask import Flask, current_app

_CATALOG = "calfeed-catalog"

_MARKUP = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;"})


def install(app: Flask, catalog: Callable[[], NullTranslations]) -> None:
    """Add translations to an application; `catalog` returns those for the current request."""
    app.extensions[_CATALOG] = catalog
    app.jinja_env.add_extension("jinja2.ext.i18n")
    # Jinja interpolates and escapes the values, but does not escape the texts themselves.
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]  # of the extension
        lambda text: _catalog().ugettext(text).translate(_MARKUP),
        lambda one, many, number: _catalog().ungettext(one, many, number).translate(_MARKUP),
        newstyle=True,
    )


def gettext(text: str, **values: object) -> str:
    """Translate a text and interpolate values (`%(name)s`)."""
    translated = _catalog().ugettext(text)
    return translated % values if values else translated


def ngettext(one: str, many: str, number: int, **values: object) -> str:
    """Translate a text with the plural form of a number, `%(num)s`."""
    return _catalog().ungettext(one, many, number) % {"num": number, **values}


def _catalog() -> NullTranslations:
    catalog: NullTranslations = current_app.extensions[_CATALOG]()
    return catalog
