"""The events of one UID, its series with all changed occurrences, as entries of a definition."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from calfeed.definitions.keys import EventEntry
from calfeed.importing.components import Component, name_event
from calfeed.importing.losses import Losses
from calfeed.importing.recurrence.recurring import Series, import_series
from calfeed.importing.times.property_times import (
    Clock,
    after,
    length_between,
    write_end,
    write_moment,
)
from calfeed.importing.vevents import Draft, import_event

_MOST_COMPARED = 100
_ORDER = [info.alias or name for name, info in EventEntry.model_fields.items()]


def group_events(vevents: list[Component]) -> list[list[Component]]:
    """The events by UID; what has none stands alone."""
    groups: dict[object, list[Component]] = defaultdict(list)
    for number, event in enumerate(vevents):
        groups[_uid_of(event) or number].append(event)
    return list(groups.values())


def _uid_of(event: Component) -> str:
    uid = event.first("UID")
    return uid.text.strip() if uid else ""


def import_group(
    group: list[Component], clock: Clock, language: str, losses: Losses
) -> list[dict[str, Any]]:
    """The entries of what has one UID: an event, and its overrides or further events."""
    recurs = len(group) > 1 or any(group[0].all(name) for name in ("RRULE", "RDATE"))
    if recurs:
        clock = clock.for_series(group)
    drafts = [
        draft
        for each in _newest(group, losses)
        if (draft := import_event(each, clock, language, recurs, losses.of(name_event(each))))
    ]
    masters = [draft for draft in drafts if not draft.component.first("RECURRENCE-ID")]
    overrides = [draft for draft in drafts if draft.component.first("RECURRENCE-ID")]
    entries: list[dict[str, Any]] = []
    if masters:
        series = import_series(masters[0], overrides, clock)
        if series.dates is not None:
            entries.append(_entry(masters[0], clock.home, series))
        overrides = series.apart
    for draft in overrides:
        draft.report("RECURRENCE-ID", "is not kept: the occurrence becomes an event of its own")
        entries.append(_entry(draft, clock.home))
    for draft in masters[1:]:
        draft.report("UID", "is that of another event too; this one gets a new UID")
        further = import_series(draft, [], clock)
        if further.dates is not None:
            entries.append(_entry(draft, clock.home, further))
    if entries and not _uid_of(group[0]):
        drafts[0].report("UID", "is missing; calfeed makes one from the event's name")
    elif entries:
        entries[0]["uid"] = _uid_of(group[0])
    return entries


def _newest(group: list[Component], losses: Losses) -> list[Component]:
    """The events of a UID without earlier revisions of the same (RFC 5545, 3.8.7.4)."""
    newest: dict[str, int] = {}
    for event in group:
        of = event.value("RECURRENCE-ID")
        newest[of] = max(newest.get(of, 0), _sequence(event))
    kept: list[Component] = []
    seen: dict[str, list[Component]] = defaultdict(list)
    for event in group:
        of = event.value("RECURRENCE-ID")
        # What has one UID and is no occurrence may be another event; only the same is there twice.
        same = event in seen[of][:_MOST_COMPARED] if not of else bool(seen[of])
        if _sequence(event) < newest[of]:
            losses.of(name_event(event))("SEQUENCE", "is an earlier one; the later event is kept")
        elif same:
            losses.of(name_event(event))("UID", "is there once more; the first event is kept")
        else:
            kept.append(event)
            seen[of].append(event)
    return kept


def _sequence(event: Component) -> int:
    value = event.value("SEQUENCE")
    return int(value) if re.fullmatch(r"\d{1,9}", value, re.ASCII) else 0


def _entry(draft: Draft, home: ZoneInfo, series: Series | None = None) -> dict[str, Any]:
    """An event as a definition has it, its keys in their usual order."""
    dates = series.dates if series else None
    start = dates.start if dates else draft.start
    entry = dict(draft.said)
    entry["start"] = write_moment(start)
    if draft.end is not None:
        end = write_end(after(start, length_between(draft.start, draft.end)))
        if end != entry["start"]:
            entry["end"] = end
    if isinstance(start, datetime) and draft.zone != home:
        entry["time_zone"] = draft.zone.key
    if series and (repeat := series.entry()):
        entry["repeat"] = repeat
    return {key: entry[key] for key in _ORDER if key in entry}
