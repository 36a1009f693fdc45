"""IANA time zone names, and suggestions for other names.

Suggestions for abbreviations, countries and cities come from tzdata and Unicode's CLDR.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo, available_timezones

from calfeed.errors import InvalidValueError
from calfeed.model.texts import nearest, shortened

# Names in zone databases that are not time zones of a place.
_SPECIAL_NAMES = re.compile(r"(posix|right)/.*|Factory|localtime|posixrules", re.IGNORECASE)
_FIXED_OFFSET = re.compile(
    r"(?:utc|gmt|z)?\s*(?:([+-])?\s*(\d{1,2})(?::?(\d\d))?)", re.IGNORECASE | re.ASCII
)
_MAX_LISTED_PLACES = 6
_EXAMPLES = "such as Asia/Karachi, America/New_York or UTC"
# Winter and summer of a year that uses the current rules of each zone.
_SEASONS = (datetime(2037, 1, 1, 12), datetime(2037, 7, 1, 12))  # noqa: DTZ001 (wall times)
# Languages of country names, and English locales with abbreviations of their own.
_LANGUAGES = ("en", "ur", "fa", "ps")
_ENGLISH = ("en", "en_GB", "en_IN", "en_AE", "en_SG", "en_HK", "en_AU", "en_NZ", "en_ZA")


def check_zone(name: str) -> str:
    """Return the name of an IANA time zone; raise ValueError, with suggestions, if unknown."""
    text = name.strip()
    if zone := find_zone(text):
        return zone
    if found := _FIXED_OFFSET.fullmatch(text):
        places = _places_with_offset(found)
        example = f"such as {join_places(places)}" if places else "by its IANA name"
        raise InvalidValueError(
            text,
            f"is a fixed offset, not a time zone; name the place, {example}, so that its "
            "clock changes are known (or UTC)",
        )
    places = find_places(text)
    if places:
        hint = f"name the place that is meant, such as {join_places(places)}"
        hint = f"did you mean {places[0]}?" if len(places) == 1 else hint
    else:
        near = nearest(_normalize(text[:100]), _names(), cutoff=0.8)
        hint = f"did you mean {_names()[near]}?" if near else f"name the place, {_EXAMPLES}"
    raise InvalidValueError(shortened(text), f"is not an IANA time zone; {hint}")


def find_zone(name: str) -> str | None:
    """Return the name if it is an IANA time zone, else None."""
    if _SPECIAL_NAMES.fullmatch(name):
        return None
    try:
        return ZoneInfo(name).key
    except (ValueError, OSError, LookupError):
        return None


def find_places(text: str) -> list[str]:
    """Return the IANA zones that a name may mean, the best known first.

    The name may be a city, a country, an abbreviation (PKT), or a name such as "Pacific Time".
    """
    name = _normalize(text[:100])
    if zone := _names().get(name):
        return [zone]
    countries, abbreviations = _countries().get(name, []), _abbreviations().get(name, [])
    if len(name) == 2:  # ambiguous: PT is Portugal or Pacific Time
        return list(dict.fromkeys([*abbreviations, *countries]))
    return countries or abbreviations if len(name) > 3 else abbreviations or countries


def explain_abbreviation(zone: str) -> str:
    """Return a warning about an IANA zone named by an abbreviation; "" for any other zone.

    EST is an example: it has no summer time, so its times are an hour off in summer.
    """
    if not re.fullmatch("[A-Z]{3}", zone) or zone in ("UTC", "GMT", "UCT"):
        return ""
    winter, summer = _offsets(zone)
    places = find_places(zone)
    if winter != summer or not places:  # PRC and ROK are countries
        return ""
    return (
        f'"{zone}" is the same time all year, without summer time; if the clocks change where the '
        f"event takes place, write a place, such as {join_places(places)}"
    )


def join_places(places: list[str]) -> str:
    """Join the first places as in a sentence: "A, B or C"."""
    *most, last = places[:_MAX_LISTED_PLACES]
    return f"{', '.join(most)} or {last}" if most else last


def _normalize(text: str) -> str:
    return re.sub(r"[\s_]+", " ", text).strip().rstrip(".").lower()


def _offsets(zone: str) -> tuple[timedelta, timedelta]:
    winter, summer = (wall.replace(tzinfo=ZoneInfo(zone)).utcoffset() for wall in _SEASONS)
    return winter or timedelta(), summer or timedelta()


def _places_with_offset(found: re.Match[str]) -> list[str]:
    """Return places that always have this UTC offset."""
    offset = timedelta(hours=int(found[2]), minutes=int(found[3] or 0))
    offset = -offset if found[1] == "-" else offset
    return [zone for zone in _current_zones() if _offsets(zone) == (offset, offset)][:3]


@cache
def _names() -> dict[str, str]:
    """Return zones by name and by city."""
    zones = {
        zone for zone in available_timezones() if "/" in zone and not _SPECIAL_NAMES.match(zone)
    }
    places = [row[2] for row in _table("zone.tab")]
    regions = {zone.partition("/")[0] for zone in places}
    # Old names of zones come after the names in the table of places.
    places += sorted(zone for zone in zones if zone.partition("/")[0] in regions)
    named = {_normalize(zone): zone for zone in sorted(zones)}
    for zone in places:
        named.setdefault(_normalize(zone.rpartition("/")[2]), zone)
    return named


@cache
def _current_zones() -> tuple[str, ...]:
    """Return one zone, the most populous, for all zones with the same future; best known first."""
    known = set(_windows().values())
    return tuple(
        sorted((row[2] for row in _table("zonenow.tab")), key=lambda zone: zone not in known)
    )


@cache
def _windows() -> dict[str, str]:
    """Return the main IANA zone of each Windows zone name."""
    from babel.core import get_global

    newer = get_global("zone_aliases")
    return {
        name: newer.get(zone, zone) for name, zone in get_global("windows_zone_mapping").items()
    }


@cache
def _abbreviations() -> dict[str, list[str]]:
    """Return zones by their abbreviations, and by their names in CLDR and Windows."""
    from babel import Locale

    found: dict[str, list[str]] = {}
    areas = _areas()
    for language in _ENGLISH:
        for area, names in Locale.parse(language).meta_zones.items():
            if area in areas:
                for name in (*names.get("short", {}).values(), *names.get("long", {}).values()):
                    _add(found, name, areas[area])
                    _add(found, name.removesuffix(" Time").removesuffix(" Standard"), areas[area])
    for zone in _current_zones():
        for season in _SEASONS:
            _add(found, season.replace(tzinfo=ZoneInfo(zone)).tzname() or "", zone)
    for name, zone in _windows().items():
        if _normalize(name) not in found:
            _add(found, name, zone)
    return found


def _add(found: dict[str, list[str]], name: str, zone: str) -> None:
    places = found.setdefault(_normalize(name), [])
    if zone not in places and not re.match(r"[+-]\d", name):
        places.append(zone)


def _areas() -> dict[str, str]:
    """Return the best known zone of each CLDR metazone."""
    from babel import Locale
    from babel.core import get_global

    areas: dict[str, str] = {}
    for area, names in Locale.parse("en").meta_zones.items():
        # Windows uses many of these names too, each for the best known place.
        if zone := _windows().get(names.get("long", {}).get("standard", "")):
            areas[area] = zone
    named = get_global("meta_zones")
    for zone in (*_current_zones(), *(row[2] for row in _table("zone.tab"))):
        if zone in named:
            areas.setdefault(named[zone], zone)
    return areas


@cache
def _countries() -> dict[str, list[str]]:
    """Return zones by country name and code, one for each UTC offset in the country."""
    from babel import Locale
    from babel.core import get_global

    zones: dict[str, dict[tuple[timedelta, timedelta], str]] = {}
    for code, _, zone, *_ in _table("zone.tab"):
        zones.setdefault(code, {}).setdefault(_offsets(zone), zone)
    names: dict[str, str] = {code.lower(): code for code in zones}
    names |= {_normalize(name): code for code, name, *_ in _table("iso3166.tab")}
    for language in _LANGUAGES:
        territories = Locale.parse(language).territories
        names |= {_normalize(name): code for code, name in territories.items()}
    for alias, codes in get_global("territory_aliases").items():
        if len(codes) == 1:
            names.setdefault(_normalize(alias), codes[0])
    return {name: list(zones[code].values()) for name, code in names.items() if code in zones}


def _table(name: str) -> Iterator[list[str]]:
    """Return the rows of a tzdata table, without comments."""
    text = files("tzdata.zoneinfo").joinpath(name).read_text("utf-8")
    rows: Iterable[str] = (line for line in text.splitlines() if line and line[0] != "#")
    return (row.split("\t") for row in rows)
