"""A database of every schema that was ever released is brought to this one, and loses nothing.

How the files in `released/` were made is told there.
"""

from __future__ import annotations

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
from calfeed.store.catalog import catalog
from calfeed.store.catalog.announcements import load_waiting, newest_announced
from calfeed.store.catalog.installation import load_installation, load_scheme
from calfeed.store.catalog.lineage import load_sequences
from calfeed.store.database import Database
from calfeed.store.endpoints import endpoints
from calfeed.store.migrate import check_schema, migrate
from calfeed.store.outbox import outbox
from calfeed.store.outbox.deliveries import list_deliveries
from calfeed.store.reports.sent_messages import messages_before
from calfeed.store.secrets.private import ANY, find_private
from calfeed.store.secrets.private_columns import raw
from calfeed.store.tables import attempts, messages, metadata
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


def test_each_release_is_there_for_both_databases() -> None:
    found = {path.name for path in FOLDER.glob("*.sql")}
    assert found == {f"{one}.{kind}.sql" for one in VERSIONS for kind in ("sqlite", "postgresql")}


@pytest.fixture(params=VERSIONS)
def released(request: pytest.FixtureRequest, engine: str, empty_url: str) -> Iterator[Database]:
    """A database as a released calfeed left it."""
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


def test_what_is_published_is_as_it_was(released: Database) -> None:
    """UIDs, SEQUENCEs, bytes; the next publish of the same definitions tells nobody anything."""
    with closing(sqlite3.connect(":memory:")) as kept:
        kept.executescript((FOLDER / "0.1.sqlite.sql").read_text("utf-8"))
        before = dict(kept.execute("SELECT uid, vevent FROM events"))
    migrate(released)
    with released.read() as connection:
        assert load_sequences(connection) == SEQUENCES
        assert {row.uid: row.vevents[PLAIN] for row in catalog.load_events(connection)} == (before)
        uids = load_scheme(connection)
        reminders = outbox.load_reminders(connection)
    assert uids.kept == set(SEQUENCES)
    feed = load_snapshot(released, BASE, NOW).answers["/calendars/desk.ics"].plain[1][0]
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
        raised = load_sequences(connection)
        assert outbox.load_reminders(connection) == reminders
    # Where an event is rendered otherwise now, apps have to take note of it, once.
    assert raised.keys() == SEQUENCES.keys()
    assert {raised[uid] - sequence for uid, sequence in SEQUENCES.items()} <= {0, 1}
    assert publish(released, read_definitions(files, uids), NOW, BASE).empty


def test_what_is_new_gets_a_uid_of_the_installation(released: Database) -> None:
    migrate(released)
    with released.read() as connection:
        uids, one = load_scheme(connection), load_installation(connection)
    files = {
        "events/desk.yaml": DESK.format(
            stay="2027-12-31", more="  new: {summary: New, start: 2027-04-01}"
        ).encode(),
        "events/board.yaml": BOARD.encode(),
    }
    (change,) = publish(released, read_definitions(files, uids), NOW, BASE).changes
    assert one.since == 3
    assert change.after.event.uid not in (*SEQUENCES, NAME_BASED_UIDS.make("desk", "new"))


def test_what_was_to_be_sent_still_is_and_what_was_sent_is_on_record(released: Database) -> None:
    migrate(released)
    with released.read() as connection:
        rows = list_deliveries(connection, limit=100)
        states = sorted(row.state for row in rows)
        assert states == ["delivered"] * 3 + ["held"] * 8 + ["pending"] * 5
        assert len(connection.execute(select(attempts)).all()) == 3
        assert all(connection.scalars(select(messages.c.body)))
        planned = [row for row in outbox.load_reminders(connection) if row.state == "planned"]
        assert len(planned) == 60
        assert outbox.next_due(connection) == min(row.due for row in planned)


def test_endpoints_and_tokens_go_on(released: Database) -> None:
    migrate(released)
    with released.read() as connection:
        found = {one.id: one for one in endpoints.list_endpoints(connection)}
        assert {name: one.state for name, one in found.items()} == {
            "ep_active": "active",
            "ep_paused": "paused",
        }
        assert found["ep_active"].secret == SECRET
        token = tokens.find_token(connection, TOKEN, NOW)
        assert token is not None
        assert token.calendar == "board"


def test_everything_that_was_published_counts_as_announced(released: Database) -> None:
    migrate(released)
    with released.read() as connection:
        assert load_waiting(connection) == []
        found = newest_announced(connection, ["board", "desk"], 50)
    told = [(one.place.uid, one.place.sequence) for each in found.values() for one in each]
    assert {uid: max(number for one, number in told if one == uid) for uid, _ in told} == SEQUENCES


def test_nothing_private_is_left_in_it(released: Database) -> None:
    """Not in a table, and on SQLite not in a free page or the log either."""
    migrate(released)
    with released.read() as connection:
        for table in metadata.sorted_tables:
            for row in connection.execute(select(*map(raw, table.columns))):
                assert "The budget" not in repr(tuple(row))
        assert find_private(connection) == {"board", ANY}
        told = [row.text for row in messages_before(connection, None, 99)]
    assert any("The budget" in text for text in told)
    if released.file is not None:
        log = released.file.path.with_name(f"{released.file.path.name}-wal")
        for path in (released.file.path, log):
            assert b"The budget" not in (path.read_bytes() if path.exists() else b"")
