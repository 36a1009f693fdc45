"""VTIMEZONE components (RFC 5545, 3.6.5) that calendar apps read correctly.

Outlook misreads a zone that is a list of dates (RDATE) and a rule without BYDAY, so every change
that comes yearly is an RRULE with BYDAY. Only what the years in use need is written.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache

from icalendar import Timezone, TimezoneDaylight, TimezoneStandard

from calfeed.errors import InvalidInputError
from calfeed.ical.zones.tzrules import BEGINNING, HORIZON, Observance, Onset, find_observances

_EPOCH = 1970
"""The year from which zones without changes are told, as other calendars do."""

_MARGIN = timedelta(days=2)
"""More than any local time differs from UTC, or from itself when the clocks change."""


@lru_cache(maxsize=1024)
def render_vtimezone(time_zone: str, first: int, last: int | None) -> bytes:
    """Write the VTIMEZONE of an IANA zone for all local times in the years `first` to `last`.

    `last` is included; None means that there is no last year. TZID is the name as it was given.
    The lines end in CRLF; the same zone data gives the same bytes in every process. Raises
    InvalidInputError for an unknown zone, or for years that are not between 1 and 9999 in order.
    """
    if not 1 <= first <= (9999 if last is None else last) <= 9999:
        raise InvalidInputError(f"{first} to {last} are not years in order, between 1 and 9999")
    component = Timezone()
    component.add("TZID", time_zone)
    for observance in _select(find_observances(time_zone), first, last):
        component.add_component(_build(observance, first))
    text: bytes = component.to_ical()
    return text


@lru_cache(maxsize=1024)
def is_utc(time_zone: str) -> bool:
    """Say whether a zone is UTC by another name, at all times (`Etc/UTC`, `GMT`, `Zulu`).

    Its times are best written with Z and without a VTIMEZONE. `Europe/London` is not such a zone,
    nor `Africa/Abidjan`, which kept its own time before 1912. Raises InvalidInputError for an
    unknown zone.
    """
    onsets = [onset for observance in find_observances(time_zone) for onset in observance.onsets]
    return all(not onset.offset_to for onset in onsets)


@lru_cache(maxsize=1024)
def canonical_zone(time_zone: str) -> str:
    """The name that a zone has today, by CLDR: `America/New_York` for `US/Eastern`.

    Some clients misread an old name even where its VTIMEZONE is right. A name whose rules differ
    in any year from those of today's name is kept. Raises InvalidInputError for an unknown zone.
    """
    # Loading Babel's table takes 60 ms, and most commands render nothing.
    from babel.core import get_global

    name: str = get_global("zone_aliases").get(time_zone, time_zone)
    return name if find_observances(name) == find_observances(time_zone) else time_zone


def _select(observances: tuple[Observance, ...], first: int, last: int | None) -> list[Observance]:
    """Find what is in force at the beginning of `first` or begins before the end of `last`."""
    onsets = sorted(
        (onset for observance in observances for onset in observance.onsets),
        key=lambda onset: onset.instant,
    )
    past = [onset for onset in onsets if (onset.wall + _MARGIN).year < first]
    in_force = past[-1] if past else onsets[0]
    used = {in_force} | {
        onset
        for onset in onsets[len(past) :]
        if last is None or (onset.wall - _MARGIN).year <= last
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
    start = datetime(max(min(first - 1, _EPOCH), 1), 1, 1)  # noqa: DTZ001 (a wall time)
    if observance.rule is None and (wall == BEGINNING or wall + _MARGIN < start):
        # What was before is not in use; leaving it out spares readers offsets with seconds.
        wall, offset_from = start, onset.offset_to
    component.add("DTSTART", wall)
    component.add("TZOFFSETFROM", offset_from)
    component.add("TZOFFSETTO", onset.offset_to)
    component.add("TZNAME", onset.name)
    if observance.rule is not None:
        # A day more than the last onset, for readers that compare UNTIL with local times.
        end = {} if observance.endless else {"UNTIL": final.instant + timedelta(days=1)}
        component.add("RRULE", dict(observance.rule) | end)
    return component
