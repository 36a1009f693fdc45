"""Warnings about a publish: new or moved events that are already past."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from calfeed.cli import cli
from calfeed.cli.serving.publisher import Publisher
from calfeed.definitions.files import find_files
from calfeed.definitions.reader import read_definitions
from calfeed.definitions.result import Definitions
from calfeed.publish import apply
from calfeed.publish.show import show_json, show_markdown
from calfeed.publish.warn import HISTORY, find_first_warnings
from calfeed.settings import Settings
from calfeed.store.database import Database
from tests.publish.desk import BASE, NOW

HEAD = "name: Desk\ntime_zone: UTC\nevents:\n"
COMING = "  coming:\n    summary: C\n    start: 2026-01-01\n"
OLD = "  old:\n    summary: Old\n    start: {day}\n"


def read(text: str) -> Definitions:
    return read_definitions({"events/desk.yaml": (HEAD + text).encode()})


def publish(database: Database, *texts: str) -> list[str]:
    """Publish texts one after the other; the warnings of the last."""
    for text in texts:
        plan = apply.publish(database, read(text), NOW, BASE)
    return [str(warning) for warning in plan.warnings]


@pytest.mark.parametrize(
    ("day", "warned"),
    [("2003-06-14", True), ("2024-06-14", False), ("2025-07-01", False)],
)
def test_a_calendar_that_is_new_may_bring_ten_years_of_history(day: str, warned: bool) -> None:
    warnings = find_first_warnings(read(OLD.format(day=day)), NOW)
    assert [str(one) for one in warnings] == warned * [
        f"events/desk.yaml:6:5: warning: events.old.start: {day} is in the past, so the new "
        "event has no reminders; check the year"
    ]
    assert timedelta(days=3653) == HISTORY


@pytest.mark.parametrize(
    ("later", "warned"),
    [
        (OLD.format(day="2025-05-31"), "2025-05-31 is in the past"),
        (OLD.format(day="2025-06-01"), None),
        (OLD.format(day="2025-05-31") + "    end: 2025-06-02\n", None),
        (OLD.format(day="2025-05-31") + "    status: cancelled\n", None),
        (OLD.format(day="2025-05-31") + "    repeat: {rule: FREQ=YEARLY}\n", None),
        (OLD.format(day="2025-05-29") + "    repeat: {rule: FREQ=DAILY;COUNT=2}\n", "2025-05-29"),
    ],
)
def test_an_event_added_to_a_published_calendar_and_over_is_warned_of(
    database: Database, later: str, warned: str | None
) -> None:
    warnings = publish(database, COMING, COMING + later)
    assert len(warnings) == (warned is not None)
    assert warned is None or warned in warnings[0]
    assert publish(database, COMING + later) == [], "it is no longer new"


def test_a_date_that_moves_into_the_past_is_warned_of(database: Database) -> None:
    assert publish(database, COMING, COMING.replace("2026", "2006")) == [
        "events/desk.yaml:6:5: warning: events.coming.start: 2006-01-01 is in the past, so the "
        "moved event has no reminders; check the year"
    ]


def test_more_than_three_events_of_a_calendar_share_one_warning(database: Database) -> None:
    events = [OLD.replace("old", f"old-{day}").format(day=f"2025-01-0{day}") for day in range(1, 5)]
    assert len(publish(database, COMING, COMING + "".join(events[:3]))) == 3
    (warning,) = publish(database, COMING, COMING + "".join(events).replace("old-", "older-"))
    assert warning == (
        "events/desk.yaml:9:5: warning: events.older-1.start: 4 new or moved events of this "
        "calendar are in the past, from 2025-01-01 to 2025-01-04, so they have no reminders; "
        "check the years"
    )


def test_a_plan_shows_its_warnings_in_markdown_and_json(database: Database) -> None:
    plan = apply.publish(database, read(OLD.format(day="1999-12-31")), NOW, BASE)
    (line,) = (line for line in show_markdown(plan).splitlines() if line.startswith("- "))
    assert line.startswith("- events/desk.yaml:6:5: warning: events.old.start: 1999-12-31 is in")
    (warning,) = show_json(plan)["warnings"]
    assert (warning["line"], warning["key"]) == (6, "events.old.start")


def test_serve_says_a_warning_once_and_not_at_each_save(database: Database, tmp_path: Path) -> None:
    file = tmp_path / "desk.yaml"
    said: list[str] = []
    publisher = Publisher(database, Settings(events=tmp_path), said.append)
    for summary in ("Old", "Older"):
        file.write_text(HEAD + OLD.format(day="1999-12-31").replace("Old", summary))
        assert publisher.publish(find_files(tmp_path))
    assert sum("warning: events.old.start" in line for line in said) == 1


def test_check_and_diff_warn_make_nothing_and_compare_with_what_is_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`check` ends with 1 only where it is strict; the database is not made by looking."""
    monkeypatch.chdir(tmp_path)
    events = tmp_path / "events"
    events.mkdir()
    (events / "desk.yaml").write_text(HEAD + OLD.format(day="1999-12-31"))
    run = CliRunner().invoke
    checked, strict, diff = (
        run(cli, ["check"]),
        run(cli, ["check", "--strict"]),
        run(cli, ["diff"]),
    )
    assert (checked.exit_code, strict.exit_code, diff.exit_code) == (0, 1, 0)
    assert all("warning: events.old.start" in each.stderr for each in (checked, strict, diff))
    assert "valid: 1 calendar, 1 event; 1 warning" in checked.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["events"], "nothing was made"
    assert "warning: " in run(cli, ["publish"]).stderr
    assert run(cli, ["check", "--strict"]).stderr == "", "what is published is not new"


def test_a_note_that_stands_unchanged_beside_another_move_is_warned_of(database: Database) -> None:
    noted = COMING + "    note: Put off\n"
    assert publish(database, COMING, noted.replace("01-01", "01-02")) == []
    assert publish(database, noted.replace("01-01", "01-03")) == [
        "events/desk.yaml:7:5: warning: events.coming.note: the event is moved, but its note is "
        "unchanged, so messages give no reason; write the reason in the note, or remove it"
    ]
    assert publish(database, noted.replace("01-01", "01-03").replace(": C", ": D")) == []
    later = noted.replace("01-01", "01-04").replace("Put off", "Put off again")
    assert publish(database, later) == []
