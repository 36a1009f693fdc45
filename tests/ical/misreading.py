"""What clients are known to misread through faults of their own.

`test_what_clients_get_wrong` and `test_parsers.py` hold that these faults are still there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from dateutil.tz import datetime_exists

from calfeed.ical.occurrences import expand
from calfeed.model.events import Event
from tests.ical.defining import render_first

_UTC_OVERRIDE = re.compile(rb"RECURRENCE-ID:\d{8}T\d{6}Z")
_NEAR_A_CHANGE = {
    "libical": timedelta(days=30),
    "ical.js": timedelta(hours=25),
    "sabre": timedelta(hours=25),
}
"""How near to a change of the clocks these may be an hour off."""


def is_misread(client: str, event: Event) -> bool:
    """True for an event that a client is known to misread through a fault of its own."""
    return event.repeat is not None and client in _MISREAD and _MISREAD[client](event)


def may_differ(client: str, event: Event, start: date) -> bool:
    """True for an occurrence that a client may show at another time.

    Beside a change of the clocks some are an hour off, libical also in a series' next occurrence.
    sabre does not read VTIMEZONE: it knows the zones of the system's release of tzdata.
    """
    if not isinstance(start, datetime) or client not in _NEAR_A_CHANGE:
        return False
    if client == "sabre" and not _as_in_the_system(event.zone, start):
        return True
    if client == "ical.js" and _offset(event, start) % timedelta(minutes=1):
        return True  # it reads offsets in whole minutes
    near = _NEAR_A_CHANGE[client]
    return _offset(event, start - near) != _offset(event, start + near)


def _offset(event: Event, moment: datetime) -> timedelta:
    return moment.astimezone(event.zone).utcoffset() or timedelta()


@cache
def _system_zone(name: str) -> ZoneInfo | None:
    path = Path("/usr/share/zoneinfo", name)
    if not path.exists():
        return None
    with path.open("rb") as file:
        return ZoneInfo.from_file(file)


def _as_in_the_system(zone: ZoneInfo, start: datetime) -> bool:
    system = _system_zone(zone.key)
    return system is None or start.astimezone(system).utcoffset() == (
        start.astimezone(zone).utcoffset()
    )


def _by_ical(event: Event) -> bool:
    # It compares RECURRENCE-ID in UTC with the occurrence's time without a zone.
    return bool(_UTC_OVERRIDE.search(render_first(event)))


def _has_two_readings(event: Event) -> bool:
    """True where what is taken out or changed is, on the wall clock, another's time in UTC.

    recurring_ical_events takes 15:00 on the wall clock for 15:00 UTC as well.
    """
    repeat = event.repeat
    if repeat is None or event.all_day:
        return False
    out = [*repeat.exclude, *(change.original for change in repeat.changes)]
    meant: dict[datetime, set[date]] = {}
    for moment in out:
        for form in _forms(moment):
            meant.setdefault(form, set()).add(moment)
    plain = event.model_copy(
        update={"repeat": repeat.model_copy(update={"exclude": (), "changes": ()})}
    )
    begins = sorted(map(event.instant, out)) or [event.instant(event.start)]
    around = timedelta(days=2)
    return any(
        meant.get(form, set()) - {one.start}
        for one in expand(plain, begins[0] - around, begins[-1] + around)
        for form in _forms(one.start)
    )


def _forms(moment: date) -> set[datetime]:
    """A time on its own clock and in UTC, both without their zone."""
    assert isinstance(moment, datetime)
    return {moment.replace(tzinfo=None, fold=0), moment.astimezone(UTC).replace(tzinfo=None)}


def parts_of(event: Event) -> dict[str, str]:
    """The parts of an event's recurrence rule by their names."""
    rule = event.repeat.rule if event.repeat else None
    return dict(part.split("=", 1) for part in rule.split(";")) if rule else {}


def _by_libical(event: Event) -> bool:
    parts = parts_of(event)
    frequency = parts.get("FREQ")
    return (
        frequency == "HOURLY"
        or "BYWEEKNO" in parts
        or {"WKST", "INTERVAL"} <= parts.keys()
        or (frequency == "DAILY" and "-" in parts.get("BYMONTHDAY", ""))
    )


def _by_ical_js(event: Event) -> bool:
    parts = parts_of(event)
    frequency = parts.get("FREQ")
    days = parts.get("BYDAY", "")
    return (
        frequency == "HOURLY"
        or bool(parts.keys() & {"BYWEEKNO", "BYYEARDAY"})
        or (frequency == "DAILY" and "BYMONTHDAY" in parts)
        or (frequency == "YEARLY" and "-" in parts.get("BYMONTHDAY", ""))
        or (frequency == "YEARLY" and bool(re.search(r"\d", days)) and "BYMONTH" not in parts)
        or (frequency == "YEARLY" and "BYSETPOS" in parts)
        or (frequency == "MONTHLY" and {"BYMONTH", "BYDAY"} <= parts.keys())
        or (frequency in ("MONTHLY", "YEARLY") and "BYHOUR" in parts)
    )


_KNOWN_TO_SABRE = {
    "DAILY": {"BYDAY"},
    "WEEKLY": {"BYDAY", "WKST"},
    "MONTHLY": {"BYMONTHDAY", "BYDAY", "BYSETPOS"},
    "YEARLY": {"BYMONTH", "BYMONTHDAY", "BYDAY"},
}
"""The parts that it says it knows, in RecurrenceIterator.php. BYHOUR it knows in part."""


def _by_sabre(event: Event) -> bool:
    assert event.repeat is not None
    parts = parts_of(event)
    frequency = parts.get("FREQ", "")
    by = {name for name in parts if name.startswith("BY") or name == "WKST"}
    known = _KNOWN_TO_SABRE.get(frequency, set())
    alone = frequency == "YEARLY" and "BYMONTH" not in by and bool(by)
    return (
        bool(event.repeat.also)
        or (bool(frequency) and frequency not in _KNOWN_TO_SABRE)
        or not by <= known
        or alone
        # The first of a series it shows always.
        or event.start in event.repeat.exclude
        or _comes_to_a_gap(event)
    )


def _comes_to_a_gap(event: Event) -> bool:
    """True where the clocks skip the series' time of day on a day of some years.

    sabre walks there day by day, and keeps the later time from then on.
    """
    if not isinstance(event.start, datetime) or 4 <= event.start.hour < 23:
        return False
    wall = event.start.replace(tzinfo=None)
    days = range(365 * 6)
    return not all(datetime_exists(wall + timedelta(days=day), event.zone) for day in days)


_MISREAD: dict[str, Callable[[Event], bool]] = {
    "ical": _by_ical,
    "recurring_ical_events": _has_two_readings,
    "libical": _by_libical,
    "ical.js": _by_ical_js,
    "sabre": _by_sabre,
}
