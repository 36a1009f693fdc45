"""Calendars whose files are those that were published are not read, and nothing else differs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text

from calfeed.definitions.calendar_readings import CalendarReading, make_digests
from calfeed.definitions.code_digest import reader_version
from calfeed.definitions.files import load_definitions, load_files
from calfeed.definitions.reader import DefinitionReader
from calfeed.errors import DefinitionError, DefinitionWarning
from calfeed.model.uids import NAME_BASED_UIDS, UidScheme
from calfeed.publish.apply import plan_publish, publish
from calfeed.publish.folder import publish_folder
from calfeed.publish.plan import Plan
from calfeed.publish.show import show_text
from calfeed.publish.skipped_calendars import StaleDefinitionsError
from calfeed.store.catalog.file_digests import load_file_digests, save_file_digests
from calfeed.store.catalog.installation import load_uid_scheme
from calfeed.store.database import Database

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
BASE = "http://calendar.example"
FILES = {
    "desk.yaml": """
name: Desk
time_zone: Asia/Karachi
formerly: [old-desk]
events:
  one: {summary: One, start: 2030-01-01}
  two: {summary: Two, uid: two@desk, start: 2030-01-02}
""",
    "court.yaml": """
name: Court
time_zone: UTC
events:
  hearing: {summary: Hearing, start: 2030-02-01}
""",
    "team/calendar.yaml": "name: Team\ntime_zone: UTC\n",
    "team/more.yaml": "events:\n  call: {summary: Call, start: 2030-03-01 09:00}\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "events"
    for name, content in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder


def save(database: Database, folder: Path) -> Plan:
    return publish_folder(database, folder, lambda: NOW, BASE)


def plan_all(database: Database, folder: Path) -> Plan:
    """What publishing would do, with every file read."""
    with database.read() as connection:
        defined = load_definitions(folder, uids=load_uid_scheme(connection))
        return plan_publish(connection, defined, NOW, BASE)


def outcome(make: Callable[[], Plan]) -> object:
    """What a plan says, or why there is none."""
    try:
        plan = make()
    except DefinitionError as error:
        return error.problems, error.warnings
    return show_text(plan), plan.warnings


def skipped(database: Database, folder: Path) -> set[str]:
    """The calendars that are not read."""
    with database.read() as connection:
        reader = DefinitionReader(reader_version(), load_file_digests(connection))
        return set(load_definitions(folder, reader, load_uid_scheme(connection)).unchanged)


def test_only_the_calendar_that_changed_is_read(database: Database, folder: Path) -> None:
    assert skipped(database, folder) == set()
    assert len(save(database, folder).changes) == 4
    assert skipped(database, folder) == {"court", "desk", "team"}
    assert save(database, folder).empty
    more = folder / "team" / "more.yaml"
    more.write_text(more.read_text().replace("09:00", "10:00"))
    assert skipped(database, folder) == {"court", "desk"}
    (change,) = save(database, folder).changes
    assert change.after.event.slug == "call"


EDITS = {
    "a comment": ("court.yaml", "name: Court", "# ours\nname: Court"),
    "a title": ("desk.yaml", "summary: One", "summary: First"),
    "an event less": ("desk.yaml", "  one: {summary: One, start: 2030-01-01}\n", ""),
    "a name": ("team/calendar.yaml", "name: Team", "name: The team"),
    "a UID that another calendar has": ("court.yaml", "start:", "uid: two@desk, start:"),
    "a former name that another calendar has": (
        "court.yaml",
        "name: Court",
        "formerly: [old-desk]\nname: Court",
    ),
    "a former name that is another calendar's": (
        "court.yaml",
        "name: Court",
        "formerly: [team]\nname: Court",
    ),
    "a mistake": ("team/more.yaml", "09:00", "9 o'clock"),
}


@pytest.mark.parametrize("edit", EDITS)
def test_a_plan_or_a_refusal_is_the_same_as_when_everything_is_read(
    database: Database, folder: Path, edit: str
) -> None:
    save(database, folder)
    name, old, new = EDITS[edit]
    path = folder / name
    path.write_text(path.read_text().replace(old, new, 1))
    expected = outcome(lambda: plan_all(database, folder))
    assert outcome(lambda: save(database, folder)) == expected


def test_a_calendar_whose_file_is_gone_is_withdrawn_and_read_when_it_is_back(
    database: Database, folder: Path
) -> None:
    save(database, folder)
    (folder / "court.yaml").unlink()
    publish_folder(database, folder, lambda: NOW, BASE, allow_removals=True)
    (folder / "court.yaml").write_text(FILES["court.yaml"])
    assert skipped(database, folder) == {"desk", "team"}
    (change,) = save(database, folder).changes
    assert change.after.event.slug == "hearing"


@pytest.mark.parametrize("damage", ["DELETE FROM readings", "UPDATE readings SET warnings = '?'"])
def test_what_was_noted_of_files_may_be_lost_or_damaged(
    database: Database, folder: Path, damage: str
) -> None:
    save(database, folder)
    with database.write() as connection:
        connection.execute(text(damage))
    assert skipped(database, folder) == set()
    assert save(database, folder).empty
    assert skipped(database, folder) == {"court", "desk", "team"}


def test_what_somebody_else_published_meanwhile_is_compared_with_all_that_is_defined(
    database: Database, folder: Path
) -> None:
    save(database, folder)
    with database.read() as connection:
        uids, known = load_uid_scheme(connection), load_file_digests(connection)
    ours = load_definitions(folder, DefinitionReader(reader_version(), known), uids)
    court = folder / "court.yaml"
    court.write_text(FILES["court.yaml"].replace("Hearing", "Trial"))
    save(database, folder)
    with pytest.raises(StaleDefinitionsError):
        publish(database, ours, NOW, BASE)
    court.write_text(FILES["court.yaml"])
    (change,) = save(database, folder).changes
    assert change.after.event.summary == {"en": "Hearing"}


def test_a_calendar_from_which_nothing_was_taken_away_yet_is_read_again(
    database: Database, folder: Path
) -> None:
    save(database, folder)
    desk = folder / "desk.yaml"
    desk.write_text(desk.read_text().replace("  one: {summary: One, start: 2030-01-01}\n", ""))
    with database.read() as connection:
        defined = load_definitions(folder, uids=load_uid_scheme(connection))
    assert publish(database, defined, NOW, BASE, hold_removals=True).held.events
    (change,) = publish_folder(database, folder, lambda: NOW, BASE, allow_removals=True).changes
    assert change.after.withdrawn


def test_what_an_older_calfeed_rendered_is_rendered_anew_without_being_read(
    database: Database, folder: Path
) -> None:
    save(database, folder)
    with database.write() as connection:
        connection.execute(text("UPDATE events SET renderer = 0 WHERE calendar = 'desk'"))
    assert skipped(database, folder) == {"court", "desk", "team"}
    assert len(save(database, folder).rerendered) == 2
    assert save(database, folder).empty


def test_definitions_from_elsewhere_leave_nothing_known(database: Database, folder: Path) -> None:
    save(database, folder)
    with database.read() as connection:
        defined = load_definitions(folder, uids=load_uid_scheme(connection))
    publish(database, replace(defined, known={}), NOW, BASE)
    assert skipped(database, folder) == set()


def test_a_digest_is_of_names_bytes_uids_and_the_code_that_reads(
    folder: Path,
) -> None:
    files, _ = load_files(folder)
    digests = make_digests(files, NAME_BASED_UIDS, "code")
    assert digests == make_digests(dict(reversed(files.items())), NAME_BASED_UIDS, "code")
    other = UidScheme(UUID(int=1), frozenset({"a"}))
    moved = {file.replace("more", "others"): data for file, data in files.items()}
    assert make_digests(moved, NAME_BASED_UIDS, "code")["team"] != digests["team"]
    assert make_digests(moved, NAME_BASED_UIDS, "code")["desk"] == digests["desk"]
    assert make_digests(files, other, "code")["desk"] != digests["desk"]
    assert make_digests(files, replace(other, kept=frozenset()), "code")["desk"] != digests["desk"]
    assert make_digests(files, NAME_BASED_UIDS, "other code")["desk"] != digests["desk"]


def test_the_code_that_reads_is_described_with_its_libraries() -> None:
    assert "tzdata " in reader_version()


def test_warnings_about_what_is_not_read_are_given_all_the_same(
    database: Database, folder: Path
) -> None:
    files, _ = load_files(folder)
    warning = DefinitionWarning("events/court.yaml", 5, 3, "events.hearing", "is odd")
    digest = make_digests(files, NAME_BASED_UIDS, reader_version())["court"]
    with database.write() as connection:
        save_file_digests(connection, {"court": CalendarReading(digest, (warning,))})
    with database.read() as connection:
        defined = DefinitionReader(reader_version(), load_file_digests(connection)).read(files)
    assert defined.unchanged == {"court"}
    assert defined.warnings == (warning,)
