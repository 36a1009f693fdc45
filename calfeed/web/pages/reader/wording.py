"""The words of the pages in the language of the request's reader, from the catalogs.

Flask-Babel with types: what is marked with these functions is what `pybabel extract` finds.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from flask import Flask
from flask_babel import Babel
from flask_babel import gettext as _gettext
from flask_babel import ngettext as _ngettext

TRANSLATIONS = Path(__file__).parents[2] / "translations"
"""The folder of the catalogs, one for each language but English."""


def install(app: Flask, locale: Callable[[], str]) -> None:
    """Give an application and its templates the catalogs; `locale` names that of the request."""
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(TRANSLATIONS)
    Babel(app, locale_selector=locale)


def gettext(text: str, **values: object) -> str:
    """A text, with values in the places of `%(name)s`."""
    return str(_gettext(text, **values))


def ngettext(one: str, many: str, number: int, **values: object) -> str:
    """The form of a text that goes with a number."""
    return str(_ngettext(one, many, number, **values))
