"""A folder on the disk is read, and an unreadable file is a problem."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from calfeed.definitions import files
from calfeed.definitions.files import load_definitions, load_files
from calfeed.errors import DefinitionError
from tests.privileges import WITHOUT_PRIVILEGES

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
    assert problem.endswith(
        "events/none: does not exist; name the folder that holds the calendars, or make one with "
        "`calfeed init`"
    )
    (problem,) = problems_of(folder / "x.yaml")
    assert problem.endswith("x.yaml: is not a folder; name the folder that holds the calendars")


def test_what_cannot_be_read_is_told_together_with_what_is_wrong_elsewhere(folder: Path) -> None:
    (folder / "gone.yaml").symlink_to(folder / "nowhere")
    os.mkfifo(folder / "pipe.yaml")
    (folder / "x.yaml").write_text("name: X\n")
    assert [problem.partition(";")[0] for problem in problems_of(folder)] == [
        "events/gone.yaml: cannot be read: it is not a file, or a broken link",
        "events/pipe.yaml: cannot be read: it is not a file, or a broken link",
        'events/x.yaml:1:1: the key "time_zone" is missing (the default IANA time '
        "zone of its events)",
    ]


def test_a_file_in_a_folder_of_a_folder_is_refused_and_not_overlooked(folder: Path) -> None:
    (folder / "un" / "old").mkdir()
    (folder / "un" / "old" / "2020.yaml").write_text("events: {}\n")
    (problem,) = problems_of(folder)
    assert problem.startswith("events/un/old/2020.yaml: is nested too deep")


def test_links_that_go_round_in_a_circle_end(folder: Path) -> None:
    (folder / "un" / "again").symlink_to(folder)
    assert all("too deep" in problem for problem in problems_of(folder))
    (folder / "un" / "again").unlink()
    (folder / "self.yaml").symlink_to("self.yaml")
    (folder / "one").symlink_to("two")
    (folder / "two").symlink_to("one")
    assert [problem.partition(": ")[0] for problem in problems_of(folder)] == [
        "events/one",
        "events/self.yaml",
        "events/two",
    ]


def test_what_is_no_file_is_a_problem_and_nothing_waits_for_it(folder: Path) -> None:
    os.mkfifo(folder / "pipe.yaml")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(os.path.relpath(folder / "socket.yaml"))
    (folder / "un" / "null.yaml").symlink_to("/dev/null")
    found = problems_of(folder)
    assert len(found) == 3
    assert found[0].startswith("events/pipe.yaml: cannot be read: it is not a file")
    assert found[1].startswith("events/socket.yaml: cannot be read: it is not a file")


def test_a_name_that_cannot_be_shown_is_a_problem_with_the_name_written_out(folder: Path) -> None:
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff\xfe.yaml")).write_text(CALENDAR)
    Path(os.fsdecode(os.fsencode(folder / "un") + b"/\x1b[2J\n.yaml")).write_text("events: {}\n")
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff.txt")).write_text("no definition")
    (folder / "un" / "جون.yaml").write_text("events: {}\n")
    assert [problem for problem in problems_of(folder) if "its name" in problem] == [
        "events/\\xff\\xfe.yaml: its name is not UTF-8, or has control characters; rename it",
        "events/un/\\x1b[2J\\n.yaml: its name is not UTF-8, or has control characters; rename it",
    ]


@pytest.mark.parametrize(
    ("place", "mode", "named"),
    [
        ("un", 0o644, "events/un"),
        ("un", 0o000, "events/un"),
        ("un/2024.YAML", 0o000, "events/un/2024.YAML"),
        ("", 0o644, "events"),
        ("", 0o000, "events"),
        ("..", 0o600, "events"),
    ],
)
def test_what_there_is_no_right_to_read_is_a_problem_that_says_what_to_do(
    folder: Path, place: str, mode: int, named: str
) -> None:
    (folder / place).chmod(mode)
    read = (
        "import sys; from pathlib import Path; from calfeed.definitions.files import load_files\n"
        "print(*load_files(Path(sys.argv[1]))[1], sep='\\n')"
    )
    words = [*WITHOUT_PRIVILEGES, sys.executable, "-c", read, str(folder)]
    done = subprocess.run(words, capture_output=True, text=True)
    (folder / place).chmod(0o755)
    assert done.returncode == 0, done.stderr
    assert f"{named}: cannot be read: permission denied" in done.stdout
    assert "give the user that runs calfeed the right to read it" in done.stdout


def test_a_link_inside_the_folder_is_read_as_what_it_leads_to(folder: Path) -> None:
    """So do containers mount files: through a hidden folder that changes as a whole."""
    (folder / "..one").mkdir()
    (folder / "..data").symlink_to("..one")
    for name in ("x.yaml", "un"):
        (folder / name).rename(folder / "..one" / name)
        (folder / name).symlink_to(f"..data/{name}")
    assert [calendar.slug for calendar in load_definitions(folder).calendars] == ["un", "x"]


def test_the_folder_itself_may_be_a_link(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder)
    (folder / "y.yaml").symlink_to(folder / "x.yaml")
    assert [calendar.slug for calendar in load_definitions(tmp_path / "link").calendars] == [
        "un",
        "x",
        "y",
    ]


def test_a_link_that_leads_out_of_the_folder_is_refused_and_nothing_of_it_is_shown(
    folder: Path, tmp_path: Path
) -> None:
    secret = tmp_path / "events-of-others" / "calendar.yaml"
    secret.parent.mkdir()
    secret.write_text("name: hunter2: no YAML\n")
    (folder / "file.yaml").symlink_to(secret)
    (folder / "folder").symlink_to(secret.parent)
    (folder / "around.yaml").symlink_to(f"un/../../{secret.parent.name}/{secret.name}")
    (folder / "chain.yaml").symlink_to("around.yaml")
    (folder / "notes.txt").symlink_to("/etc/hostname")  # which is no definition
    assert problems_of(folder) == [
        f"events/{name}: is a link to a target outside events/; move the target there"
        for name in ("around.yaml", "chain.yaml", "file.yaml", "folder")
    ]


def test_a_link_that_is_put_in_place_of_a_file_while_it_is_read_is_not_followed(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = files.find_files(folder)
    (tmp_path / "secret").write_text("hunter2")
    (folder / "x.yaml").unlink()
    (folder / "x.yaml").symlink_to(tmp_path / "secret")
    monkeypatch.setattr(files, "find_files", lambda _: found)
    (problem,) = problems_of(folder)
    assert problem.startswith("events/x.yaml: cannot be read: ")


def test_a_file_that_is_too_large_is_not_read_to_its_end(folder: Path) -> None:
    with (folder / "x.yaml").open("wb") as file:
        file.truncate(1 << 32)
    (problem,) = problems_of(folder)
    assert problem.startswith("events/x.yaml: is larger than 4 MiB")
