"""Dates that depend on the published state or on the current time: on hold, or under embargo."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from calfeed.definitions.result import Definitions
from calfeed.errors import DefinitionWarning
from calfeed.model.dates.dating import Hold
from calfeed.model.events import Calendar, Event

_LIFT_NOTICE = timedelta(minutes=10)
"""An embargo counts as just lifted for this long after its end."""


def hold_dates(defined: Definitions, published: Mapping[str, Event]) -> Definitions:
    """Return definitions in which events without a date have their `published` dates.

    An event that never had a date is left out, with a warning.
    """
    if not defined.undated:
        return defined
    held: dict[str, list[Event]] = {}
    warnings = []
    for undated in defined.undated:
        draft = undated.draft
        former = published.get(draft.uid)
        if former is None:
            warnings.append(_warn(defined, draft.uid, undated.on_hold.why))
        else:
            held.setdefault(draft.calendar, []).append(draft.hold(undated.on_hold, former))
    calendars = tuple(
        _replace_events(calendar, (*calendar.events, *held.get(calendar.slug, ())))
        for calendar in defined.calendars
    )
    found = tuple(sorted((*defined.warnings, *warnings)))
    return replace(defined, calendars=calendars, warnings=found)


def _replace_events(calendar: Calendar, events: Iterable[Event]) -> Calendar:
    in_order = tuple(sorted(events, key=lambda event: event.slug))
    return calendar.model_copy(update={"events": in_order})


def _warn(defined: Definitions, uid: str, why: Hold) -> DefinitionWarning:
    reason = (
        "is postponed, but no date was published before"
        if why is Hold.POSTPONED
        else "waits for an event that has no date, and never had one itself"
    )
    hint = '; it is not shown until it has one, or write "postponed from" and the former date'
    message = f"the event {reason}{hint if why is Hold.POSTPONED else '; it is not shown yet'}"
    return defined.warn_at(uid, "start", message)


def withhold(defined: Definitions, now: datetime) -> tuple[Definitions, frozenset[str]]:
    """Return definitions without the events under embargo at `now`, and the UIDs of these events.

    A published event whose change is under embargo keeps its published state.
    """
    withheld = frozenset(uid for uid, moment in defined.embargoes.items() if moment > now)
    if not withheld:
        return defined, withheld
    calendars = tuple(
        calendar.model_copy(
            update={
                "events": tuple(event for event in calendar.events if event.uid not in withheld)
            }
        )
        for calendar in defined.calendars
    )
    undated = tuple(each for each in defined.undated if each.draft.uid not in withheld)
    return replace(defined, calendars=calendars, undated=undated), withheld


def find_lifted(defined: Definitions, now: datetime) -> frozenset[str]:
    """Return the UIDs of events whose embargo was just lifted.

    They are announced without the grace time, which is for correcting mistakes: a date that was
    prepared for this moment is not one.
    """
    return frozenset(
        uid for uid, moment in defined.embargoes.items() if moment <= now < moment + _LIFT_NOTICE
    )


def next_lift(defined: Definitions, now: datetime) -> datetime | None:
    """Return when the next embargo is lifted, None if there is none."""
    return min(_coming(defined, now), default=None)


def _coming(defined: Definitions, now: datetime) -> Iterator[datetime]:
    return (moment for moment in defined.embargoes.values() if moment > now)
