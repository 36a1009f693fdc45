"""Import the recurrence of an event (RFC 5545, 3.8.5) as `repeat`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from typing import Any

from calfeed.importing.components import Component
from calfeed.importing.losses import Losses, LossReporter
from calfeed.importing.recurrence.rulesets import DateSet, find_dates, from_dates
from calfeed.importing.times.property_times import (
    Moment,
    TimeReader,
    after,
    in_zone,
    length_between,
    write_end,
    write_moment,
)
from calfeed.importing.vevents import Draft
from calfeed.model.dates.wall_times import wall_time
from calfeed.model.events import Status
from calfeed.model.recurrences import StepBudget
from calfeed.model.values import in_utc

_OVERRIDABLE_KEYS = ("summary", "description", "location", "status", "url")
"""The keys that an occurrence can override, apart from its times."""
_MAX_RANGE_OVERRIDES = 1_000
"""The maximum number of occurrences that an override may change by RANGE."""


@dataclass
class Series:
    """The dates of a series, the dates `excluded` from its rule, and its overrides.

    `changes` are entries by original starts; `separate_events` are overrides that become events.
    `dates` is None if every date is excluded.
    """

    dates: DateSet | None
    excluded: set[Moment] = field(default_factory=set)
    changes: dict[Moment, dict[str, Any]] = field(default_factory=dict)
    separate_events: list[Draft] = field(default_factory=list)

    def entry(self) -> dict[str, Any]:
        """Return the value of `repeat`, empty for a single event."""
        entry: dict[str, Any] = {}
        if self.dates and self.dates.rule:
            entry["rule"] = self.dates.rule.text
        if self.excluded:
            entry["except"] = [write_moment(moment) for moment in sorted(self.excluded)]
        if self.dates and self.dates.others:
            entry["also"] = [write_moment(moment) for moment in sorted(self.dates.others)]
        if entry and self.changes:
            entry["changes"] = {write_moment(at): each for at, each in sorted(self.changes.items())}
        return entry

    def exclude(self, moments: Iterable[Moment], steps: StepBudget) -> list[Moment]:
        """Exclude dates; return those that are not in the series."""
        dates, missing = self.dates, []
        found = _Finder(dates, moments := list(moments), steps)
        for moment in moments:
            if dates is None or not (matches := found.matches(moment)):
                missing.append(moment)
            elif dates.rule is not None:
                self.excluded.update(each for each in matches if each not in dates.others)
                dates.others.difference_update(matches)
            else:
                left = {dates.start, *dates.others}.difference(matches)
                dates = self.dates = from_dates(left) if left else None
        return missing


class _Finder:
    """Finds the dates that match a moment: equal ones, else by the day if one side has no time."""

    def __init__(self, dates: DateSet | None, moments: Iterable[Moment], steps: StepBudget) -> None:
        last = max((datetime.combine(wall_time(each), time.max) for each in moments), default=None)
        self._known = dates.dates_until(last, steps) if dates and last else set()
        self._by_day: dict[date, list[Moment]] = defaultdict(list)
        for each in self._known:
            self._by_day[wall_time(each).date()].append(each)

    def matches(self, moment: Moment) -> list[Moment]:
        if moment in self._known:
            return [moment]
        day = self._by_day[wall_time(moment).date()]
        return [
            each for each in day if isinstance(each, datetime) is not isinstance(moment, datetime)
        ]


def import_series(draft: Draft, overrides: Sequence[Draft], reader: TimeReader) -> Series:
    """Return the dates of a series and its overrides; report losses."""
    reader, report = replace(reader, home=draft.zone), draft.report
    rdates = _read_rdates(draft, reader, report)
    series = Series(find_dates(draft, set(rdates), reader.steps))
    out = _read_moments(draft, draft.component, "EXDATE", reader, report)
    for moment in series.exclude(out, reader.steps):
        report("EXDATE", "is not one of its dates, so there is nothing to take out", moment)
    for moment, end in rdates.items():
        if end is not None and _differs(end, _usual_end(draft, moment)):
            series.changes[moment] = {"end": write_end(end)}
    _apply_overrides(series, draft, overrides, reader)
    if series.changes and not series.entry():
        report("RDATE", "its period is not kept: an event that takes place once ends at DTEND")
    if series.dates is None:
        report("EXDATE", "takes out every date, so the event is left out")
    return series


def _read_rdates(
    draft: Draft, reader: TimeReader, report: LossReporter
) -> dict[Moment, Moment | None]:
    """Return the moments of RDATE, with the ends of periods."""
    found: dict[Moment, Moment | None] = {}
    for prop in draft.component.all("RDATE"):
        for stamp in reader.read(prop, report):
            moment = in_zone(stamp.moment, draft.zone)
            if isinstance(moment, datetime) is not isinstance(draft.start, datetime):
                report(
                    "RDATE",
                    "is left out: it and DTSTART must both be dates or both be times",
                    moment,
                )
                continue
            if isinstance(moment, datetime) and moment.fold and _differs(moment, draft.start):
                reason = "of two times where the clocks go back, a recurring event has the first"
                report("RDATE", f"is left out: {reason}", moment)
                continue
            found[moment] = stamp.end and in_zone(stamp.end, draft.zone)
    return found


def _read_moments(
    draft: Draft, component: Component, name: str, reader: TimeReader, report: LossReporter
) -> list[Moment]:
    """Return the moments of a property that refers to occurrences, in the event's zone."""
    stamps = (each for prop in component.all(name) for each in reader.read(prop, report))
    if not isinstance(draft.start, datetime):
        return [stamp.moment for stamp in stamps]  # a time stands for its day in its own zone
    return [in_zone(stamp.moment, draft.zone) for stamp in stamps]


def _usual_end(draft: Draft, start: Moment) -> Moment | None:
    """Return the end of an occurrence with the length of the event."""
    return None if draft.end is None else after(start, length_between(draft.start, draft.end))


def _differs(moment: Moment, usual: Moment | None) -> bool:
    return usual is None or in_utc(moment) != in_utc(usual)


def _apply_overrides(
    series: Series, draft: Draft, overrides: Sequence[Draft], reader: TimeReader
) -> None:
    originals = [
        (override, moments[0])
        for override in overrides
        if (
            moments := _read_moments(
                draft, override.component, "RECURRENCE-ID", reader, override.report
            )
        )
    ]
    # Overrides with RANGE come first, so that overrides of single occurrences replace them.
    originals.sort(key=lambda each: (not _has_range(each[0]), wall_time(each[1])))
    found = _Finder(series.dates, [original for _, original in originals], reader.steps)
    for override, moment in originals:
        dates = series.dates
        original = next(iter(found.matches(moment)), moment)
        kind = isinstance(draft.start, datetime)
        alike = isinstance(override.start, datetime) is kind is isinstance(original, datetime)
        alone = dates is None or (dates.rule is None and not dates.others)
        if (
            dates is None
            or not alike
            or original < dates.start
            or (alone and original == dates.start)
        ):
            series.separate_events.append(override)
            series.exclude([original], reader.steps)
            continue
        if original in series.excluded:
            series.excluded.discard(original)
        elif original != dates.start and not found.matches(original):
            dates.others.add(original)
            override.report("RECURRENCE-ID", "is not a date of the series; it is added", original)
        for at, moved in [
            (original, override),
            *_following_occurrences(series, override, original, reader),
        ]:
            if change := _find_change(draft, moved, at):
                series.changes[at] = change


def _has_range(override: Draft) -> bool:
    return bool(override.component.params("RECURRENCE-ID").get("RANGE"))


def _following_occurrences(
    series: Series, override: Draft, original: Moment, reader: TimeReader
) -> list[tuple[Moment, Draft]]:
    """Return the later occurrences that an override changes by RANGE, with their overrides.

    All are moved by the same distance (RFC 5545, 3.8.4.4).
    """
    if not _has_range(override) or series.dates is None:
        return []
    dates = series.dates.dates_to_the_end(reader.steps)
    if dates is None or len(dates) > _MAX_RANGE_OVERRIDES:
        override.report("RECURRENCE-ID", "its RANGE is not kept: that occurrence alone changes")
        return []
    shift = wall_time(override.start) - wall_time(original)
    length = None if override.end is None else length_between(override.start, override.end)
    quiet = Losses().reporter("")  # losses were reported with the first occurrence
    found = []
    for at in sorted(each for each in dates - series.excluded if each > original):
        start = in_zone(at + shift, override.zone)
        end = None if length is None else after(start, length)
        found.append((at, replace(override, start=start, end=end, report=quiet)))
    return found


def _find_change(draft: Draft, override: Draft, original: Moment) -> dict[str, Any]:
    """Return the override of an occurrence; report unsupported differences."""
    change: dict[str, Any] = {}
    start = in_zone(override.start, draft.zone)
    if _differs(start, original):
        change["start"] = write_moment(start)
    if override.end is not None:
        end = in_zone(override.end, draft.zone)
        if _differs(end, _usual_end(draft, start)):
            change["end"] = write_end(end)
    elif draft.end is not None:
        override.report("DTEND", "an occurrence without length keeps the length of the event")
    cancelled = override.fields.get("status") == Status.CANCELLED
    for key in dict.fromkeys([*draft.fields, *override.fields]):
        if cancelled and key in ("reminders", "busy"):
            continue  # irrelevant for a cancelled occurrence
        own, usual = override.fields.get(key), draft.fields.get(key)
        if key == "status":
            own, usual = own or Status.CONFIRMED.value, usual or Status.CONFIRMED.value
        if own == usual:
            continue
        if key not in _OVERRIDABLE_KEYS or own is None:
            name = "VALARM" if key == "reminders" else key.upper()
            has = "cannot have its own" if own is not None else "cannot be without"
            override.report(name, f"one occurrence {has}; the event's is kept")
        else:
            change[key] = own
    return change
