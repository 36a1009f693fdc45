"""An iCalendar file (RFC 5545) as a definition that publishes to an equivalent feed.

Pure: bytes in, YAML text out, and with it everything that is not kept, each with its reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from calfeed.definitions.formats.slugs import name_events
from calfeed.definitions.reader import MOST_EVENTS
from calfeed.errors import InvalidInputError
from calfeed.importing.calendar_properties import (
    find_clock,
    find_language,
    import_head,
    on_own_clocks,
    report_others,
)
from calfeed.importing.components import read_components
from calfeed.importing.losses import CALENDAR, Loss, Losses, group_losses
from calfeed.importing.methods import apply_methods
from calfeed.importing.pruning import day_of, first_text, write_accepted
from calfeed.importing.recurrence.early_series import begin_in_range
from calfeed.importing.recurrence.groups import group_events, import_group
from calfeed.importing.times.tzids import Zones
from calfeed.model.recurrences import Steps

MOST_BYTES = 20 * 1024 * 1024
"""How much iCalendar text is read; a definition holds far less."""

_MOST_SHOWN = 10
_MOST_VEVENTS = 2 * MOST_EVENTS
"""Changed occurrences of a series are VEVENTs too, and earlier revisions."""


@dataclass(frozen=True)
class Imported:
    """A definition made of an iCalendar file, and what is not kept of the file.

    `files` are YAML texts by their paths in the definitions folder: one file, or a folder of
    several where that would be too large.
    """

    files: Mapping[str, bytes]
    events: int
    uids: frozenset[str]
    losses: tuple[Loss, ...]

    @property
    def definition(self) -> bytes:
        """The first file, which is all of the definition where there is one."""
        return next(iter(self.files.values()))


def import_calendar(
    data: bytes,
    slug: str,
    source: str,
    *,
    time_zone: ZoneInfo | None = None,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Imported:
    """Make a definition of iCalendar text, for the calendar that will be called `slug`.

    `source` says where it is from, in the first line of the definition; a calendar without a name
    is called by it. `time_zone` becomes the calendar's; on its clocks are the times whose zone the
    file does not say. `progress` is called with how many events are read, of how many. The result
    passes `read_definitions`.

    Raises InvalidInputError for what is not iCalendar, has no events, or is more than a definition
    can hold, and for times that nobody can place without a `time_zone`.
    """
    losses = Losses()
    report = losses.of(CALENDAR)
    calendars = apply_methods(read_components(data, report), report)
    if time_zone is None:
        calendars = on_own_clocks(calendars)
    vevents = [
        begin_in_range(each, losses) for calendar in calendars for each in calendar.within("VEVENT")
    ]
    if not vevents:
        raise InvalidInputError("the calendar has no events (VEVENT); there is nothing to import")
    if len(vevents) > _MOST_VEVENTS:
        raise InvalidInputError(f"the file has {len(vevents):,} events; export fewer years")
    steps = Steps()
    vtimezones = [each for calendar in calendars for each in calendar.within("VTIMEZONE")]
    zones = Zones(vtimezones, vevents, steps)
    clock = find_clock(calendars, vevents, zones, steps, time_zone, report)
    language = find_language(vevents)
    head = import_head(calendars, clock.home, language, source, report)
    groups = group_events(vevents)
    entries: list[dict[str, Any]] = []
    for number, group in enumerate(groups):
        progress(number, len(groups))
        entries += import_group(group, clock, language, losses)
        if len(entries) > MOST_EVENTS:
            raise InvalidInputError(
                f"the file has {len(vevents):,} events, and a calendar holds {MOST_EVENTS:,}; "
                "export fewer years, or import it in parts"
            )
    for tzid, remark in zones.remarks():
        report("TZID", remark, tzid)
    report_others(calendars, losses)
    if losses.asked:
        raise InvalidInputError(_ask(losses))
    files, events = write_accepted(head, _named(entries), slug, f"Imported from {source}", losses)
    if not events:
        reasons = "\n".join(group_losses(losses.found)[:_MOST_SHOWN])
        raise InvalidInputError(f"none of the events can be kept:\n{reasons}")
    progress(len(groups), len(groups))
    uids = frozenset(entry["uid"] for entry in events.values() if "uid" in entry)
    return Imported(files, len(events), uids, tuple(losses.found))


def _named(entries: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The entries by their names in addresses, in the order of their days."""
    names = name_events(map(_identity, entries))
    return dict(
        sorted(
            zip(names, entries, strict=True), key=lambda item: (*_identity(item[1])[1:], item[0])
        )
    )


def _identity(entry: dict[str, Any]) -> tuple[str, date, str]:
    """The title, first day and UID of an event."""
    return first_text(entry["summary"]), day_of(entry["start"]), entry.get("uid", "")


def _ask(losses: Losses) -> str:
    """What has to be answered before anything can be imported."""
    questions = group_losses(losses.asked)
    shown = [f"  {each}" for each in questions[:_MOST_SHOWN]]
    if len(questions) > _MOST_SHOWN:
        shown.append(f"  and {len(questions) - _MOST_SHOWN} more")
    return "\n".join(
        [
            "the file does not say at which moments these events take place:",
            *shown,
            "Say on which clocks their times are: --time-zone Asia/Karachi, or another",
        ]
    )
