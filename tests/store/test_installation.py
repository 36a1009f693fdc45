"""The id of an installation, and the UIDs that it generates."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from uuid import UUID

import pytest

from calfeed.definitions.reader import read_definitions
from calfeed.errors import InvalidInputError
from calfeed.model.uids import NAME_BASED_UIDS, UidScheme
from calfeed.publish.apply import publish
from calfeed.publish.folder import publish_folder
from calfeed.publish.skipped_calendars import StaleDefinitionsError
from calfeed.store.catalog.installation import (
    Installation,
    change_installation_id,
    load_installation,
    load_uid_scheme,
    save_installation,
)
from calfeed.store.database import Database
from calfeed.store.migrate import migrate
from tests.keys import KEYS
from tests.store.keeping import NOW

OTHER = UUID(int=7)
FILES = {
    "events/desk.yaml": b"name: D\ntime_zone: UTC\nevents: {it: {summary: I, start: 2030-01-01}}"
}
BASE = "https://calendar.example.org"


def publish_with(database: Database, uids: UidScheme) -> None:
    publish(database, read_definitions(FILES, uids), NOW, BASE)


def test_each_database_has_its_own_id(empty_url: str, tmp_path: object) -> None:
    ids = set()
    for url in (empty_url, f"sqlite:///{tmp_path}/other.sqlite3"):
        database = Database(url, KEYS)
        migrate(database)
        with database.read() as connection:
            ids.add(load_installation(connection).id)
            assert load_uid_scheme(connection).kept == frozenset()
        database.close()
    assert len(ids) == 2


def test_an_id_can_be_changed_until_an_event_is_published_with_it(database: Database) -> None:
    with database.write() as connection:
        change_installation_id(connection, OTHER)
        uids = load_uid_scheme(connection)
    assert uids == UidScheme(OTHER)
    publish_with(database, uids)
    with database.write() as connection:
        change_installation_id(connection, OTHER)  # which it has
        with pytest.raises(InvalidInputError, match=f"the id stays {OTHER}: 1 published event"):
            change_installation_id(connection, UUID(int=8))


def test_definitions_read_for_another_id_are_not_published(database: Database) -> None:
    """The id is changed while a publish reads its files."""
    with database.read() as connection:
        read = read_definitions(FILES, load_uid_scheme(connection))
    with database.write_exclusive() as connection:
        change_installation_id(connection, OTHER)
    with pytest.raises(StaleDefinitionsError):
        publish(database, read, NOW, BASE)


def test_a_folder_is_read_again_if_the_id_changes_meanwhile(
    database: Database, tmp_path: Path
) -> None:
    (tmp_path / "desk.yaml").write_bytes(FILES["events/desk.yaml"])
    asked = 0

    def set_while_reading() -> datetime:
        nonlocal asked
        asked += 1
        if asked == 1:
            with database.write_exclusive() as connection:
                change_installation_id(connection, OTHER)
        return NOW

    (change,) = publish_folder(database, tmp_path, set_while_reading, BASE).changes
    assert change.after.event.uid == UidScheme(OTHER).make("desk", "it")


def test_events_older_than_the_id_keep_their_uids_and_allow_changing_it(
    database: Database,
) -> None:
    """As after upgrading a database of calfeed 0.1."""
    publish_with(database, NAME_BASED_UIDS)
    with database.write() as connection:
        one = load_installation(connection)
        save_installation(connection, Installation(one.id, since=1))
        change_installation_id(connection, OTHER)
        uids = load_uid_scheme(connection)
    assert uids == UidScheme(OTHER, frozenset({NAME_BASED_UIDS.make("desk", "it")}))
