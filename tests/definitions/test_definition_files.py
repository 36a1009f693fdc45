"""A folder on the disk is read as it is, and what cannot be read is a problem."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from calfeed.definitions.files import load_definitions, load_files
from calfeed.errors import DefinitionError

CALENDAR = "name: X\ntime_zone: UTC\nevents: {a: {summary: S, start: 2024-01-01}}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "events"
    (folder / "un").mkdir(parents=True)
    (folder / "x.yaml").write_text(CALENDAR)
    (folder / "un" / "calendar.yml").write_text("name: UN\ntime_zone: UTC\n")
    (folder / "un" / "2024.YAML").write_text("events: {b: {summary: S, start: 2024-01-01}}\n")
    return folder


def problems_of(folder: Path) -> list[str]:
    with pytest.raises(DefinitionError) as caught:
        load_definitions(folder)
    return [str(problem) for problem in caught.value.problems]


def test_the_files_are_named_from_the_folder_on(folder: Path) -> None:
    assert list(load_files(folder)[0]) == [
        "events/un/2024.YAML",
        "events/un/calendar.yml",
        "events/x.yaml",
    ]
    assert [calendar.slug for calendar in load_definitions(folder).calendars] == ["un", "x"]


def test_the_folder_may_be_the_one_we_are_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert list(load_files(Path())[0]) == list(load_files(folder)[0])


def test_hidden_files_and_files_of_other_kinds_are_left_out(folder: Path) -> None:
    for name in (
        ".x.yaml",
        "notes.txt",
        "x.yaml~",
        ".git/a.yaml",
        "un/.y.yaml",
        "un/p/picture.png",
    ):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("[")
    assert len(load_files(folder)[0]) == 3


def test_an_empty_folder_has_no_calendars(tmp_path: Path) -> None:
    assert load_definitions(tmp_path).calendars == ()


def test_a_folder_that_is_not_there_or_is_a_file_is_a_problem(folder: Path) -> None:
    (problem,) = problems_of(folder / "none")
    assert problem.endswith("events/none: does not exist; name the folder that holds the calendars")
    (problem,) = problems_of(folder / "x.yaml")
    assert problem.endswith("x.yaml: is not a folder; name the folder that holds the calendars")


def test_what_cannot_be_read_is_told_together_with_what_is_wrong_elsewhere(folder: Path) -> None:
    (folder / "gone.yaml").symlink_to(folder / "nowhere")
    os.mkfifo(folder / "pipe.yaml")
    (folder / "x.yaml").write_text("name: X\n")
    assert [problem.partition(";")[0] for problem in problems_of(folder)] == [
        "events/gone.yaml: cannot be read: it is not a file, or the file it links to is gone",
        "events/pipe.yaml: cannot be read: it is not a file, or the file it links to is gone",
        'events/x.yaml:1:1: the key "time_zone" is missing (IANA time zone of every time that has '
        "no other)",
    ]


def test_a_file_in_a_folder_of_a_folder_is_refused_and_not_overlooked(folder: Path) -> None:
    (folder / "un" / "old").mkdir()
    (folder / "un" / "old" / "2020.yaml").write_text("events: {}\n")
    (problem,) = problems_of(folder)
    assert problem.startswith("events/un/old/2020.yaml: is in a folder too deep")


def test_links_that_go_round_in_a_circle_end(folder: Path) -> None:
    (folder / "un" / "again").symlink_to(folder)
    assert all("too deep" in problem for problem in problems_of(folder))


def test_a_linked_folder_is_read_as_one_that_is_there(folder: Path, tmp_path: Path) -> None:
    (folder / "un").rename(tmp_path / "elsewhere")
    (folder / "un").symlink_to(tmp_path / "elsewhere")
    assert [calendar.slug for calendar in load_definitions(folder).calendars] == ["un", "x"]


def test_a_file_that_is_too_large_is_not_read_to_its_end(folder: Path) -> None:
    with (folder / "x.yaml").open("wb") as file:
        file.truncate(1 << 32)
    (problem,) = problems_of(folder)
    assert problem.startswith("events/x.yaml: is larger than 4 MiB")
