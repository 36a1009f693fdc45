"""A site whose definitions are published one after the other, and the resulting database."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select

from calfeed.definitions.result import Definitions
from calfeed.ical.variants import PLAIN
from calfeed.model.events import Calendar
from calfeed.model.revision import Revision
from calfeed.publish import apply
from calfeed.publish.announce import announce_due
from calfeed.publish.plan import Plan
from calfeed.reminders.filters import Subject
from calfeed.store.catalog.announcements import load_newest_announced
from calfeed.store.catalog.events import load_events
from calfeed.store.catalog.publishes import UNKNOWN_AUTHOR, Author
from calfeed.store.database import Database
from calfeed.store.endpoints.records import add_endpoint
from calfeed.store.outbox.reminders import load_reminders
from calfeed.store.rows import EventRow, ReminderRow
from calfeed.store.tables import messages, metadata, revisions
from tests.ical.defining import define
from tests.store.keeping import make_endpoint

NOW = datetime(2025, 6, 1, 12, 0, tzinfo=UTC)
BASE = "https://calendar.example.org"
GRACE = timedelta(minutes=2)
SECOND = timedelta(seconds=1)

STAY = "stay:\n  summary: The stay ends\n  start: {start}\n  reminders: [1 week, 1 day]\n"
OTHERS = "".join(
    f"other-{number}:\n  summary: Other {number}\n  start: 2025-09-0{number}\n"
    for number in range(1, 5)
)


class Desk:
    """Publishes to one database; each publish is an hour after the one before it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.now = NOW

    def save(
        self, *texts: str, after: timedelta = timedelta(hours=1), grace: timedelta = GRACE
    ) -> Plan:
        """Publish the events of one calendar as `serve` does: announced when they have held."""
        self.now += after
        calendar = define("".join(texts))
        return apply.publish(
            self.database,
            Definitions((calendar,)),
            self.now,
            BASE,
            allow_removals=True,
            grace=grace,
        )

    def announce(self, after: timedelta = GRACE) -> int:
        """Let time go by, and announce what is due then."""
        self.now += after
        return announce_due(self.database, self.now, BASE)

    def publish(
        self,
        *texts: str,
        allow_removals: bool = False,
        author: Author = UNKNOWN_AUTHOR,
        grace: timedelta = apply.NO_GRACE,
    ) -> Plan:
        """Publish the events of one calendar (`desk`)."""
        calendar = define("".join(texts))
        return self.publish_calendars(
            calendar, allow_removals=allow_removals, author=author, grace=grace
        )

    def publish_calendars(
        self,
        *calendars: Calendar,
        allow_removals: bool = False,
        author: Author = UNKNOWN_AUTHOR,
        grace: timedelta = apply.NO_GRACE,
    ) -> Plan:
        self.now += timedelta(hours=1)
        return apply.publish(
            self.database,
            Definitions(calendars),
            self.now,
            BASE,
            allow_removals=allow_removals,
            author=author,
            grace=grace,
        )

    def add_endpoint(self, name: str = "end_1") -> None:
        with self.database.write() as connection:
            add_endpoint(connection, make_endpoint(name))

    def vevents(self) -> dict[str, bytes]:
        """The plain form of what is shown, by slug."""
        with self.database.read() as connection:
            rows = load_events(connection)
        return {row.slug: row.vevents[PLAIN] for row in rows}

    def revisions(self) -> dict[str, Revision]:
        with self.database.read() as connection:
            return {row.slug: row.revision for row in load_events(connection)}

    def ledger(self, slug: str) -> list[tuple[str, int]]:
        """The kinds of an event's revisions, with their SEQUENCE."""
        uid = self.revisions()[slug].event.uid
        query = select(revisions.c.kind, revisions.c.sequence).where(revisions.c.uid == uid)
        with self.database.read() as connection:
            rows = connection.execute(query.order_by(revisions.c.sequence))
            return [(row.kind, row.sequence) for row in rows]

    def reminders(self) -> list[ReminderRow]:
        with self.database.read() as connection:
            return load_reminders(connection)

    def states(self) -> list[tuple[str, str]]:
        """Day of the occurrence and state of each reminder, by due time."""
        return [(f"{row.begins + timedelta(hours=5):%m-%d}", row.state) for row in self.reminders()]

    def told(self) -> list[Subject]:
        """What there is a message of, oldest first."""
        with self.database.read() as connection:
            rows = connection.execute(
                select(messages.c.subject).order_by(messages.c.at, messages.c.id)
            )
            return [Subject.model_validate_json(row.subject) for row in rows]

    def messages(self) -> list[dict[str, Any]]:
        """The bodies of the messages about changes, oldest first."""
        with self.database.read() as connection:
            query = select(messages.c.body).where(messages.c.reminder.is_(None))
            rows = connection.execute(query.order_by(messages.c.at, messages.c.id))
            return [json.loads(row.body) for row in rows]

    def atom(self) -> list[tuple[str, str, int]]:
        """What the calendar's list of changes has, oldest first: event, kind, SEQUENCE."""
        with self.database.read() as connection:
            found = load_newest_announced(connection, ["desk"], 50).get("desk", [])
        return [
            (one.change.after.event.slug, one.kind, one.position.sequence)
            for one in reversed(found)
        ]

    def rows(self) -> dict[str, EventRow]:
        """What is shown, by slug."""
        with self.database.read() as connection:
            return {row.slug: row for row in load_events(connection)}

    def everything(self) -> dict[str, list[tuple[object, ...]]]:
        """Every row of every table."""
        with self.database.read() as connection:
            return {
                table.name: sorted(
                    (tuple(row) for row in connection.execute(select(table))), key=repr
                )
                for table in metadata.sorted_tables
            }
