"""The author of a publish: the given name, the user of the command, the owner of the saved file."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from calfeed.cli.authors import MAX_NAME_LENGTH, find_owners, find_user
from calfeed.cli.serving.publisher import Publisher
from calfeed.definitions.files import find_files
from calfeed.errors import InvalidInputError
from calfeed.settings import Settings
from calfeed.store.catalog.publishes import Author, latest_publish, list_publishes
from calfeed.store.database import Database
from tests.cli.records import Records

CALENDAR = "name: Desk\ntime_zone: UTC\nevents: {it: {summary: It, start: 2030-01-01}}\n"
LATER = CALENDAR.replace("2030", "2031")
NAMELESS = 4_123_456_789
"""The number of no user."""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of one calendar, in the folder that is published."""
    monkeypatch.setenv("CALFEED_EVENTS", str(tmp_path))
    (tmp_path / "desk.yaml").write_text(CALENDAR)
    return tmp_path / "desk.yaml"


def authors(database: Database) -> list[Author]:
    """Who made each publish, the last first."""
    with database.read() as connection:
        return [one.author for one in list_publishes(connection)]


def serve(database: Database, file: Path) -> Callable[[], bool]:
    """What `serve` does with the files as they are: publish, and say whether that was done."""
    publisher = Publisher(database, Settings(events=file.parent), lambda line: None)

    def publish() -> bool:
        outcome = publisher.publish(find_files(file.parent))
        return outcome is not None and outcome.published

    return publish


def test_a_publish_is_made_by_the_name_it_is_given(records: Records, file: Path) -> None:
    records.do("publish", "--by", " علی‌رضا ")
    assert authors(records.database) == [Author("علی‌رضا", "calfeed publish")]


def test_a_publish_without_a_name_is_made_by_the_user_that_runs_it(
    records: Records, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "amina")
    records.do("publish")
    assert authors(records.database) == [Author("amina", "calfeed publish")]


def test_a_user_whose_name_cannot_be_written_is_nobody(
    records: Records, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", os.fsdecode(b"\xff\xfe"))
    records.do("publish")
    assert authors(records.database) == [Author(None, "calfeed publish")]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_a_user_without_a_name_is_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    ours = os.getuid()
    os.setresuid(NAMELESS, -1, -1)  # the real one, which names are looked up for
    try:
        assert find_user() is None
    finally:
        os.setresuid(ours, -1, -1)


@pytest.mark.parametrize("name", ["", "  ", "two\nlines", "\x1b[2J", "‮niam", "a" * 101, "\udcff"])
def test_what_is_no_name_is_an_error_for_people_and_nothing_is_published(
    records: Records, file: Path, name: str
) -> None:
    error = records.run("publish", "--by", name).exception
    assert isinstance(error, InvalidInputError)
    assert "--by must be a name of 1 to 100 printable characters" in str(error)
    with records.database.read() as connection:
        assert latest_publish(connection) == 0


def test_the_longest_name_is_kept_whole(records: Records, file: Path) -> None:
    name = "ن" * MAX_NAME_LENGTH
    records.do("publish", "--by", name)
    assert authors(records.database)[0].name == name


def test_serve_publishes_as_its_user_first_and_as_the_owner_of_what_is_saved_then(
    database: Database, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "amina")
    publish = serve(database, file)
    assert publish()
    file.write_text(LATER)
    assert publish()
    assert authors(database) == [
        Author(file.owner(), "calfeed serve"),
        Author("amina", "calfeed serve"),
    ]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_publish_is_made_by_the_owners_of_all_that_was_saved_since_the_last(
    database: Database, file: Path
) -> None:
    (file.parent / "quiet.yaml").write_text(CALENDAR)
    publish = serve(database, file)
    assert publish()
    file.write_text("name: [")
    os.chown(file, 1, 1)
    assert not publish()
    other = file.with_name("other.yaml")
    other.write_text(CALENDAR)
    assert not publish()
    file.write_text(LATER)
    assert publish()
    names = ", ".join(sorted([file.owner(), other.owner()]))
    assert authors(database)[0] == Author(names, "calfeed serve")


def test_a_file_that_is_gone_is_nobodys(file: Path) -> None:
    assert find_owners([file.with_name("gone.yaml")]) is None
    assert find_owners([file, file.with_name("gone.yaml")]) == file.owner()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_the_file_of_a_user_without_a_name_is_nobodys(file: Path) -> None:
    os.chown(file, NAMELESS, 0)
    assert find_owners([file]) is None


def test_a_history_says_who_made_each_revision(records: Records, file: Path) -> None:
    records.do("publish", "--by", "Amina")
    file.write_text(LATER)
    records.do("publish", "--by", "Bilal")
    found = records.ask("event", "history", "desk/it")["history"]
    revisions = [one for one in found if one["what"] == "revision"]
    assert {one["by"] for one in revisions} == {"Amina", "Bilal"}
    assert {one["command"] for one in revisions} == {"calfeed publish"}
    text = records.do("event", "history", "desk/it")
    assert "    by Amina with calfeed publish\n" in text
    assert "    by Bilal with calfeed publish\n" in text


def test_a_history_of_what_nobody_is_known_for_says_nothing_of_it(records: Records) -> None:
    records.publish("it:\n  summary: It\n  start: 2030-01-01\n")
    (revision,) = records.ask("event", "history", "desk/it")["history"]
    assert revision["by"] is revision["command"] is None
    assert "by " not in records.do("event", "history", "desk/it")
