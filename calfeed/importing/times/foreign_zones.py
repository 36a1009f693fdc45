"""Find IANA zones by the names of other programs: Windows names, vendor prefixes, offsets.

Names in common use are in `zone_names`. Windows names and current names come from CLDR by way of
Babel.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import cache
from itertools import chain
from zoneinfo import ZoneInfo, available_timezones

from babel.core import get_global

from calfeed.definitions.formats import zone_names

# The most populous zones, the largest first; neither CLDR nor tzdata has populations.
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
# Display names in Windows that are neither cities nor names of standard times.
_DISPLAY_NAMES = {
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
_ZERO = timedelta()
_SHOWN_OFFSET = re.compile(r"\((?:UTC|GMT)([^)]*)\)\s*(\S.*)", re.IGNORECASE | re.DOTALL)


def find_iana_zone(name: str) -> ZoneInfo | None:
    """Return the zone of an IANA name, ignoring case and a vendor prefix.

    An example is "/example.org/20240101/America/Argentina/Salta". Returns None if unknown.
    """
    text = name.strip(' "/')
    parts = text.split("/")
    tails = ("/".join(parts[place:]) for place in range(len(parts)))
    return next((zone for tail in tails if (zone := _zone_or_none(tail))), None)


def find_windows_zone(name: str) -> ZoneInfo | None:
    """Return the zone of a Windows name or display name, None if unknown.

    Examples are "Eastern Standard Time" and "(UTC-05:00) Eastern Time (US & Canada)". A displayed
    city must have the displayed offset.
    """
    text = name.strip(' "')
    # Outlook numbers the zones of a message: "Eastern Standard Time 1".
    if found := _windows(re.sub(r"[ /]\d+$", "", text)):
        return _zone_or_none(found)
    shown = _SHOWN_OFFSET.fullmatch(text)
    words, offset = (shown[2], find_offset(f"UTC{shown[1]}")) if shown else (text, None)
    return _zone_or_none(_shown_by_windows(words, offset))


def find_offset(name: str) -> timedelta | None:
    """Return the UTC offset of a name like "UTC+03:00", "GMT+0300", "(UTC)"."""
    found = _OFFSET.fullmatch(name.strip())
    if found is None or int(found[2] or found[5] or 0) > 14 or int(found[3] or found[6] or 0) > 59:
        return None
    sign, hours, minutes = found.group(1, 2, 3) if found[4] is None else found.group(4, 5, 6)
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    return -offset if sign == "-" else offset


def fixed_zone(offset: timedelta) -> ZoneInfo | None:
    """Return the zone with a fixed UTC offset, which exists only for whole hours."""
    hours, rest = divmod(offset, timedelta(hours=1))
    return None if rest else _zone_or_none(f"Etc/GMT{-hours:+d}" if hours else "UTC")


def is_place(zone: ZoneInfo) -> bool:
    """Return whether a zone is a place, not an offset or abbreviation ("EST", "Etc/GMT+5")."""
    return "/" in zone.key and not zone.key.startswith("Etc/")


@cache
def zones_by_population() -> tuple[str, ...]:
    """Return zone names: the most populous first, then those of Windows, then all others."""
    windows = map(current_name, get_global("windows_zone_mapping").values())
    rest = map(current_name, sorted(available_timezones()))
    names = dict.fromkeys(chain(_MOST_POPULOUS, windows, rest))
    return tuple(name for name in names if (zone := _zone_or_none(name)) and is_place(zone))


def current_name(name: str) -> str:
    """Return CLDR's current name of a zone: Asia/Kolkata for Asia/Calcutta."""
    current: str = get_global("zone_aliases").get(name, name)
    return current


def _shown_by_windows(words: str, offset: timedelta | None) -> str:
    """Return the zone of a Windows display name (a kind of time, or cities), "" if unknown."""
    plain = re.sub(r"\s*\(.*\)$", "", words)
    for each in (words, plain):
        if name := _windows(_DISPLAY_NAMES.get(each, "")) or _windows(f"{each} Standard Time"):
            return name
    if name := _windows(re.sub(r"Time$", "Standard Time", plain)):
        return name
    cities = [each.strip().removesuffix(" Is.") for each in plain.split(",")]
    found = [name for city in cities if (name := _city(city)) and _has_offset(name, offset)]
    windows = set(map(current_name, get_global("windows_zone_mapping").values()))
    return next((name for name in found if name in windows), found[0] if found else "")


def _windows(name: str) -> str:
    found: str = get_global("windows_zone_mapping").get(name, "")
    return current_name(found)


def _city(city: str) -> str:
    return _windows(_DISPLAY_NAMES.get(city, "")) or _cities().get(city.lower(), "")


def _has_offset(name: str, offset: timedelta | None) -> bool:
    """Return whether an offset is the zone's offset outside summer time."""
    january, july = (datetime(2026, month, 1, tzinfo=ZoneInfo(name)) for month in (1, 7))
    return offset == min(january.utcoffset() or _ZERO, july.utcoffset() or _ZERO)


@cache
def _cities() -> dict[str, str]:
    """Return the current names of zones by city."""
    names = (name for name in sorted(available_timezones()) if "/" in name)
    return {
        name.rpartition("/")[2].replace("_", " ").lower(): current_name(name)
        for name in names
        if not name.startswith(("Etc/", "posix/", "right/", "US/", "SystemV/"))
    }


@cache
def _names_in_any_case() -> dict[str, str]:
    return {name.lower(): name for name in available_timezones()}


def _zone_or_none(name: str) -> ZoneInfo | None:
    found = zone_names.find_zone(_names_in_any_case().get(name.lower(), ""))
    return ZoneInfo(found) if found else None
