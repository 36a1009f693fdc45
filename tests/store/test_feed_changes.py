"""The ledger says which publish changed, moved or withdrew an event of a feed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from calfeed.definitions.reader import read_definitions
from calfeed.publish.apply import publish
from calfeed.publish.restore import raise_sequences
from calfeed.store.catalog.feed_changes import load_feed_changes
from calfeed.store.catalog.lineage import load_lineage_mark
from calfeed.store.database import Database

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def define(database: Database, hour: int, **calendars: dict[str, str]) -> None:
    """Publish calendars with these events, each with its day."""
    texts = {}
    for name, events in calendars.items():
        lines = [f"name: {name}", "time_zone: UTC", "events:"]
        lines += [
            f"  {uid}: {{summary: {uid}, start: {day}, uid: {uid}}}" for uid, day in events.items()
        ]
        texts[f"events/{name}.yaml"] = "\n".join(lines).encode()
    now = NOW + timedelta(hours=hour)
    publish(database, read_definitions(texts), now, "https://x.org", allow_removals=True)


def test_each_change_has_the_number_of_its_publish(database: Database) -> None:
    define(database, 0, one={"a": "2027-01-01", "b": "2027-01-02", "c": "2027-01-03"})
    define(database, 1, one={"a": "2027-02-01", "b": "2027-01-02", "c": "2027-01-03"})
    define(database, 2, one={"a": "2027-02-01", "b": "2027-01-02"}, two={"c": "2027-01-03"})
    define(database, 3, one={"a": "2027-02-01"}, two={"c": "2027-01-03"})
    with database.read() as connection:
        found = load_feed_changes(connection, ["one", "two", "none"], NOW)
        later = load_feed_changes(connection, ["one"], NOW + timedelta(hours=2))
    assert found["one"].changed == {"a": 2, "b": 4, "c": 1}
    assert found["one"].moved == {"c": 3}
    assert found["one"].withdrawn == {"b": NOW + timedelta(hours=3)}
    assert (found["two"].changed, found["two"].moved) == ({"c": 3}, {})
    assert found["none"].changed == {}
    assert (later["one"].changed, later["one"].moved) == ({"b": 4}, {"c": 3})


def test_a_restore_and_nothing_else_begins_a_lineage(database: Database) -> None:
    with database.read() as connection:
        first = load_lineage_mark(connection)
    define(database, 0, one={"a": "2027-01-01"})
    with database.write() as connection:
        assert load_lineage_mark(connection) == first
        raise_sequences(connection, None, NOW)
        assert load_lineage_mark(connection) != first
