"""Render VTIMEZONE components (RFC 5545, 3.6.5) that calendar apps read correctly.

Outlook misreads RDATEs and rules without BYDAY, so yearly changes are RRULEs with BYDAY. Only the
observances that the years in use need are written.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache

from icalendar import Timezone, TimezoneDaylight, TimezoneStandard

from calfeed.errors import InvalidInputError
from calfeed.ical.zones.tzrules import BEGINNING, HORIZON, Observance, Onset, find_observances

_FIRST_YEAR_OF_FIXED_ZONES = 1970
"""The start year of zones without changes, as in other calendars."""

_MAX_LOCAL_DIFFERENCE = timedelta(days=2)
"""More than the largest difference between local time and UTC."""


@lru_cache(maxsize=1024)
def render_vtimezone(time_zone: str, first: int, last: int | None) -> bytes:
    """Render the VTIMEZONE of an IANA zone for the years `first` to `last` (inclusive).

    `last` is None for an endless range. TZID is `time_zone` unchanged. The bytes are deterministic
    for the same zone data. Raises InvalidInputError for an unknown zone, and for years that are
    not in order between 1 and 9999.
    """
    if not 1 <= first <= (9999 if last is None else last) <= 9999:
        raise InvalidInputError(f"{first} to {last} is not a range of years between 1 and 9999")
    component = Timezone()
    component.add("TZID", time_zone)
    for observance in _select(find_observances(time_zone), first, last):
        component.add_component(_build(observance, first))
    text: bytes = component.to_ical()
    return text


@lru_cache(maxsize=1024)
def is_utc(time_zone: str) -> bool:
    """Return whether a zone has always been equal to UTC (`Etc/UTC`, `GMT`, `Zulu`).

    Its times are written with Z and without a VTIMEZONE. `Africa/Abidjan` is not such a zone: it
    had its own time before 1912. Raises InvalidInputError for an unknown zone.
    """
    onsets = [onset for observance in find_observances(time_zone) for onset in observance.onsets]
    return all(not onset.offset_to for onset in onsets)


@lru_cache(maxsize=1024)
def canonical_zone(time_zone: str) -> str:
    """Return the name that CLDR gives a zone now: `America/New_York` for `US/Eastern`.

    Some clients misread old names even with a correct VTIMEZONE. A name is kept if its rules
    differ in any year from those of the current name. Raises InvalidInputError for an unknown zone.
    """
    # Imported late: loading Babel's table takes 60 ms, and most commands render nothing.
    from babel.core import get_global

    name: str = get_global("zone_aliases").get(time_zone, time_zone)
    return name if find_observances(name) == find_observances(time_zone) else time_zone


def _select(observances: tuple[Observance, ...], first: int, last: int | None) -> list[Observance]:
    """Return the observances in force between the start of `first` and the end of `last`."""
    onsets = sorted(
        (onset for observance in observances for onset in observance.onsets),
        key=lambda onset: onset.instant,
    )
    past = [onset for onset in onsets if (onset.wall + _MAX_LOCAL_DIFFERENCE).year < first]
    in_force = past[-1] if past else onsets[0]
    used = {in_force} | {
        onset
        for onset in onsets[len(past) :]
        if last is None or (onset.wall - _MAX_LOCAL_DIFFERENCE).year <= last
    }
    if last is None or last > HORIZON:
        used.update(rule.onsets[-1] for rule in observances if rule.endless)
    return [part for observance in observances if (part := _trim(observance, used))]


def _trim(observance: Observance, used: set[Onset]) -> Observance | None:
    onsets = tuple(onset for onset in observance.onsets if onset in used)
    if not onsets or observance.endless:
        return observance if onsets else None
    return Observance(onsets, observance.rule if len(onsets) > 1 else None)


def _build(observance: Observance, first: int) -> TimezoneStandard | TimezoneDaylight:
    onset, final = observance.onsets[0], observance.onsets[-1]
    component = TimezoneDaylight() if onset.daylight else TimezoneStandard()
    wall, offset_from = onset.wall, onset.offset_from
    start = datetime(max(min(first - 1, _FIRST_YEAR_OF_FIXED_ZONES), 1), 1, 1)  # noqa: DTZ001 (a wall time)
    if observance.rule is None and (wall == BEGINNING or wall + _MAX_LOCAL_DIFFERENCE < start):
        # Earlier times are not in use; omitting them avoids old offsets with seconds.
        wall, offset_from = start, onset.offset_to
    component.add("DTSTART", wall)
    component.add("TZOFFSETFROM", offset_from)
    component.add("TZOFFSETTO", onset.offset_to)
    component.add("TZNAME", onset.name)
    if observance.rule is not None:
        # One day later than the last onset, as some clients compare UNTIL with local times.
        end = {} if observance.endless else {"UNTIL": final.instant + timedelta(days=1)}
        component.add("RRULE", dict(observance.rule) | end)
    return component
