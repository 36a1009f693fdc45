"""Resolve dates that are counted from other events: causes before their dependents."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches
from functools import partial
from graphlib import CycleError, TopologicalSorter
from typing import TypeAlias

from calfeed.definitions.drafts import NO_WORKING_DAYS, Draft
from calfeed.definitions.formats.starts import RelativeDate
from calfeed.model.dates.dating import Cause, Derivation, Hold, OnHold, Sum
from calfeed.model.dates.offsets import Roll
from calfeed.model.dates.working_days import HolidayData, WorkingDays
from calfeed.model.dates.years import FIRST_YEAR, LAST_YEAR
from calfeed.model.events import Calendar, Event, Status, Visibility

Name: TypeAlias = tuple[str, str]
"""The slugs of a calendar and an event."""

Locate: TypeAlias = Callable[[Name], str]
"""Says where an event is defined: "events/un.yaml, line 7"."""


@dataclass(frozen=True)
class Undated:
    """An event that has no date for now; it is shown at its former date, if it had a date."""

    draft: Draft
    on_hold: OnHold


@dataclass
class Resolution:
    """The resolved dates: the events with a date, and those without one, by name.

    `causes` names the direct cause of each counted event.
    """

    events: dict[Name, Event] = field(default_factory=dict)
    undated: dict[Name, Undated] = field(default_factory=dict)
    causes: dict[Name, Name] = field(default_factory=dict)


class Resolver:
    """Resolves drafts: counts their dates.

    `events` are those with a date of their own, `defined` the names of all events, even invalid
    ones. `locate` says where an event is defined, for messages.
    """

    def __init__(
        self,
        calendars: Mapping[str, Calendar],
        events: Mapping[Name, Event],
        defined: Collection[Name],
        holidays: HolidayData,
        locate: Locate,
    ) -> None:
        self._calendars = calendars
        self._events = events
        self._defined = defined
        self._holidays = holidays
        self._locate = locate
        self._working_days: dict[str, WorkingDays | None] = {}

    def resolve(self, drafts: Iterable[Draft]) -> Resolution:
        """Resolve all drafts; problems are reported at the `start` of the draft concerned."""
        by_name = {(draft.calendar, draft.slug): draft for draft in drafts}
        result = Resolution()
        for name in self._sort(by_name):
            draft = by_name[name]
            cause = draft.cause
            if cause is None:
                self._postpone(draft, name, result)
            else:
                result.causes[name] = cause
                self._count(draft, name, cause, result)
        return result

    def _sort(self, drafts: Mapping[Name, Draft]) -> Iterator[Name]:
        """Yield the drafts in order, causes first; report unknown causes and cycles."""
        graph: dict[Name, set[Name]] = {}
        for name, draft in drafts.items():
            cause = draft.cause
            if cause is not None and cause not in self._defined:
                draft.reader.report(("start",), self._explain_unknown(draft, cause))
            if cause is not None and cause in drafts:
                graph[name] = {cause}
            else:
                yield name  # nothing has to come before it
        while True:
            try:
                order = list(TopologicalSorter(graph).static_order())
                break
            except CycleError as error:
                cycle: list[Name] = error.args[1]
                self._report_cycle(drafts, cycle)
                for name in cycle:
                    graph.pop(name, None)
                graph = {name: causes - set(cycle) for name, causes in graph.items()}
        yield from (name for name in order if name in graph)

    def _report_cycle(self, drafts: Mapping[Name, Draft], cycle: list[Name]) -> None:
        # graphlib lists each cause before its dependent, and the first event again at the end.
        names = cycle[:0:-1]
        first = names.index(min(names))
        path = [*names[first:], *names[:first], names[first]]
        shown = " ← ".join("/".join(name) for name in path)
        places = "; ".join(f"{'/'.join(name)} in {self._locate(name)}" for name in path[:-1])
        drafts[path[0]].reader.report(
            ("start",),
            f"is counted from itself: {shown} ({places}); give one of them a date of its own",
        )

    def _explain_unknown(self, draft: Draft, cause: Name) -> str:
        calendar, slug = cause
        if calendar not in self._calendars:
            others = sorted(self._calendars)
            close = get_close_matches(calendar, others, 1)
            hint = f'; did you mean "{close[0]}"?' if close else ""
            return f'counts from "{calendar}/{slug}", but there is no calendar "{calendar}"{hint}'
        slugs = sorted(name for owner, name in self._defined if owner == calendar)
        close = get_close_matches(slug, slugs, 1)
        elsewhere = sorted(owner for owner, name in self._defined if name == slug)
        hint = f'; did you mean "{close[0]}"?' if close else ""
        if elsewhere:
            hint = f'; did you mean "{elsewhere[0]}/{slug}"?'
        where = "this calendar" if calendar == draft.calendar else f'the calendar "{calendar}"'
        return f'counts from "{slug}", but there is no such event in {where}{hint}'

    def _postpone(self, draft: Draft, name: Name, result: Resolution) -> None:
        on_hold = OnHold(why=Hold.POSTPONED)
        event = draft.place_former(on_hold)
        if event is not None:
            result.events[name] = event
        else:
            result.undated[name] = Undated(draft, on_hold)

    def _count(self, draft: Draft, name: Name, cause: Name, result: Resolution) -> None:
        start = draft.start
        if not isinstance(start, RelativeDate):
            return
        report = partial(draft.reader.report, ("start",))
        if self._gives_away(draft, cause):
            report(
                f'counts from "{"/".join(cause)}" in a private calendar, which a public date would '
                "reveal; write the date, or make this calendar private"
            )
            return
        if waits_for := result.undated.get(cause):
            described = _describe_undated(waits_for)
            result.undated[name] = Undated(
                draft, OnHold(why=Hold.WAITING, cause=described, offset=start.offset)
            )
            return
        event = result.events.get(cause) or self._events.get(cause)
        if event is None:
            return  # its own problem was reported
        if event.repeat is not None:
            report(
                f'counts from "{"/".join(cause)}", which recurs: write the date, or define that '
                "occurrence as an event of its own"
            )
            return
        described = describe_cause(event)
        if described.earliest is None:
            result.undated[name] = Undated(
                draft, OnHold(why=Hold.WAITING, cause=described, offset=start.offset)
            )
            return
        try:
            derivation = self._derive(draft, start, described)
        except ValueError as error:
            report(str(error))
            return
        days = [each.day for each in derivation.sums]
        earliest, latest = min(days), max(days)
        if earliest.year < FIRST_YEAR or latest.year > LAST_YEAR:
            report(f"gives {latest}, but years go from {FIRST_YEAR} to {LAST_YEAR}")
            return
        placed = draft.place(earliest, latest, derivation)
        if placed is not None:
            result.events[name] = placed

    def _gives_away(self, draft: Draft, cause: Name) -> bool:
        """Return whether a public date would be counted from an event of a private calendar."""
        calendar, private = self._calendars.get(cause[0]), Visibility.PRIVATE
        return (
            calendar is not None
            and calendar.visibility is private
            and self._calendars[draft.calendar].visibility is not private
        )

    def _derive(self, draft: Draft, start: RelativeDate, cause: Cause) -> Derivation:
        """Count from the first and the last possible day of the cause.

        Raises ValueError if that is impossible.
        """
        needed = start.offset.needs_working_days or draft.roll is not None
        working_days = self._find_working_days(draft.calendar) if needed else None
        if needed and working_days is None:
            raise ValueError(NO_WORKING_DAYS)
        sums = []
        for begin in dict.fromkeys(filter(None, (cause.earliest, cause.latest))):
            count = start.offset.apply(begin, working_days)
            rolled = None
            if draft.roll is not None and working_days is not None:
                step = 1 if draft.roll is Roll.NEXT else -1
                rolled = working_days.roll(count.day, step)
            moved = rolled if rolled is not None and rolled.day != count.day else None
            sums.append(Sum(begin=begin, count=count, rolled=moved))
        return Derivation(cause=cause, offset=start.offset, roll=draft.roll, sums=tuple(sums))

    def _find_working_days(self, calendar: str) -> WorkingDays | None:
        if calendar not in self._working_days:
            rules = self._calendars[calendar].working_days
            language = self._calendars[calendar].language
            found = None if rules is None else WorkingDays(rules, self._holidays, language)
            self._working_days[calendar] = found
        return self._working_days[calendar]


def describe_cause(event: Event) -> Cause:
    """Return an event as a cause, with its days in its own zone.

    There are no days if the event is cancelled or on hold.
    """
    described = Cause(
        calendar=event.calendar, slug=event.slug, uid=event.uid, summary=event.summary
    )
    if event.status is Status.CANCELLED or event.on_hold is not None:
        return described
    span = event.span
    if span is not None:
        earliest, latest = span.earliest, span.latest
    else:
        start = event.start
        earliest = latest = start.date() if isinstance(start, datetime) else start
    days = {"earliest": earliest, "latest": latest, "precision": event.precision}
    return described.model_copy(update=days)


def _describe_undated(undated: Undated) -> Cause:
    draft = undated.draft
    return Cause(
        calendar=draft.calendar,
        slug=draft.slug,
        uid=draft.uid,
        summary=draft.fields["summary"],
    )
