"""The reader of a request: the language of the page, and addresses that stay in it."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

from flask import Flask, g, request

from calfeed.web.dates import write_city, write_number, write_part, write_short_day
from calfeed.web.languages import LANGUAGES, Language, Reader, choose_reader
from calfeed.web.wording import install

_KEPT = ("category", "month", "q", "view", "year", "zone")
"""What of a page's address a change of its language keeps."""


def read_in_languages(app: Flask) -> None:
    """Let an application speak the language of each request's reader."""
    install(app, lambda: g.reader.language.locale_name)

    @app.before_request
    def choose() -> None:
        wanted, accepted = request.args.get("lang", ""), request.headers.get("Accept-Language", "")
        g.reader = choose_reader(wanted, accepted)

    @app.context_processor
    def offer() -> dict[str, Any]:
        reader: Reader = g.reader
        return {
            "reader": reader,
            "here": reader.language,
            "languages": [(one, in_language(one)) for one in LANGUAGES],
            "to": address,
            "digits": lambda number: write_number(number, reader.language),
            "part": lambda day, pattern: write_part(day, pattern, reader.language),
            "short_day": lambda day: write_short_day(day, reader.language),
            "zone_name": lambda zone: write_city(zone, reader.language),
        }


def address(path: str, **query: str | tuple[str, ...] | None) -> str:
    """A path with a query, in one order, that keeps the language the reader asked for."""
    reader: Reader = g.reader
    entries = {name: value for name, value in sorted(query.items()) if value}
    if reader.explicit:
        entries = dict(sorted((entries | {"lang": reader.tag}).items()))
    text = urlencode(entries, doseq=True)
    return quote(path) + (f"?{text}" if text else "")


def in_language(language: Language) -> str:
    """The address of this page in another language; of a page in error, that of the home page."""
    if g.get("in_error"):
        return f"/?lang={language.tag}"
    entries = {name: request.args.getlist(name) for name in _KEPT if request.args.get(name)}
    entries = dict(sorted({**entries, "lang": [language.tag]}.items()))
    return quote(request.path) + "?" + urlencode(entries, doseq=True)
