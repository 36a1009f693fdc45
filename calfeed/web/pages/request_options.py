"""Options of a page request: language and page of a list; and URLs that preserve them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

from flask import Flask, abort, g, request

from calfeed.web.pages.lists.listing import PageRequest, Place, read_place
from calfeed.web.pages.query import CHOICE
from calfeed.web.pages.reader.dates import write_city, write_number, write_part, write_short_day
from calfeed.web.pages.reader.languages import Reader, choose_reader
from calfeed.web.pages.reader.locales import Language
from calfeed.web.pages.reader.offers import SiteLanguages
from calfeed.web.pages.reader.time_zones import list_zones
from calfeed.web.pages.reader.wording import gettext, install

_KEPT_FOR_LANGUAGE = (
    *CHOICE,
    *("begun", "from", "month", "q", "skip", "until", "view", "year", "zone"),
)
"""Parameters to keep in links to other languages."""

_EMBED_LOOK = ("accent", "border", "theme")

_KEPT_FOR_ZONE = (*CHOICE, "begun", "from", "month", "q", "until", "view", "year", *_EMBED_LOOK)


def add_reader(app: Flask, offered: Callable[[], SiteLanguages]) -> None:
    """Set the reader of each request, and add functions for that reader to the templates.

    `offered` returns the languages that the site offers now.
    """
    install(app, lambda: g.reader.language.catalog)

    @app.before_request
    def choose() -> None:
        wanted, accepted = request.args.get("lang", ""), request.headers.get("Accept-Language", "")
        g.offered = offered()
        g.reader = choose_reader(wanted, accepted, g.offered)

    @app.context_processor
    def offer() -> dict[str, Any]:
        reader: Reader = g.reader
        return {
            "reader": reader,
            "here": reader.language,
            "languages": [(language, in_language(language)) for language in g.offered],
            "root": request.script_root,
            "to": address,
            "colon": reader.language.formats.colon,
            "comma": reader.language.formats.comma,
            "link_to_page": link_to_page,
            "zone_form_fields": list_zone_form_fields,
            "zones": lambda *others: list_zones(reader, *others),
            # Isolates a word in another script, such as a version, from the sentence around it.
            "isolated": lambda text: f"\u2068{text}\u2069",
            "digits": lambda number: write_number(number, reader.language),
            "part": lambda day, pattern: write_part(day, pattern, reader.language),
            "short_day": lambda day: write_short_day(day, reader.language),
            "zone_name": lambda zone: write_city(zone, reader.language),
        }


def list_varying_headers() -> str:
    """Return the request headers that the bytes of a page depend on, for `Vary`."""
    return "Accept-Encoding, Accept-Language" if g.offered.several else "Accept-Encoding"


def address(path: str, /, **query: str | tuple[str, ...] | None) -> str:
    """Return a link to a path of the site that keeps the language and zone of this request."""
    reader: Reader = g.reader
    kept = {"lang": reader.tag if reader.explicit else "", "zone": reader.chosen_zone}
    entries = {name: value for name, value in sorted({**kept, **query}.items()) if value}
    text = urlencode(entries, doseq=True)
    return request.script_root + quote(path) + (f"?{text}" if text else "")


def read_page_request() -> PageRequest | None:
    """Return the requested page of a list; abort with 404 if it is not valid."""
    for name in ("from", "until"):
        if day := request.args.get(name, ""):
            place = read_place(day, request.args.get("skip", ""), request.args.get("begun", ""))
            if place is None:
                abort(404, gettext("There is no such day."))
            return PageRequest(place, forward=name == "from")
    return None


def link_to_page(place: Place, name: str) -> str:
    """Return the URL of the page of this list that begins (`from`) or ends (`until`) at a place."""
    kept = {key: tuple(request.args.getlist(key)) for key in (*CHOICE, "q")}
    skip = str(place.skip) if place.skip else ""
    begun = "" if place.begun is None else str(place.begun)
    return address(request.path, **kept, **{name: f"{place.day}"}, skip=skip, begun=begun)


def list_zone_form_fields() -> list[tuple[str, str]]:
    """Return the parameters to keep in the time zone form: names and values."""
    reader: Reader = g.reader
    language = [("lang", reader.tag)] if reader.explicit else []
    return language + [
        (name, value) for name in _KEPT_FOR_ZONE for value in request.args.getlist(name)
    ]


def in_language(language: Language) -> str:
    """Return the URL of this page in another language; on an error page, that of the home page."""
    if g.get("in_error"):
        return f"{request.script_root}/?lang={language.tag}"
    entries = {
        name: request.args.getlist(name) for name in _KEPT_FOR_LANGUAGE if request.args.get(name)
    }
    entries = dict(sorted({**entries, "lang": [language.tag]}.items()))
    return request.script_root + quote(request.path) + "?" + urlencode(entries, doseq=True)
