"""The ledger as a text file, for jobs that keep no database between runs.

The file fills an empty database, a publish continues from that state, and the file is written
again. Rendered bytes are not in it: rendering a revision again gives the same bytes.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from calfeed.errors import InvalidInputError
from calfeed.ical.comparison.changes import EventChange, Kind
from calfeed.ical.variants import PLAIN
from calfeed.model.events import canonical_json
from calfeed.model.revision import Revision
from calfeed.publish.apply import make_row, new_entries
from calfeed.publish.plan import Plan
from calfeed.store.catalog import announcements
from calfeed.store.catalog.calendars import load_calendars, save_calendars
from calfeed.store.catalog.events import load_fingerprints, save_events
from calfeed.store.catalog.installation import Installation, load_installation, save_installation
from calfeed.store.catalog.publishes import add_publish
from calfeed.store.catalog.revisions import add_revisions
from calfeed.store.database import Connection
from calfeed.store.rows import CalendarRow, EventRow, RevisionRow


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Entry(_Value):
    """A revision, the kind of change that made it, and the number of the publish."""

    kind: str
    publish: int
    revision: Revision


class Shown(_Value):
    """What a comparison needs to know about an event that is in its feed."""

    fingerprint: str
    renderer: int


class LedgerEvent(_Value):
    """Every revision of an event, oldest first; `shown` is None if the event has left its feed."""

    revisions: tuple[Entry, ...] = Field(min_length=1)
    shown: Shown | None = None


class LedgerCalendar(_Value):
    """A calendar without its events.

    `publish` is the number of the last publish that changed the calendar or its events.
    """

    content: dict[str, Any]
    publish: int
    withdrawn: bool = False


class LedgerInstallation(_Value):
    """The id of the installation; `since` is the number of the last publish before it had an id."""

    id: UUID
    since: int = 0


class Ledger(_Value):
    """Everything that was published: publishes by number from 1, calendars by slug, events by UID.

    Ledgers of calfeed 0.1 have no `installation`; the next publish makes its id.
    """

    format: Literal[1]
    installation: LedgerInstallation | None = None
    publishes: tuple[datetime, ...] = ()
    calendars: dict[str, LedgerCalendar] = {}
    events: dict[str, LedgerEvent] = {}

    @model_validator(mode="after")
    def _check_numbers(self) -> Self:
        used = {calendar.publish for calendar in self.calendars.values()}
        used |= {entry.publish for event in self.events.values() for entry in event.revisions}
        if not used <= set(range(1, len(self.publishes) + 1)):
            raise ValueError("it refers to publishes that it does not contain")
        return self


EMPTY = Ledger(format=1)
"""The ledger before the first publish."""


def read_ledger(text: str) -> Ledger:
    """Parse a ledger. Raises InvalidInputError with its first problem."""
    try:
        return Ledger.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise InvalidInputError(
            "this is not a ledger that this version of calfeed can read: "
            f"{place + ': ' if place else ''}{first['msg']}"
        ) from error


def write_ledger(ledger: Ledger) -> str:
    """Format a ledger as sorted JSON with a line for each value, which is easy to diff."""
    value = ledger.model_dump(mode="json", exclude_defaults=True)
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def fill(connection: Connection, ledger: Ledger) -> None:
    """Write a ledger into a database in which nothing is published.

    If the ledger has no id of an installation, the database keeps its own id.
    """
    own = ledger.installation
    save_installation(
        connection,
        Installation(own.id, own.since)
        if own
        else replace(load_installation(connection), since=len(ledger.publishes)),
    )
    for at in ledger.publishes:
        add_publish(connection, at, "", [])
    save_calendars(
        connection,
        [
            CalendarRow(
                slug, canonical_json(calendar.content), calendar.withdrawn, calendar.publish
            )
            for slug, calendar in ledger.calendars.items()
        ],
    )
    save_events(
        connection,
        [
            _make_event_row(event.revisions[-1].revision, event.shown)
            for event in ledger.events.values()
            if event.shown is not None
        ],
    )
    entries: dict[int, list[RevisionRow]] = {}
    for event in ledger.events.values():
        for entry in event.revisions:
            entries.setdefault(entry.publish, []).append(RevisionRow(entry.kind, entry.revision))
    for number, rows in entries.items():
        add_revisions(connection, rows, number)
    _record_announced(connection, ledger)


def _record_announced(connection: Connection, ledger: Ledger) -> None:
    """Record the changes of a ledger as announced by the publishes that made them."""
    changes: dict[int, list[EventChange]] = {}
    for event in ledger.events.values():
        before: Revision | None = None
        for entry in event.revisions:
            if entry.kind not in [*Kind]:
                continue
            change = EventChange(Kind(entry.kind), before, entry.revision)
            if change.is_newsworthy:
                changes.setdefault(entry.publish, []).append(change)
            before = entry.revision
    for number, announced in changes.items():
        announcements.mark_announced(connection, announced, number)


def _make_event_row(revision: Revision, shown: Shown) -> EventRow:
    row = make_row(revision)
    if shown.renderer != row.renderer and not revision.withdrawn:
        # The bytes of the older renderer are unknown; assume that they differ.
        row = replace(row, vevents={PLAIN: b""})
    return replace(row, fingerprint=shown.fingerprint, renderer=shown.renderer)


def extend(connection: Connection, ledger: Ledger, plan: Plan, now: datetime) -> Ledger:
    """Add the publish that applied `plan` at `now` to the ledger that had filled the database."""
    stored = load_installation(connection)
    installation = LedgerInstallation(id=stored.id, since=stored.since)
    if plan.empty:
        return ledger.model_copy(update={"installation": installation})
    publishes = (*ledger.publishes, now)
    revisions = {uid: event.revisions for uid, event in ledger.events.items()}
    for row in new_entries(plan):
        entry = Entry(kind=row.kind, publish=len(publishes), revision=row.revision)
        uid = row.revision.event.uid
        revisions[uid] = (*revisions.get(uid, ()), entry)
    for carried in plan.carried:
        *earlier, last = revisions[carried.uid]
        renamed = last.model_copy(update={"revision": carried.revision})
        revisions[carried.uid] = (*earlier, renamed)
    shown = {
        mark.uid: Shown(fingerprint=mark.fingerprint, renderer=mark.renderer)
        for mark in load_fingerprints(connection).values()
    }
    return Ledger(
        format=1,
        installation=installation,
        publishes=publishes,
        calendars={
            row.slug: LedgerCalendar(
                content=json.loads(row.content), publish=row.publish_id, withdrawn=row.withdrawn
            )
            for row in load_calendars(connection).values()
        },
        events={
            uid: LedgerEvent(revisions=entries, shown=shown.get(uid))
            for uid, entries in revisions.items()
        },
    )
