"""Time zones by the names that other programs give them: Windows', vendors', offsets.

What people call zones is in `zone_names`. Windows' table and today's names of zones are CLDR's, as
Babel carries them.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import cache
from itertools import chain
from zoneinfo import ZoneInfo, available_timezones

from babel.core import get_global

from calfeed.definitions.formats import zone_names

# The zones that most people live by, the largest first. Neither CLDR nor tzdata says how many.
# fmt: off
_MOST_POPULOUS = (
    "Asia/Shanghai", "Asia/Kolkata", "Asia/Jakarta", "America/New_York", "Europe/Berlin",
    "Asia/Karachi", "Africa/Lagos", "America/Sao_Paulo", "Asia/Dhaka", "Asia/Bangkok",
    "Europe/Moscow", "America/Mexico_City", "America/Chicago", "Africa/Nairobi", "Asia/Manila",
    "Europe/Paris", "Asia/Tokyo", "Africa/Cairo", "Africa/Johannesburg", "Asia/Tehran",
    "Asia/Riyadh", "Europe/London", "America/Bogota", "America/Los_Angeles", "Asia/Yangon",
    "America/Argentina/Buenos_Aires", "Asia/Tashkent", "Asia/Kabul", "America/Caracas",
    "Asia/Kathmandu", "Europe/Kyiv", "Europe/Bucharest", "America/Denver", "America/Santiago",
    "Asia/Dubai", "Asia/Jerusalem", "Australia/Sydney", "Asia/Colombo", "America/Havana",
    "America/Halifax", "Pacific/Port_Moresby", "Pacific/Auckland", "America/Phoenix",
    "Australia/Brisbane", "Australia/Adelaide",
)
# fmt: on
# What Windows shows for zones that it names neither after a city nor after their standard time.
_SHOWN = {
    "Arizona": "US Mountain Standard Time",
    "Alaska": "Alaskan Standard Time",
    "Aleutian Islands": "Aleutian Standard Time",
    "Baja California": "Pacific Standard Time (Mexico)",
    "Brasilia": "E. South America Standard Time",
    "Canary Islands": "GMT Standard Time",
    "Central America": "Central America Standard Time",
    "Coordinated Universal Time": "UTC",
    "City of Buenos Aires": "Argentina Standard Time",
    "Fiji": "Fiji Standard Time",
    "Greenland": "Greenland Standard Time",
    "Hawaii": "Hawaiian Standard Time",
    "Indiana (East)": "US Eastern Standard Time",
    "Islamabad": "Pakistan Standard Time",
    "Nuku'alofa": "Tonga Standard Time",
    "Port Louis": "Mauritius Standard Time",
    "Saint Pierre and Miquelon": "Saint Pierre Standard Time",
    "Samoa": "Samoa Standard Time",
    "Saskatchewan": "Canada Central Standard Time",
    "Sri Jayawardenepura": "Sri Lanka Standard Time",
    "West Central Africa": "W. Central Africa Standard Time",
    "New Delhi": "India Standard Time",
    "Mumbai": "India Standard Time",
    "Beijing": "China Standard Time",
    "Edinburgh": "GMT Standard Time",
    "Jerusalem": "Israel Standard Time",
}
_OFFSET = re.compile(
    r"\(?\s*(?:UTC|GMT)\s*(?:([+-])\s*(\d{1,2})(?::?(\d\d))?)?\s*\)?"
    r"|([+-])(\d{2}):?(\d{2})",
    re.IGNORECASE | re.ASCII,
)
_NONE = timedelta()
_SHOWN_OFFSET = re.compile(r"\((?:UTC|GMT)([^)]*)\)\s*(\S.*)", re.IGNORECASE | re.DOTALL)


def find_iana_zone(name: str) -> ZoneInfo | None:
    """The zone of an IANA name, in any case, or of the one after a vendor's own prefix.

    Such is "/example.org/20240101/America/Argentina/Salta". None where there is no such name.
    """
    text = name.strip(' "/')
    parts = text.split("/")
    tails = ("/".join(parts[place:]) for place in range(len(parts)))
    return next((zone for tail in tails if (zone := _known(tail))), None)


def find_windows_zone(name: str) -> ZoneInfo | None:
    """The zone of a name of Windows, or of what Windows shows for one.

    Such are "Eastern Standard Time" and "(UTC-05:00) Eastern Time (US & Canada)". A city that is
    shown has to have the offset that is shown with it. None where the name is not known.
    """
    text = name.strip(' "')
    # Outlook counts the zones of a message: "Eastern Standard Time 1".
    if found := _windows(re.sub(r"[ /]\d+$", "", text)):
        return _known(found)
    shown = _SHOWN_OFFSET.fullmatch(text)
    words, offset = (shown[2], find_offset(f"UTC{shown[1]}")) if shown else (text, None)
    return _known(_shown_by_windows(words, offset))


def find_offset(name: str) -> timedelta | None:
    """The offset from UTC that is all that a name says: "UTC+03:00", "GMT+0300", "(UTC)"."""
    found = _OFFSET.fullmatch(name.strip())
    if found is None or int(found[2] or found[5] or 0) > 14 or int(found[3] or found[6] or 0) > 59:
        return None
    sign, hours, minutes = found.group(1, 2, 3) if found[4] is None else found.group(4, 5, 6)
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    return -offset if sign == "-" else offset


def fixed_zone(offset: timedelta) -> ZoneInfo | None:
    """The zone that is always at an offset from UTC; there are some for whole hours."""
    hours, rest = divmod(offset, timedelta(hours=1))
    return None if rest else _known(f"Etc/GMT{-hours:+d}" if hours else "UTC")


def is_place(zone: ZoneInfo) -> bool:
    """True where a zone is that of a place, and no offset or abbreviation ("EST", "Etc/GMT+5")."""
    return "/" in zone.key and not zone.key.startswith("Etc/")


@cache
def zones_by_population() -> tuple[str, ...]:
    """Zones of places under today's names: the most populous first, then Windows', then all."""
    windows = map(current_name, get_global("windows_zone_mapping").values())
    rest = map(current_name, sorted(available_timezones()))
    names = dict.fromkeys(chain(_MOST_POPULOUS, windows, rest))
    return tuple(name for name in names if (zone := _known(name)) and is_place(zone))


def current_name(name: str) -> str:
    """The name that CLDR has for a zone today: Asia/Kolkata for Asia/Calcutta."""
    today: str = get_global("zone_aliases").get(name, name)
    return today


def _shown_by_windows(words: str, offset: timedelta | None) -> str:
    """The zone of a display name: a kind of time ("Eastern Time (US & Canada)"), or cities."""
    plain = re.sub(r"\s*\(.*\)$", "", words)
    for each in (words, plain):
        if name := _windows(_SHOWN.get(each, "")) or _windows(f"{each} Standard Time"):
            return name
    if name := _windows(re.sub(r"Time$", "Standard Time", plain)):
        return name
    cities = [each.strip().removesuffix(" Is.") for each in plain.split(",")]
    found = [name for city in cities if (name := _city(city)) and _usual(name, offset)]
    windows = set(map(current_name, get_global("windows_zone_mapping").values()))
    return next((name for name in found if name in windows), found[0] if found else "")


def _windows(name: str) -> str:
    found: str = get_global("windows_zone_mapping").get(name, "")
    return current_name(found)


def _city(city: str) -> str:
    return _windows(_SHOWN.get(city, "")) or _cities().get(city.lower(), "")


def _usual(name: str, offset: timedelta | None) -> bool:
    """True where an offset is the one that a zone has without summer time."""
    january, july = (datetime(2026, month, 1, tzinfo=ZoneInfo(name)) for month in (1, 7))
    return offset == min(january.utcoffset() or _NONE, july.utcoffset() or _NONE)


@cache
def _cities() -> dict[str, str]:
    """The zones by the city at the end of their name, under today's names."""
    names = (name for name in sorted(available_timezones()) if "/" in name)
    return {
        name.rpartition("/")[2].replace("_", " ").lower(): current_name(name)
        for name in names
        if not name.startswith(("Etc/", "posix/", "right/", "US/", "SystemV/"))
    }


@cache
def _names_in_any_case() -> dict[str, str]:
    return {name.lower(): name for name in available_timezones()}


def _known(name: str) -> ZoneInfo | None:
    found = zone_names.find_zone(_names_in_any_case().get(name.lower(), ""))
    return ZoneInfo(found) if found else None
