"""`diff --base` compares with a git revision or a ledger, without any database."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from calfeed.cli import cli
from calfeed.errors import CalfeedError

BEFORE = (
    "name: Desk\ntime_zone: Asia/Karachi\nevents:\n  stay: {summary: Stay, start: 2030-06-30}\n"
)
MOVED = BEFORE.replace("2030-06-30", "2030-08-31")
OTHER = BEFORE.replace("stay:", "talk:").replace("Stay", "Talk")


def git(folder: Path, *arguments: str) -> None:
    named = {"NAME": "A", "EMAIL": "a@example.org"}
    who = {
        f"GIT_{role}_{key}": value
        for role in ("AUTHOR", "COMMITTER")
        for key, value in named.items()
    }
    subprocess.run(
        ["git", "-C", str(folder), *arguments],
        check=True,
        capture_output=True,
        env={**os.environ, **who},
    )


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose branch `main` has one calendar, in `desk/events`; we are in `desk`."""
    place = tmp_path / "desk"
    (place / "events").mkdir(parents=True)
    monkeypatch.chdir(place)
    for name in [name for name in os.environ if name.startswith("CALFEED_")]:
        monkeypatch.delenv(name)
    git(tmp_path, "init", "--initial-branch=main")
    commit(place, **{"desk.yaml": BEFORE})
    return place


def write(place: Path, **files: str) -> None:
    for name, text in files.items():
        place.joinpath("events", name).write_text(text)


def commit(place: Path, **files: str) -> None:
    write(place, **files)
    git(place, "add", "--all")
    git(place, "commit", "--message", "Dates")


def diff(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["diff", *arguments])


def refused(*arguments: str) -> str:
    """The error of a command that is refused."""
    result = diff(*arguments)
    assert isinstance(result.exception, CalfeedError), result.output
    return str(result.exception)


def lines(*arguments: str) -> list[str]:
    result = diff(*arguments)
    assert result.exit_code == 0, result.output
    return result.output.splitlines()


def test_what_the_working_tree_changes_is_shown_without_a_database(checkout: Path) -> None:
    write(checkout, **{"desk.yaml": MOVED, "other.yaml": OTHER})
    assert lines("--base", "main") == [
        "calendar other: new or changed",
        "> desk/stay: moved from 30 June 2030 to 31 August 2030",
        "+ other/talk: added, 30 June 2030 (Talk)",
        "1 event added, 1 event moved, 1 calendar new or changed",
    ]
    assert sorted(path.name for path in checkout.iterdir()) == ["events"]


def test_later_commits_of_the_base_are_not_shown_as_reverted(checkout: Path) -> None:
    git(checkout, "checkout", "-b", "branch")
    commit(checkout, **{"desk.yaml": MOVED})
    git(checkout, "checkout", "main")
    commit(checkout, **{"other.yaml": OTHER})
    git(checkout, "checkout", "branch")
    assert [line for line in lines("--base", "main") if "desk" not in line] == ["1 event moved"]


@pytest.mark.parametrize("revision", ["HEAD~1", "v1", "main~1"])
def test_any_way_to_name_a_revision_is_taken(checkout: Path, revision: str) -> None:
    git(checkout, "tag", "v1")
    commit(checkout, **{"desk.yaml": MOVED})
    assert "> desk/stay: moved from 30 June 2030 to 31 August 2030" in lines("--base", revision)


def test_nothing_that_changed_is_said_and_the_exit_code_tells(checkout: Path) -> None:
    assert lines("--base", "HEAD") == ["nothing to publish: everything is as published"]
    assert diff("--base", "HEAD", "--exit-code").exit_code == 0
    write(checkout, **{"desk.yaml": MOVED})
    assert diff("--base", "HEAD", "--exit-code").exit_code == 1


def test_a_folder_that_the_base_does_not_have_is_new(checkout: Path) -> None:
    checkout.joinpath("events").rename(checkout / "dates")
    os.environ["CALFEED_EVENTS"] = "dates"
    try:
        assert "+ desk/stay: added, 30 June 2030 (Stay)" in lines("--base", "HEAD")
    finally:
        del os.environ["CALFEED_EVENTS"]


def test_links_in_the_folder_are_followed_as_in_the_working_tree(checkout: Path) -> None:
    checkout.joinpath("events", "desk").mkdir()
    checkout.joinpath("events", "desk.yaml").rename(checkout / "events/desk/calendar.yaml")
    checkout.joinpath("events", "again.yaml").symlink_to("desk/calendar.yaml")
    git(checkout, "add", "--all")
    git(checkout, "commit", "--message", "Links")
    assert lines("--base", "HEAD") == ["nothing to publish: everything is as published"]


def test_a_ledger_is_a_base_as_well(checkout: Path) -> None:
    exported = CliRunner().invoke(
        cli, ["export", "site", "--ledger", "ledger.json", "--base-url", "https://e.org"]
    )
    assert exported.exit_code == 0, exported.output
    write(checkout, **{"desk.yaml": MOVED})
    found = json.loads(diff("--base", "ledger.json", "--json").output)
    (event,) = found["events"]
    assert (event["change"], event["previous"]["start"]) == ("moved", "2030-06-30")
    assert not checkout.joinpath("var").exists()


@pytest.mark.parametrize("revision", ["nowhere", "--output=x", "", "HEAD^{tree}"])
def test_an_unknown_revision_is_said_in_a_line(checkout: Path, revision: str) -> None:
    problem = refused(f"--base={revision}")
    assert problem.startswith(f'git knows no revision "{revision}" here; in CI, fetch')
    assert not checkout.joinpath("x").exists()


def test_a_folder_outside_of_git_is_said_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.joinpath("events").mkdir()
    monkeypatch.chdir(tmp_path)
    assert refused("--base", "HEAD").startswith("events is not in a git repository")


def test_problems_here_are_told_before_those_of_the_base(checkout: Path) -> None:
    commit(checkout, **{"desk.yaml": BEFORE + "  broken: {start: x}\n"})
    assert refused("--base", "HEAD").startswith("events/desk.yaml:5:")
    write(checkout, **{"desk.yaml": BEFORE})
    assert refused("--base", "HEAD").startswith(
        "the definitions to compare with have 2 problems, the first of"
    )
