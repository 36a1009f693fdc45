"""What a request asks for: a language, a page of a list; and addresses that keep the choices."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

from flask import Flask, abort, g, request

from calfeed.web.pages.lists.listing import Place, Turn, read_place
from calfeed.web.pages.reader.dates import write_city, write_number, write_part, write_short_day
from calfeed.web.pages.reader.languages import LANGUAGES, Language, Reader, choose_reader
from calfeed.web.pages.reader.time_zones import list_zones
from calfeed.web.pages.reader.wording import gettext, install

_KEPT = ("category", "from", "month", "q", "skip", "until", "view", "year", "zone")
"""What of a page's address a change of its language keeps."""

_KEPT_IN_ANOTHER_ZONE = ("category", "from", "month", "q", "until", "view", "year")


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
            "turn_to": turn_to,
            "kept": keep_for_zone,
            "zones": lambda *others: list_zones(reader, *others),
            "digits": lambda number: write_number(number, reader.language),
            "part": lambda day, pattern: write_part(day, pattern, reader.language),
            "short_day": lambda day: write_short_day(day, reader.language),
            "zone_name": lambda zone: write_city(zone, reader.language),
        }


def address(path: str, **query: str | tuple[str, ...] | None) -> str:
    """A path with a query, in one order, that keeps the language and zone that were asked for."""
    reader: Reader = g.reader
    kept = {"lang": reader.tag if reader.explicit else "", "zone": reader.chosen_zone}
    entries = {name: value for name, value in sorted({**kept, **query}.items()) if value}
    text = urlencode(entries, doseq=True)
    return quote(path) + (f"?{text}" if text else "")


def read_turn() -> Turn | None:
    """The page of a list that the address asks for; 404 for a day that is none."""
    for name in ("from", "until"):
        if day := request.args.get(name, ""):
            place = read_place(day, request.args.get("skip", ""))
            if place is None:
                abort(404, gettext("There is no such day."))
            return Turn(place, ahead=name == "from")
    return None


def turn_to(place: Place, name: str) -> str:
    """The address of the page of this list that begins (`from`) or ends (`until`) at a place."""
    kept = {key: tuple(request.args.getlist(key)) for key in ("category", "q")}
    skip = str(place.skip) if place.skip else ""
    return address(request.path, **kept, **{name: f"{place.day}"}, skip=skip)


def keep_for_zone() -> list[tuple[str, str]]:
    """What of this page's address a change of its zone keeps: names and values."""
    reader: Reader = g.reader
    language = [("lang", reader.tag)] if reader.explicit else []
    return language + [
        (name, value) for name in _KEPT_IN_ANOTHER_ZONE for value in request.args.getlist(name)
    ]


def in_language(language: Language) -> str:
    """The address of this page in another language; of a page in error, that of the home page."""
    if g.get("in_error"):
        return f"/?lang={language.tag}"
    entries = {name: request.args.getlist(name) for name in _KEPT if request.args.get(name)}
    entries = dict(sorted({**entries, "lang": [language.tag]}.items()))
    return quote(request.path) + "?" + urlencode(entries, doseq=True)
