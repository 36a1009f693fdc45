"""The hook for pre-commit runs `calfeed check` when something in `events/` changes."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.acceptance.site import BIN

(HOOK,) = yaml.safe_load((Path(__file__).parents[2] / ".pre-commit-hooks.yaml").read_text("utf-8"))

CALENDAR = "name: Desk\ntime_zone: UTC\nevents:\n  a: {summary: A, start: 2030-06-30}\n"


def run_hook(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the hook as pre-commit does for a language that installs it: without file names."""
    assert HOOK["pass_filenames"] is False
    command, *words = shlex.split(HOOK["entry"])
    return subprocess.run(
        [BIN / command, *words], cwd=folder, env={"PATH": "/bin"}, capture_output=True, text=True
    )


@pytest.mark.slow
def test_the_hook_lets_valid_calendars_through_and_names_problems(tmp_path: Path) -> None:
    calendar = tmp_path / "events" / "desk.yaml"
    calendar.parent.mkdir()
    calendar.write_text(CALENDAR)
    assert run_hook(tmp_path).returncode == 0
    calendar.write_text(CALENDAR.replace("2030", "tomorrow"))
    refused = run_hook(tmp_path)
    assert refused.returncode == 1
    assert "events/desk.yaml:4:" in refused.stderr + refused.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["events"]


@pytest.mark.parametrize("path", ["events/desk.yaml", "events/site/logo.svg", "events/a/b.yml"])
def test_what_the_hook_looks_at_is_in_the_folder_of_definitions(path: str) -> None:
    assert re.search(HOOK["files"], path)
    assert not re.search(HOOK["files"], f"docs/{path}")
