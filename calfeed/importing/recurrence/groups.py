"""Import the VEVENTs of one UID: an event or series, and its overrides."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from calfeed.definitions.keys.calendars import EventEntry
from calfeed.importing.components import Component, name_event
from calfeed.importing.losses import Losses
from calfeed.importing.recurrence.recurring import Series, import_series
from calfeed.importing.times.property_times import (
    TimeReader,
    after,
    length_between,
    write_end,
    write_moment,
)
from calfeed.importing.vevents import Draft, import_event

_MAX_COMPARED = 100
_ORDER = [info.alias or name for name, info in EventEntry.model_fields.items()]


def group_events(vevents: list[Component]) -> list[list[Component]]:
    """Group events by UID; those without a UID are separate."""
    groups: dict[object, list[Component]] = defaultdict(list)
    for number, event in enumerate(vevents):
        groups[_uid_of(event) or number].append(event)
    return list(groups.values())


def _uid_of(event: Component) -> str:
    uid = event.first("UID")
    return uid.text.strip() if uid else ""


def import_group(
    group: list[Component], reader: TimeReader, language: str, losses: Losses
) -> list[dict[str, Any]]:
    """Return the definition entries for the events of one UID."""
    recurs = len(group) > 1 or any(group[0].all(name) for name in ("RRULE", "RDATE"))
    if recurs:
        reader = reader.for_series(group)
    drafts = [
        draft
        for event in _newest(group, losses)
        if (draft := import_event(event, reader, language, recurs, losses))
    ]
    masters = [draft for draft in drafts if not draft.component.first("RECURRENCE-ID")]
    overrides = [draft for draft in drafts if draft.component.first("RECURRENCE-ID")]
    entries: list[dict[str, Any]] = []
    if masters:
        series = import_series(masters[0], overrides, reader)
        if series.dates is not None:
            entries.append(_entry(masters[0], reader.home, series))
        overrides = series.separate_events
    for draft in overrides:
        draft.report("RECURRENCE-ID", "is not kept: the occurrence becomes an event of its own")
        entries.append(_entry(draft, reader.home))
    for draft in masters[1:]:
        draft.report("UID", "is that of another event too; this one gets a new UID")
        further = import_series(draft, [], reader)
        if further.dates is not None:
            entries.append(_entry(draft, reader.home, further))
    if entries and not _uid_of(group[0]):
        drafts[0].report("UID", "is missing; calfeed makes one from the event's name")
    elif entries:
        entries[0]["uid"] = _uid_of(group[0])
    return entries


def _newest(group: list[Component], losses: Losses) -> list[Component]:
    """Drop earlier revisions of events (RFC 5545, 3.8.7.4)."""
    newest: dict[str, int] = {}
    for event in group:
        original = event.value("RECURRENCE-ID")
        newest[original] = max(newest.get(original, 0), _sequence(event))
    kept: list[Component] = []
    seen: dict[str, list[Component]] = defaultdict(list)
    for event in group:
        original, report = event.value("RECURRENCE-ID"), losses.reporter(name_event(event))
        # Different events may share a UID, so only equal ones are duplicates.
        same = bool(seen[original]) if original else event in seen[original][:_MAX_COMPARED]
        if _sequence(event) < newest[original]:
            report("SEQUENCE", "is an earlier one; the later event is kept")
        elif same:
            report("UID", "is there once more; the first event is kept")
        else:
            kept.append(event)
            seen[original].append(event)
    return kept


def _sequence(event: Component) -> int:
    value = event.value("SEQUENCE")
    return int(value) if re.fullmatch(r"\d{1,9}", value, re.ASCII) else 0


def _entry(draft: Draft, home: ZoneInfo, series: Series | None = None) -> dict[str, Any]:
    """Return the entry of an event, its keys in conventional order."""
    dates = series.dates if series else None
    start = dates.start if dates else draft.start
    entry = dict(draft.fields)
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
