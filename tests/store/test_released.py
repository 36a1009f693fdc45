"""Databases of every released schema are migrated without loss.

`released/README.md` describes how the files were made.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import select
from sqlalchemy.engine import make_url

from calfeed.definitions.reader import read_definitions
from calfeed.errors import StoreError
from calfeed.ical.variants import PLAIN
from calfeed.model.uids import NAME_BASED_UIDS
from calfeed.publish.apply import publish
from calfeed.store.access import tokens
from calfeed.store.catalog.announcements import load_newest_announced, load_pending_announcements
from calfeed.store.catalog.events import load_events
from calfeed.store.catalog.installation import load_installation, load_uid_scheme
from calfeed.store.catalog.lineage import load_last_sequences
from calfeed.store.database import Database
from calfeed.store.endpoints import records
from calfeed.store.migrate import check_schema, migrate
from calfeed.store.outbox.deliveries import list_deliveries
from calfeed.store.outbox.reminders import load_reminders, next_reminder_due
from calfeed.store.reports.sent_messages import load_messages_before
from calfeed.store.secrets.private import ANY_CALENDAR, load_private_slugs
from calfeed.store.secrets.private_columns import raw
from calfeed.store.tables import attempts, event_names, messages, metadata
from calfeed.web.published.snapshot import load_snapshot
from tests.keys import KEYS
from tests.store.released.desk import BASE, BOARD, DESK, SECRET, TOKEN

FOLDER = Path(__file__).parent / "released"
VERSIONS = ["0.1"]
NOW = datetime(2026, 11, 2, tzinfo=UTC)

SEQUENCES = {
    NAME_BASED_UIDS.make("board", "budget"): 0,
    NAME_BASED_UIDS.make("desk", "meeting"): 0,
    NAME_BASED_UIDS.make("desk", "stay"): 2,
    NAME_BASED_UIDS.make("desk", "visit"): 1,
    "guest@example.org": 0,
}


def test_each_release_has_a_dump_of_both_databases() -> None:
    found = {path.name for path in FOLDER.glob("*.sql")}
    assert found == {f"{one}.{kind}.sql" for one in VERSIONS for kind in ("sqlite", "postgresql")}


@pytest.fixture(params=VERSIONS)
def released(request: pytest.FixtureRequest, engine: str, empty_url: str) -> Iterator[Database]:
    """A database of a released version."""
    script = (FOLDER / f"{request.param}.{engine}.sql").read_text("utf-8")
    if engine == "sqlite":
        with closing(sqlite3.connect(make_url(empty_url).database or "")) as connection:
            connection.executescript(script)
    else:
        with psycopg.connect(empty_url, autocommit=True) as connection:
            connection.execute(script.encode())
    with closing(Database(empty_url, KEYS)) as database:
        yield database


def test_a_released_database_is_refused_until_it_is_migrated(released: Database) -> None:
    with pytest.raises(StoreError, match="another version's schema"):
        check_schema(released)
    migrate(released)
    check_schema(released)


def test_published_events_are_unchanged(released: Database) -> None:
    """UIDs, SEQUENCEs and bytes; publishing the same definitions sends no messages."""
    with closing(sqlite3.connect(":memory:")) as kept:
        kept.executescript((FOLDER / "0.1.sqlite.sql").read_text("utf-8"))
        before = dict(kept.execute("SELECT uid, vevent FROM events"))
    migrate(released)
    with released.read() as connection:
        assert load_last_sequences(connection) == SEQUENCES
        assert {row.uid: row.vevents[PLAIN] for row in load_events(connection)} == (before)
        uids = load_uid_scheme(connection)
        reminders = load_reminders(connection)
    assert uids.kept == set(SEQUENCES)
    feed = load_snapshot(released, BASE, NOW).responses["/calendars/desk.ics"].plain[1][0]
    assert {uid for uid in SEQUENCES if f"UID:{uid}\r\n".encode() in feed} == (
        set(SEQUENCES) - {NAME_BASED_UIDS.make("board", "budget")}
    )
    files = {
        "events/desk.yaml": DESK.format(stay="2027-12-31", more="").encode(),
        "events/board.yaml": BOARD.encode(),
    }
    plan = publish(released, read_definitions(files, uids), NOW, BASE)
    assert (plan.changes, plan.messages) == ((), ())
    with released.read() as connection:
        raised = load_last_sequences(connection)
        assert load_reminders(connection) == reminders
    # Where an event is rendered otherwise now, apps have to take note of it, once.
    assert raised.keys() == SEQUENCES.keys()
    assert {raised[uid] - sequence for uid, sequence in SEQUENCES.items()} <= {0, 1}
    assert publish(released, read_definitions(files, uids), NOW, BASE).empty


def test_new_events_get_uids_of_the_installation(released: Database) -> None:
    migrate(released)
    with released.read() as connection:
        uids, one = load_uid_scheme(connection), load_installation(connection)
    files = {
        "events/desk.yaml": DESK.format(
            stay="2027-12-31", more="  new: {summary: New, start: 2027-04-01}"
        ).encode(),
        "events/board.yaml": BOARD.encode(),
    }
    (change,) = publish(released, read_definitions(files, uids), NOW, BASE).changes
    assert one.since == 3
    assert change.after.event.uid not in (*SEQUENCES, NAME_BASED_UIDS.make("desk", "new"))


def test_pending_deliveries_and_attempts_are_kept(released: Database) -> None:
    migrate(released)
    with released.read() as connection:
        rows = list_deliveries(connection, limit=100)
        states = sorted(row.state for row in rows)
        assert states == ["delivered"] * 3 + ["held"] * 8 + ["pending"] * 5
        assert len(connection.execute(select(attempts)).all()) == 3
        assert all(connection.scalars(select(messages.c.body)))
        planned = [row for row in load_reminders(connection) if row.state == "planned"]
        assert len(planned) == 60
        assert next_reminder_due(connection) == min(row.due for row in planned)


def test_endpoints_and_tokens_are_kept(released: Database) -> None:
    migrate(released)
    with released.read() as connection:
        found = {one.id: one for one in records.list_endpoints(connection)}
        assert {name: one.state for name, one in found.items()} == {
            "ep_active": "active",
            "ep_paused": "paused",
        }
        assert found["ep_active"].secret == SECRET
        token = tokens.find_token(connection, TOKEN, NOW)
        assert token is not None
        assert token.calendar == "board"


def test_all_published_changes_count_as_announced(released: Database) -> None:
    migrate(released)
    with released.read() as connection:
        assert load_pending_announcements(connection) == []
        found = load_newest_announced(connection, ["board", "desk"], 50)
    told = [(one.position.uid, one.position.sequence) for each in found.values() for one in each]
    assert {uid: max(number for one, number in told if one == uid) for uid, _ in told} == SEQUENCES


def test_messages_name_their_calendar_in_a_column(released: Database) -> None:
    migrate(released)
    with released.read() as connection:
        rows = connection.execute(select(messages.c.subject, messages.c.calendar)).all()
    assert "desk" in {row.calendar for row in rows}
    assert all(json.loads(row.subject)["calendar"] == row.calendar for row in rows)


def test_events_of_public_calendars_have_their_names_on_record(released: Database) -> None:
    migrate(released)
    with released.read() as connection:
        named = {
            (row.calendar, row.slug): row.uid for row in connection.execute(select(event_names))
        }
        published = load_events(connection, calendar_slugs=["desk"])
    assert named.items() >= {("desk", row.slug): row.uid for row in published}.items()
    assert ("desk", "stay") in named
    assert {calendar for calendar, _ in named} == {"desk"}, "none of a private calendar"


def test_private_values_are_not_left_plain(released: Database) -> None:
    """Neither in tables nor, on SQLite, in free pages or the WAL."""
    migrate(released)
    with released.read() as connection:
        for table in metadata.sorted_tables:
            for row in connection.execute(select(*map(raw, table.columns))):
                assert "The budget" not in repr(tuple(row))
        assert load_private_slugs(connection) == {"board", ANY_CALENDAR}
        told = [row.text for row in load_messages_before(connection, None, 99)]
    assert any("The budget" in text for text in told)
    if released.file is not None:
        log = released.file.path.with_name(f"{released.file.path.name}-wal")
        for path in (released.file.path, log):
            assert b"The budget" not in (path.read_bytes() if path.exists() else b"")
