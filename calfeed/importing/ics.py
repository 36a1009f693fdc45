"""Convert an iCalendar file (RFC 5545) to a definition that publishes to an equivalent feed.

This module is pure: it takes bytes and returns YAML and a list of losses with their reasons.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from calfeed.definitions.calendar_files import MAX_EVENTS
from calfeed.definitions.formats.slugs import name_events
from calfeed.errors import InvalidInputError
from calfeed.importing.calendar_properties import (
    apply_calendar_zones,
    find_language,
    import_head,
    make_time_reader,
    report_others,
)
from calfeed.importing.components import read_components
from calfeed.importing.losses import CALENDAR, Loss, Losses, group_losses
from calfeed.importing.methods import apply_methods
from calfeed.importing.pruning import day_of, first_text, write_accepted
from calfeed.importing.recurrence.early_series import begin_in_range
from calfeed.importing.recurrence.groups import group_events, import_group
from calfeed.importing.times.tzids import TzidResolver
from calfeed.model.recurrences import StepBudget

MAX_BYTES = 20 * 1024 * 1024
"""The maximum size of an iCalendar file; definitions are far smaller."""

_MAX_SHOWN = 10
_MAX_VEVENTS = 2 * MAX_EVENTS
"""Larger than `MAX_EVENTS`, because overrides and earlier revisions are VEVENTs too."""


@dataclass(frozen=True)
class Imported:
    """A definition made from an iCalendar file, and the losses.

    `files` are YAML texts by path in the definitions folder: one file, or a folder of files if one
    would be too large.
    """

    files: Mapping[str, bytes]
    events: int
    uids: frozenset[str]
    losses: tuple[Loss, ...]

    @property
    def definition(self) -> bytes:
        """The first file, which is the whole definition if there is only one."""
        return next(iter(self.files.values()))


def import_calendar(
    data: bytes,
    slug: str,
    source: str,
    *,
    time_zone: ZoneInfo | None = None,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Imported:
    """Convert iCalendar text to a definition for the calendar `slug`.

    `source` is written into the first line and names a calendar without a name. `time_zone`
    becomes the calendar's zone; times with an unknown zone are read in it. `progress` is called
    with the numbers of processed and of all events. The result is valid for `read_definitions`.

    Raises InvalidInputError if the text is not iCalendar, has no events or is too large, and for
    times that are ambiguous without a `time_zone`.
    """
    losses = Losses()
    report = losses.reporter(CALENDAR)
    calendars = apply_methods(read_components(data, report), report)
    if time_zone is None:
        calendars = apply_calendar_zones(calendars)
    vevents = [
        begin_in_range(each, losses)
        for calendar in calendars
        for each in calendar.children("VEVENT")
    ]
    if not vevents:
        raise InvalidInputError("the calendar has no events (VEVENT); there is nothing to import")
    if len(vevents) > _MAX_VEVENTS:
        raise InvalidInputError(f"the file has {len(vevents):,} events; export fewer years")
    steps = StepBudget()
    vtimezones = [each for calendar in calendars for each in calendar.children("VTIMEZONE")]
    zones = TzidResolver(vtimezones, vevents, steps)
    reader = make_time_reader(calendars, vevents, zones, steps, time_zone, report)
    language = find_language(vevents)
    head = import_head(calendars, reader.home, language, source, report)
    groups = group_events(vevents)
    entries: list[dict[str, Any]] = []
    for number, group in enumerate(groups):
        progress(number, len(groups))
        entries += import_group(group, reader, language, losses)
        if len(entries) > MAX_EVENTS:
            raise InvalidInputError(
                f"the file has {len(vevents):,} events, and a calendar holds {MAX_EVENTS:,}; "
                "export fewer years, or import it in parts"
            )
    for tzid, remark in zones.remarks():
        report("TZID", remark, tzid)
    report_others(calendars, losses)
    if losses.questions:
        raise InvalidInputError(_ask(losses))
    files, events = write_accepted(head, _named(entries), slug, f"Imported from {source}", losses)
    if not events:
        reasons = "\n".join(group_losses(losses.found)[:_MAX_SHOWN])
        raise InvalidInputError(f"none of the events can be kept:\n{reasons}")
    progress(len(groups), len(groups))
    uids = frozenset(entry["uid"] for entry in events.values() if "uid" in entry)
    return Imported(files, len(events), uids, tuple(losses.found))


def _named(entries: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the entries by slug, sorted by day."""
    names = name_events(map(_identity, entries))
    return dict(
        sorted(
            zip(names, entries, strict=True), key=lambda item: (*_identity(item[1])[1:], item[0])
        )
    )


def _identity(entry: dict[str, Any]) -> tuple[str, date, str]:
    """Return the title, first day and UID of an event."""
    return first_text(entry["summary"]), day_of(entry["start"]), entry.get("uid", "")


def _ask(losses: Losses) -> str:
    """Format the questions that must be answered before the import."""
    questions = group_losses(losses.questions)
    shown = [f"  {each}" for each in questions[:_MAX_SHOWN]]
    if len(questions) > _MAX_SHOWN:
        shown.append(f"  and {len(questions) - _MAX_SHOWN} more")
    return "\n".join(
        [
            "the file does not specify the time zone of these events:",
            *shown,
            "Specify it with --time-zone, such as --time-zone Asia/Karachi",
        ]
    )
