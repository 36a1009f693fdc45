"""The ledger as one text file: what was published, for a job that keeps no database between runs.

The file fills an empty database, a publish goes on from there, and the file is made anew. What a
revision looks like in a feed is not kept: that is rendered again, to the same bytes.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from calfeed.errors import InvalidInputError
from calfeed.ical.changes import EventChange, Kind
from calfeed.ical.variants import PLAIN
from calfeed.model.events import canonical_json
from calfeed.model.revision import Revision
from calfeed.publish.apply import make_row, new_entries
from calfeed.publish.plan import Plan
from calfeed.store.catalog import announcements
from calfeed.store.catalog.calendars import load_calendars, save_calendars
from calfeed.store.catalog.events import save_events
from calfeed.store.catalog.fingerprints import load_fingerprints
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
    """What comparing needs to know of an event that is shown."""

    fingerprint: str
    renderer: int


class KeptEvent(_Value):
    """Every revision of an event, oldest first; `shown` is None once it has left its feed."""

    revisions: tuple[Entry, ...] = Field(min_length=1)
    shown: Shown | None = None


class KeptCalendar(_Value):
    """A calendar without its events; `publish` is the one that last changed anything in it."""

    content: dict[str, Any]
    publish: int
    withdrawn: bool = False


class KeptInstallation(_Value):
    """The id of the installation, and the last publish before it had one."""

    id: UUID
    since: int = 0


class Ledger(_Value):
    """What is published, and how it came about: publishes by number from 1, events by UID.

    One that calfeed 0.1 wrote has no `installation`: the next publish makes its id.
    """

    format: Literal[1]
    installation: KeptInstallation | None = None
    publishes: tuple[datetime, ...] = ()
    calendars: dict[str, KeptCalendar] = {}
    events: dict[str, KeptEvent] = {}

    @model_validator(mode="after")
    def _check_numbers(self) -> Self:
        used = {one.publish for one in self.calendars.values()}
        used |= {entry.publish for one in self.events.values() for entry in one.revisions}
        if not used <= set(range(1, len(self.publishes) + 1)):
            raise ValueError("it refers to publishes that it does not have")
        return self


EMPTY = Ledger(format=1)
"""The ledger before the first publish."""


def read_ledger(text: str) -> Ledger:
    """Read a ledger's text. Raises InvalidInputError, with the first thing that is wrong."""
    try:
        return Ledger.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise InvalidInputError(
            f"this is not a ledger that this version of calfeed can read: "
            f"{place + ': ' if place else ''}{first['msg']}"
        ) from error


def write_ledger(ledger: Ledger) -> str:
    """The one text of a ledger: JSON, sorted, a line for each value, so that it can be compared."""
    value = ledger.model_dump(mode="json", exclude_defaults=True)
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def fill(connection: Connection, ledger: Ledger) -> None:
    """Bring what a ledger says into a database in which nothing is published.

    A ledger without an installation's id gets that of the database.
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
            CalendarRow(slug, canonical_json(one.content), one.withdrawn, one.publish)
            for slug, one in ledger.calendars.items()
        ],
    )
    save_events(
        connection,
        [
            _show(one.revisions[-1].revision, one.shown)
            for one in ledger.events.values()
            if one.shown is not None
        ],
    )
    entries: dict[int, list[RevisionRow]] = {}
    for one in ledger.events.values():
        for entry in one.revisions:
            entries.setdefault(entry.publish, []).append(RevisionRow(entry.kind, entry.revision))
    for number, rows in entries.items():
        add_revisions(connection, rows, number)
    _note_announced(connection, ledger)


def _note_announced(connection: Connection, ledger: Ledger) -> None:
    """What a ledger publishes is announced with it."""
    changes: dict[int, list[EventChange]] = {}
    for one in ledger.events.values():
        before: Revision | None = None
        for entry in one.revisions:
            if entry.kind not in [*Kind]:
                continue
            change = EventChange(Kind(entry.kind), before, entry.revision)
            if change.is_newsworthy:
                changes.setdefault(entry.publish, []).append(change)
            before = entry.revision
    for number, found in changes.items():
        announcements.mark_announced(connection, found, number)


def _show(revision: Revision, shown: Shown) -> EventRow:
    row = make_row(revision)
    if shown.renderer != row.renderer and not revision.withdrawn:
        # What an older calfeed made of it is not known; it counts as other bytes than today's.
        row = replace(row, vevents={PLAIN: b""})
    return replace(row, fingerprint=shown.fingerprint, renderer=shown.renderer)


def extend(connection: Connection, ledger: Ledger, plan: Plan, now: datetime) -> Ledger:
    """The ledger after a publish at `now` that applied `plan` to the database it had filled."""
    one = load_installation(connection)
    installation = KeptInstallation(id=one.id, since=one.since)
    if plan.empty:
        return ledger.model_copy(update={"installation": installation})
    publishes = (*ledger.publishes, now)
    revisions = {uid: one.revisions for uid, one in ledger.events.items()}
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
            row.slug: KeptCalendar(
                content=json.loads(row.content), publish=row.publish_id, withdrawn=row.withdrawn
            )
            for row in load_calendars(connection).values()
        },
        events={
            uid: KeptEvent(revisions=entries, shown=shown.get(uid))
            for uid, entries in revisions.items()
        },
    )
