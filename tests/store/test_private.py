"""Private calendars are encrypted in the database, and public ones never depend on a key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text

from calfeed.definitions.reader import read_definitions
from calfeed.model.uids import NAME_BASED_UIDS
from calfeed.model.values import text_in
from calfeed.publish.apply import publish
from calfeed.store.catalog import visibility
from calfeed.store.catalog.calendars import load_calendars
from calfeed.store.catalog.events import load_events, load_sizes_by_year
from calfeed.store.catalog.lineage import load_last_sequences
from calfeed.store.catalog.publishes import list_publishes
from calfeed.store.catalog.revisions import load_categories
from calfeed.store.database import Database
from calfeed.store.endpoints.records import add_endpoint
from calfeed.store.migrate import migrate
from calfeed.store.outbox.fanout import fan_out
from calfeed.store.reports.history import find_uids, load_history
from calfeed.store.reports.sent_messages import load_messages_before
from calfeed.store.secrets.keys import KeyFile
from calfeed.store.secrets.private import find_unreadable_calendars
from calfeed.store.secrets.private_columns import is_private, raw
from calfeed.store.secrets.resealing import count_by_key, drop_key, reseal_all
from calfeed.store.tables import metadata
from calfeed.web.published.snapshot import load_snapshot
from tests.store.keeping import make_endpoint

NOW = datetime(2026, 11, 1, tzinfo=UTC)
BASE = "https://calendar.example.org"
SECRETS = ("Zanzibar", "Zermatt", "Zuerich", "Zaragoza")

BOARD = """
name: Board of Zanzibar
time_zone: UTC
visibility: {visibility}
formerly: [{formerly}]
events:
  budget:
    summary: Zermatt {title}
    description: Zuerich
    categories: [Zaragoza]
    start: 2027-05-01 09:00
"""
DESK = "name: Desk\ntime_zone: UTC\nevents: {call: {summary: Call, start: 2099-01-01}}\n"


@pytest.fixture
def own(empty_url: str, tmp_path: Path) -> Iterator[Database]:
    """A database with its own keys, and an endpoint without filters."""
    with closing(Database(empty_url, tmp_path / "calfeed.keys")) as database:
        migrate(database)
        with database.write() as connection:
            add_endpoint(connection, make_endpoint("end_1"))
        yield database


def keys_of(database: Database) -> KeyFile:
    assert database.keyring is not None
    return database.keyring.file


def again(database: Database) -> Database:
    """Open the same database as another process would."""
    return Database(database.engine.url.render_as_string(hide_password=False), database.keys)


def keep(
    database: Database,
    visibility: str = "private",
    title: str = "",
    now: datetime = NOW,
    slug: str = "board",
    formerly: str = "",
) -> None:
    board = BOARD.format(visibility=visibility, title=title, formerly=formerly)
    files = {f"events/{slug}.yaml": board.encode(), "events/desk.yaml": DESK.encode()}
    publish(database, read_definitions(files, NAME_BASED_UIDS), now, BASE)
    while fan_out_one(database, now):
        pass


def fan_out_one(database: Database, now: datetime) -> bool:
    with database.write() as connection:
        return fan_out(connection, now)


def stored(database: Database) -> dict[str, list[str | bytes]]:
    """Return the stored values of all columns that can be sealed."""
    found = {}
    with database.read() as connection:
        for table in metadata.sorted_tables:
            for column in filter(is_private, table.columns):
                found[f"{table.name}.{column.name}"] = [
                    one for one in connection.scalars(select(raw(column))) if one
                ]
    return found


def dump(database: Database) -> str:
    """Return all values of all tables."""
    rows = []
    with database.read() as connection:
        for table in metadata.sorted_tables:
            query = select(*map(raw, table.columns))
            rows += [repr(tuple(row)) for row in connection.execute(query)]
    return "\n".join(rows)


def secrets_in(database: Database) -> set[str]:
    said = dump(database)
    return {one for one in SECRETS if one in said}


def titles(database: Database) -> set[str]:
    with database.read() as connection:
        rows = load_events(connection)
    return {text_in(row.revision.event.summary, row.revision.event.language) for row in rows}


def test_private_values_are_sealed_and_public_ones_plain(own: Database) -> None:
    keep(own)
    assert secrets_in(own) == set()
    assert "Call" in dump(own)
    with own.read() as connection:
        rows = {row.slug: row for row in load_events(connection)}
        assert "Zuerich" in rows["budget"].revision.model_dump_json()
        assert b"Zermatt" in b"".join(rows["budget"].vevents.values())
        assert load_categories(connection) == {"board": {"Zaragoza"}}
        assert load_calendars(connection)["board"].private
        (made,) = list_publishes(connection)
        assert {one["summary"].strip() for one in made.changes} == {"Call", "Zermatt"}
        told = [row for row in load_messages_before(connection, None, 9) if "Zermatt" in row.text]
        assert [row.subject.categories for row in told] == [("Zaragoza",)]
        assert b"Zermatt" in told[0].body
        (uid,) = find_uids(connection, "board/budget")
        assert len(load_history(connection, [uid]).changes) == 1
        assert not visibility.is_public(connection, "board")
        size = sum(size for _, _, size in load_sizes_by_year(connection, "board"))
    plain = sum(len(one) for name, one in rows["budget"].vevents.items() if name.language == "")
    assert abs(size - plain) <= 2 * len(rows)


def test_all_rows_of_a_calendar_that_becomes_private_are_sealed(
    own: Database,
) -> None:
    keep(own, "public", "one")
    keep(own, "public", "two", NOW + timedelta(minutes=1))
    assert secrets_in(own) == set(SECRETS)
    before = titles(own)
    keep(own, "private", "two", NOW + timedelta(minutes=2))
    assert secrets_in(own) == set()
    assert titles(own) == before
    with own.read() as connection:
        assert {
            row.changes[0]["calendar"] for row in list_publishes(connection) if row.changes
        } == {"board"}
    keep(own, "public", "three", NOW + timedelta(minutes=3))
    assert secrets_in(own) == set(SECRETS)
    with own.read() as connection:
        assert visibility.is_public(connection, "board")


def test_a_former_name_is_as_private_as_the_calendar(own: Database) -> None:
    keep(own, "public")
    keep(own, "public", now=NOW + timedelta(minutes=1), slug="council", formerly="board")
    with own.read() as connection:
        assert visibility.is_public(connection, "board")
    keep(own, "private", now=NOW + timedelta(minutes=2), slug="council", formerly="board")
    assert secrets_in(own) == set()
    with own.read() as connection:
        assert not visibility.any_public(connection, ["board", "council"])


def test_a_public_text_that_looks_sealed_is_read_unchanged(own: Database) -> None:
    desk = DESK.replace("Call", "'v1:0123abcd:x', categories: ['v1:', 'v1:0123abcd:AAAA']")
    publish(own, read_definitions({"events/desk.yaml": desk.encode()}, NAME_BASED_UIDS), NOW, BASE)
    with own.read() as connection:
        assert load_categories(connection) == {"desk": {"v1:", "v1:0123abcd:AAAA"}}
        (row,) = load_messages_before(connection, None, 9)
    assert row.text.startswith("v1:0123abcd:x")
    assert set(row.subject.categories) == {"v1:", "v1:0123abcd:AAAA"}


def test_a_value_moved_from_another_row_is_not_opened(own: Database) -> None:
    keep(own)
    with own.write() as connection:
        connection.execute(
            text("UPDATE events SET revision = (SELECT revision FROM events WHERE slug = 'budget')")
        )
        assert [row.slug for row in load_events(connection)] == ["budget"]


def test_keys_of_private_values_are_rotated_and_dropped(own: Database) -> None:
    keep(own)
    with own.read() as connection:
        before = count_by_key(connection)
    (former,) = keys_of(own).load()
    current = keys_of(own).add(datetime.now(UTC) - timedelta(hours=1))
    reseal_all(own)
    with own.read() as connection:
        assert count_by_key(connection) == {current.id: before[former.id]}
    drop_key(own, former.id, datetime.now(UTC))
    with closing(again(own)) as other:
        assert len(titles(other)) == 2
        assert secrets_in(other) == set()


def test_after_losing_a_key_public_calendars_work_and_a_publish_restores_private_ones(
    own: Database,
) -> None:
    keep(own)
    with own.read() as connection:
        before = load_last_sequences(connection)
    (former,) = keys_of(own).load()
    aside = keys_of(own).path.with_suffix(".aside")
    keys_of(own).path.rename(aside)
    with closing(again(own)) as other:
        snapshot = load_snapshot(other, BASE, NOW)
        assert set(snapshot.all_calendars) == {"desk"}
        assert titles(other) == {"Call"}
        with other.read() as connection:
            assert find_unreadable_calendars(connection) == ["board"]
            assert {row.text for row in load_messages_before(connection, None, 9)} > {""}
            assert [row.changes for row in list_publishes(connection)] == [[]]
        aside.rename(keys_of(own).path)
        assert len(titles(other)) == 2  # in this very process
        assert set(load_snapshot(other, BASE, NOW).all_calendars) == {"board", "desk"}
    keys_of(own).add(datetime.now(UTC))
    keys_of(own).drop(former.id)
    with closing(again(own)) as other:
        keep(other, now=NOW + timedelta(minutes=1))
        assert len(titles(other)) == 2
        with other.read() as connection:
            after = load_last_sequences(connection)
        raised = {uid for uid in before if after[uid] > before[uid]}
        assert raised == {NAME_BASED_UIDS.make("board", "budget")}
        assert set(load_snapshot(other, BASE, NOW).all_calendars) == {"board", "desk"}
        keep(other, now=NOW + timedelta(minutes=2))
        with other.read() as connection:
            assert load_last_sequences(connection) == after
            assert find_unreadable_calendars(connection) == []
            assert count_by_key(connection)[former.id] > 0  # the ledger, messages


def test_public_calendars_are_published_without_a_key(own: Database) -> None:
    keep(own, "public")
    keys_of(own).path.unlink()
    with closing(again(own)) as other:
        keep(other, "public", "again", NOW + timedelta(minutes=1))
        assert len(titles(other)) == 2
