"""The filter of calendar-query (RFC 4791, 9.7): components, a time range, a UID.

The filters that clients use are supported. Any other filter is refused, because a refusal is better
than a wrong result.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeAlias
from xml.etree.ElementTree import Element

from calfeed.errors import InvalidInputError
from calfeed.ical.occurrences import expand
from calfeed.model.dates.years import LAST_YEAR
from calfeed.model.events import length_of
from calfeed.store.rows import EventRow
from calfeed.web.caldav.collections import Collection, Member
from calfeed.web.caldav.xml.requests import CALDAV
from calfeed.web.published.timeline import first_start, longest_duration

Test: TypeAlias = Callable[[Member], bool]

_FIRST = datetime(1, 1, 3, tzinfo=UTC)
_LAST = datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC)

_MAX_CONDITIONS = 20
"""The maximum number of elements in a filter; clients send two or three."""

_STEP = timedelta(days=370)
"""The period of a series that is expanded at once."""


class UnsupportedFilterError(InvalidInputError):
    """The filter is valid, but not supported."""


@dataclass(frozen=True)
class TimeRange:
    """The time from `start` until `end` (UTC)."""

    start: datetime
    end: datetime

    def overlaps(self, begins: datetime, ends: datetime) -> bool:
        """Whether an occurrence is in the range (RFC 4791, 9.9)."""
        if ends <= begins:
            return self.start <= begins < self.end
        return begins < self.end and ends > self.start

    def has(self, row: EventRow) -> bool:
        """Whether an occurrence of an event is in the range."""
        event = row.revision.event
        if event.repeat is None:
            begins = event.instant(event.start)
            return self.overlaps(begins, begins + length_of(event))
        # Nothing is expanded before the first occurrence, nor long after the last one.
        after = max(self.start - longest_duration(event), first_start(event))
        end = min(self.end, datetime(min(row.last_year, LAST_YEAR) + 1, 1, 3, tzinfo=UTC))
        while after < end:
            before = min(after + _STEP, end)
            if any(self.overlaps(each.begins, each.ends) for each in expand(event, after, before)):
                return True
            after = before
        return False


def choose_members(collection: Collection, query: Element) -> list[Member]:
    """Return the members that a calendar-query selects.

    Raises InvalidInputError for an invalid filter, UnsupportedFilterError for an unsupported one.
    """
    outer = query.find(f"{CALDAV}filter/{CALDAV}comp-filter")
    if outer is None or outer.get("name") != "VCALENDAR":
        raise InvalidInputError("the filter must be a comp-filter of VCALENDAR")
    if sum(1 for _ in outer.iter()) > _MAX_CONDITIONS:
        raise UnsupportedFilterError(f"a filter may have at most {_MAX_CONDITIONS} conditions")
    members = list(collection.members)
    for inner in outer:
        if inner.tag != f"{CALDAV}comp-filter":
            raise UnsupportedFilterError("a filter of VCALENDAR may only name components")
        members = _choose(collection, members, inner)
    return members


def _choose(collection: Collection, members: list[Member], inner: Element) -> list[Member]:
    """Return the members with a component that matches a comp-filter."""
    negated = inner.find(f"{CALDAV}is-not-defined") is not None
    if inner.get("name") != "VEVENT":
        return members if negated else []  # there are only events
    if negated:
        return []
    for condition in inner:
        if condition.tag == f"{CALDAV}time-range":
            period = _read_range(condition)
            candidates = {
                row.uid for row in collection.calendar.timeline.candidates(period.start, period.end)
            }
            members = [
                member
                for member in members
                if member.row.uid in candidates and period.has(member.row)
            ]
        elif condition.tag == f"{CALDAV}prop-filter" and condition.get("name") == "UID":
            test = _read_uid_test(condition)
            members = [member for member in members if test(member)]
        else:
            raise UnsupportedFilterError("only time ranges and UIDs can be searched for")
    return members


def _read_range(element: Element) -> TimeRange:
    start, end = element.get("start"), element.get("end")
    if start is None and end is None:
        raise InvalidInputError("a time range needs a start or an end")
    period = TimeRange(
        _read_time(start) if start else _FIRST,
        _read_time(end) if end else _LAST,
    )
    if period.end <= period.start:
        raise InvalidInputError("a time range must end after its start")
    return period


def _read_time(text: str) -> datetime:
    try:
        time = datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise InvalidInputError("a time range must have times such as 20270131T090000Z") from None
    return min(max(time, _FIRST), _LAST)


def _read_uid_test(element: Element) -> Test:
    """Read the test of a prop-filter of UID, which every event has."""
    match [*element]:
        case []:
            return lambda member: True
        case [child] if child.tag == f"{CALDAV}is-not-defined":
            return lambda member: False
        case [child] if child.tag == f"{CALDAV}text-match":
            return _read_text_match(child)
    raise UnsupportedFilterError("a UID can only be compared with a text")


def _read_text_match(element: Element) -> Test:
    """Read a text-match, which looks for a part of the UID (RFC 4791, 9.7.5)."""
    wanted = element.text or ""
    negated = element.get("negate-condition") == "yes"
    collation = element.get("collation", "i;ascii-casemap")
    if collation == "i;octet":
        return lambda member: (wanted in member.row.uid) != negated
    if collation not in ("i;ascii-casemap", "default"):
        raise UnsupportedFilterError("the collations are i;ascii-casemap and i;octet")
    return lambda member: (wanted.lower() in member.row.uid.lower()) != negated
