"""`calfeed init`, and what commands say in a folder without calendars."""

from __future__ import annotations

import json
import re
import resource
import signal
import subprocess
import sys
from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from calfeed.cli import cli
from calfeed.definitions.reader import read_definitions
from calfeed.definitions.schema import make_schema
from calfeed.errors import CalfeedError, DefinitionError
from calfeed.publish.warn import find_first_warnings
from calfeed.services.starting.folder import start_folder
from calfeed.services.starting.starter import Ci, make_starter
from calfeed.settings import load_settings
from tests.acceptance.forking import start_forker
from tests.patience import PATIENCE

BIN = Path(sys.executable).parent
ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "events"
TODAY = date(2026, 11, 30)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str) -> Result:
    result = CliRunner().invoke(cli, words)
    assert result.exit_code == 0, result.output
    return result


def files_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def definitions_in(texts: dict[str, str]) -> dict[str, bytes]:
    return {path: text.encode() for path, text in texts.items() if path.endswith(".yaml")}


@given(today=st.dates(date(2026, 1, 1), date(2090, 1, 1)))
def test_the_first_calendar_is_valid_and_without_warnings_on_every_day(today: date) -> None:
    texts = make_starter(today, Ci.NONE)
    defined = read_definitions(definitions_in(texts), today=today)
    assert find_first_warnings(defined, datetime.combine(today, time(12), UTC)) == ()
    assert len(defined.calendars[0].events) == 5


def test_what_init_makes_is_published_at_once(folder: Path) -> None:
    made = run("init")
    assert made.output.endswith("next:\n  calfeed check\n  calfeed serve\n")
    assert files_in(folder) == {
        ".github/workflows/calfeed.yml",
        ".gitignore",
        "calfeed.toml",
        "events/dates.yaml",
        "events/schema.json",
        "events/site.yaml",
    }
    assert run("check", "--strict").output == "valid: 1 calendar, 5 events\n"
    assert "5 events added, the site changed, 1 calendar new" in run("publish").output


def test_init_makes_the_folder_that_is_named_and_says_how_to_go_there(folder: Path) -> None:
    assert "next:\n  cd 'a b/c'\n  calfeed check\n" in run("init", "a b/c").output
    assert (folder / "a b" / "c" / "events" / "dates.yaml").is_file()


def test_init_with_the_example_brings_the_shipped_calendars(folder: Path) -> None:
    run("init", "--example", "--ci", "none")
    for path in SHIPPED.iterdir():
        made = (folder / "events" / path.name).read_text("utf-8")
        first, rest = made.split("\n", 1)
        assert first == "# yaml-language-server: $schema=schema.json"
        assert rest == path.read_text("utf-8").split("\n", 1)[1]
    assert run("check").output == "valid: 4 calendars, 12 events\n"


def test_init_never_changes_a_file_and_says_which_exist(folder: Path) -> None:
    (folder / "events").mkdir()
    mine = {"calfeed.toml": "port = 9000\n", ".gitignore": "/var/\n", "events/site.yaml": "name: A"}
    for name, text in mine.items():
        (folder / name).write_text(text)
    (folder / "elsewhere.json").touch()
    (folder / "events" / "schema.json").symlink_to(folder / "elsewhere.json")
    output = run("init", "--ci", "gitlab").output
    assert {name: (folder / name).read_text() for name in mine} == mine
    assert (folder / "elsewhere.json").read_text() == ""
    for name in (*mine, "events/schema.json"):
        assert f"exists   {name}, which is not changed" in output
    assert "add to .gitignore: /secrets/  *.sqlite3  *.sqlite3-*  calfeed.keys\n" in output
    assert {"events/dates.yaml", ".gitlab-ci.yml"} <= files_in(folder)


def test_a_file_that_cannot_be_written_to_its_end_is_written_by_the_next_init(folder: Path) -> None:
    """A limit of the size of files ends a write as a full disk does."""
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limit[1]))
    try:
        result = CliRunner().invoke(cli, ["init", "site"])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, before)
    assert isinstance(result.exception, CalfeedError)
    assert "cannot be written: File too large" in str(result.exception)
    assert "exists" not in run("init", "site").output
    assert run("check", "site/events", "--strict").output == "valid: 1 calendar, 5 events\n"


def test_init_adds_no_calendar_to_others(folder: Path) -> None:
    (folder / "events").mkdir()
    (folder / "events" / "grants.yaml").write_text("name: Grants\n")
    output = run("init").output
    assert "exists   events with calendars, so no calendar is added\n" in output
    assert files_in(folder / "events") == {"grants.yaml", "schema.json"}
    again = run("init").output
    assert "written" not in again


def test_a_folder_that_cannot_be_made_is_an_error_that_says_why(tmp_path: Path) -> None:
    (tmp_path / "events").touch()
    with pytest.raises(CalfeedError, match=r"events is a file; name another folder"):
        start_folder(tmp_path, make_starter(TODAY, Ci.NONE))
    with pytest.raises(CalfeedError, match=r"/proc/none/events/site\.yaml cannot be written: "):
        start_folder(Path("/proc/none"), make_starter(TODAY, Ci.NONE))


def test_each_setting_of_the_new_calfeed_toml_is_one_when_it_is_uncommented(
    tmp_path: Path,
) -> None:
    text = make_starter(TODAY, Ci.NONE)["calfeed.toml"]
    lines = re.findall(r"^# (\w+ = .*)$", text, re.MULTILINE)
    assert len(lines) == 10
    file = tmp_path / "calfeed.toml"
    for line in lines:
        secret = tmp_path / "secret"
        secret.write_text("a-token-or-url-for-a-server\n")
        file.write_text(re.sub(r'_file = ".*"', f'_file = "{secret}"', line))
        load_settings({}, file)
    file.write_text(text)
    assert load_settings({}, file) == load_settings({}, tmp_path / "none")


def test_each_key_of_the_new_site_is_one_when_it_is_uncommented() -> None:
    texts = make_starter(TODAY, Ci.NONE)
    site = texts["events/site.yaml"]
    for line in re.findall(r"^# (\w+: .*)$", site, re.MULTILINE):
        key = line.partition(":")[0]
        files = definitions_in({**texts, "events/site.yaml": f"{site}\n{line}\n"})
        files |= {"events/site/imprint.md": b"Us", "events/site/privacy.md": b"Nothing is kept."}
        files["events/site/logo.svg"] = (
            b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0h9v9z"/></svg>'
        )
        defined = read_definitions(files, today=TODAY)
        assert key == "working_days" or getattr(defined.site, key, None) or key in str(defined.site)


def test_the_schema_that_editors_read_is_that_of_this_version(folder: Path) -> None:
    run("init")
    assert json.loads((folder / "events" / "schema.json").read_text("utf-8")) == make_schema()


def steps_of(file: Path) -> str:
    """The commands of a CI file without those that install calfeed, in one script."""
    read = yaml.safe_load(file.read_text("utf-8"))
    if "jobs" in read:
        job = read["jobs"]["check"]
        steps = [step["run"] for step in job["steps"] if "run" in step]
    else:
        steps = read["calendars"]["script"]
    return "\n".join(step for step in steps if not step.startswith("pip "))


@pytest.mark.slow
@pytest.mark.parametrize("service", ["github", "gitlab"])
def test_the_checks_of_a_change_show_what_its_merge_would_change(
    service: str, tmp_path: Path
) -> None:
    """The steps of the file run in a clone of a real repository."""
    origin, clone, summary = tmp_path / "origin", tmp_path / "clone", tmp_path / "summary.md"
    environment = {
        "PATH": f"{BIN}:/usr/bin:/bin",
        "PYTHONPATH": str(ROOT),
        "GITHUB_BASE_REF": "main",
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
        "GITHUB_STEP_SUMMARY": str(summary),
    } | {
        f"GIT_{who}_{what}": "ada@example.org"
        for who in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }

    def call(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            words, cwd=cwd, env=environment, capture_output=True, text=True, timeout=PATIENCE
        )

    def git(*words: str, cwd: Path = origin) -> None:
        assert call("git", *words, cwd=cwd).returncode == 0

    origin.mkdir()
    git("init", "--quiet", "--initial-branch", "main")
    texts = make_starter(TODAY, Ci(service))
    started = start_folder(origin, texts)
    git("add", ".")
    git("commit", "--quiet", "--message", "dates: a beginning")
    git("checkout", "--quiet", "-b", "change")
    calendar = origin / "events" / "dates.yaml"
    calendar.write_text(calendar.read_text().replace("2027-01-15", "2027-01-22"))
    git("commit", "--quiet", "--all", "--message", "dates: the report is due later")
    git("clone", "--quiet", "--branch", "change", f"file://{origin}", str(clone), cwd=tmp_path)
    ci_file = next(path for path in started.written if path.endswith(".yml"))
    done = call("bash", "-e", "-c", steps_of(clone / ci_file), cwd=clone)
    assert done.returncode == 0, done.stderr
    assert "valid: 1 calendar, 5 events\n" in done.stdout
    shown = (summary if service == "github" else clone / "calendars.md").read_text("utf-8")
    assert "22 January 2027" in shown
    assert "annual-meeting" not in shown
    assert not (clone / "var").exists()


@pytest.mark.slow
@pytest.mark.parametrize("command", ["check", "publish", "serve", "check --json"])
def test_without_calendars_commands_say_to_run_init_and_make_nothing(
    command: str, tmp_path: Path
) -> None:
    for events in ("events does not exist", "events has no calendar"):
        done = start_forker().run(tuple(command.split()), tmp_path, {"PATH": "/usr/bin:/bin"})
        assert done.returncode == 1
        said = done.stdout if "json" in command else done.stderr
        name, _, what = events.partition(" ")
        assert what in said
        assert "`calfeed init` makes a folder to start with" in said
        assert "Traceback" not in said
        assert files_in(tmp_path) == set()
        (tmp_path / name).mkdir(exist_ok=True)


def test_a_folder_that_cannot_be_read_is_no_reason_to_run_init(folder: Path) -> None:
    (folder / "events").touch()
    result = CliRunner().invoke(cli, ["check"])
    assert result.exit_code == 1
    assert "init" not in result.output
    with pytest.raises(DefinitionError):
        read_definitions({"events/x.yaml": b"["})
