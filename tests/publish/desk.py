"""A desk: definitions published one after the other, and what the database says then."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from calfeed.definitions.defined import Definitions
from calfeed.definitions.values import Calendar
from calfeed.ical.revision import Revision
from calfeed.ical.variants import PLAIN
from calfeed.publish import apply
from calfeed.publish.plan import Plan
from calfeed.reminders.filters import Subject
from calfeed.store import catalog, outbox
from calfeed.store.database import Database
from calfeed.store.endpoints import add_endpoint
from calfeed.store.outbox import ReminderRow
from calfeed.store.publishes import UNKNOWN, Author
from calfeed.store.tables import messages, metadata, revisions
from tests.ical.defining import define
from tests.store.keeping import make_endpoint

NOW = datetime(2025, 6, 1, 12, 0, tzinfo=UTC)
BASE = "https://calendar.example.org"

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

    def publish(self, *texts: str, allow_removals: bool = False, author: Author = UNKNOWN) -> Plan:
        """Publish the events of one calendar (`desk`)."""
        calendar = define("".join(texts))
        return self.publish_calendars(calendar, allow_removals=allow_removals, author=author)

    def publish_calendars(
        self, *calendars: Calendar, allow_removals: bool = False, author: Author = UNKNOWN
    ) -> Plan:
        self.now += timedelta(hours=1)
        return apply.publish(
            self.database,
            Definitions(calendars),
            self.now,
            BASE,
            allow_removals=allow_removals,
            author=author,
        )

    def add_endpoint(self, name: str = "end_1") -> None:
        with self.database.write() as connection:
            add_endpoint(connection, make_endpoint(name))

    def vevents(self) -> dict[str, bytes]:
        """The plain form of what is shown, by slug."""
        with self.database.read() as connection:
            rows = catalog.load_events(connection)
        return {row.slug: row.vevents[PLAIN] for row in rows}

    def revisions(self) -> dict[str, Revision]:
        with self.database.read() as connection:
            return {row.slug: row.revision for row in catalog.load_events(connection)}

    def ledger(self, slug: str) -> list[tuple[str, int]]:
        """The kinds of an event's revisions, with their SEQUENCE."""
        uid = self.revisions()[slug].event.uid
        query = select(revisions.c.kind, revisions.c.sequence).where(revisions.c.uid == uid)
        with self.database.read() as connection:
            rows = connection.execute(query.order_by(revisions.c.sequence))
            return [(row.kind, row.sequence) for row in rows]

    def reminders(self) -> list[ReminderRow]:
        with self.database.read() as connection:
            return outbox.load_reminders(connection)

    def states(self) -> list[tuple[str, str]]:
        """Day of the occurrence and state of each reminder, by due time."""
        return [(f"{row.begins + timedelta(hours=5):%m-%d}", row.state) for row in self.reminders()]

    def told(self) -> list[Subject]:
        """What there is a message of, oldest first."""
        with self.database.read() as connection:
            rows = connection.execute(select(messages.c.subject).order_by(messages.c.at))
            return [Subject.model_validate_json(row.subject) for row in rows]

    def everything(self) -> dict[str, list[tuple[object, ...]]]:
        """Every row of every table."""
        with self.database.read() as connection:
            return {
                table.name: sorted(
                    (tuple(row) for row in connection.execute(select(table))), key=repr
                )
                for table in metadata.sorted_tables
            }
