"""When a folder is at debounce, judged from looks and times that are passed in."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from calfeed.cli.serving.debounce import (
    SETTLE_SECONDS,
    STALE_LOCK_SECONDS,
    FolderDebounce,
    FolderState,
    Lock,
    last_change,
    read_folder_state,
)
from calfeed.definitions.files import DefinitionFile

CALENDAR = "name: Desk\ntime_zone: UTC\nevents: {}\n"


def state(content: int, *locks: Lock) -> FolderState:
    return FolderState(
        (DefinitionFile("events/x.yaml", "/events/x.yaml", (content,)),), frozenset(locks)
    )


LOCK = Lock(Path("/.git/index.lock"), (1, 1))


def test_a_folder_is_at_rest_a_second_after_the_last_change() -> None:
    debounce = FolderDebounce(state(1), changed_at=0)
    debounce.update(state(2), 10)
    assert not debounce.is_settled(10 + SETTLE_SECONDS - 0.1)
    assert debounce.is_settled(10 + SETTLE_SECONDS)


def test_each_event_begins_the_second_anew_however_long_they_go_on() -> None:
    """The maximum of watchfiles' own debounce is 1.6 s; here is none."""
    debounce = FolderDebounce(state(1), changed_at=0)
    for step in range(1, 200):
        debounce.mark_changing(step * 0.5)
        debounce.update(state(step), step * 0.5 + 0.1)
        assert not debounce.is_settled(step * 0.5 + 0.1)
    assert debounce.is_settled(199 * 0.5 + SETTLE_SECONDS)


def test_a_change_that_the_system_reported_does_not_count_once_more_when_it_is_seen() -> None:
    debounce = FolderDebounce(state(1), changed_at=0)
    debounce.mark_changing(10)
    debounce.update(state(2), 10.4)
    assert debounce.is_settled(10 + SETTLE_SECONDS)


def test_a_change_that_was_reported_and_not_looked_at_is_no_rest() -> None:
    debounce = FolderDebounce(state(1), changed_at=0)
    debounce.mark_changing(10)
    assert not debounce.is_settled(20)


def test_a_tree_is_not_at_rest_while_git_is_at_work_in_it() -> None:
    debounce = FolderDebounce(state(1), changed_at=0)
    debounce.update(state(1, LOCK), 10)
    assert not debounce.is_settled(10 + STALE_LOCK_SECONDS - 1)
    debounce.update(state(2), 20)
    assert debounce.is_settled(20 + SETTLE_SECONDS)


def test_a_lock_that_was_left_behind_is_waited_for_a_minute_and_then_never_again() -> None:
    debounce = FolderDebounce(state(1), changed_at=0)
    debounce.update(state(1, LOCK), 10)
    assert debounce.is_settled(10 + STALE_LOCK_SECONDS)
    assert debounce.ignore_locks() == {LOCK}
    debounce.update(state(2, LOCK), 100)
    assert debounce.is_settled(100 + SETTLE_SECONDS)
    assert not debounce.ignore_locks()
    another = Lock(LOCK.path, (2, 2))
    debounce.update(state(2, another), 200)
    assert not debounce.is_settled(200 + SETTLE_SECONDS), "git is at work again"


def make_repository(folder: Path, *words: str) -> None:
    subprocess.run(
        ["git", "-c", "user.name=A", "-c", "user.email=a@example.org", *words],
        cwd=folder,
        check=True,
        capture_output=True,
    )


@pytest.mark.parametrize(
    ("events", "lock"),
    [
        ("main/events", "main/.git/index.lock"),
        ("main/deep/down/events", "main/.git/index.lock"),
        ("main/events", "main/.git/rebase-merge"),
        ("tree/events", "main/.git/worktrees/tree/index.lock"),
        ("main/events/part", "main/.git/modules/events/part/index.lock"),
        # A calendar's folder that is a repository of its own, in the folder that is watched.
        ("main/events", "main/.git/modules/events/part/index.lock"),
        ("link", "main/.git/index.lock"),
    ],
)
def test_git_is_found_at_work_wherever_its_repository_is(
    tmp_path: Path, events: str, lock: str
) -> None:
    """Further up, for a worktree and a submodule elsewhere, and below."""
    main, part = tmp_path / "main", tmp_path / "part"
    for folder in (main, part):
        (folder / "events").mkdir(parents=True)
        (folder / "events" / "x.yaml").write_text(CALENDAR)
        make_repository(folder, "init", "-q")
        make_repository(folder, "add", "-A")
        make_repository(folder, "commit", "-q", "-m", "One")
    make_repository(
        main, "-c", "protocol.file.allow=always", "submodule", "add", str(part), "events/part"
    )
    make_repository(main, "worktree", "add", "-q", str(tmp_path / "tree"))
    (tmp_path / "link").symlink_to(main / "events")
    (tmp_path / events).mkdir(parents=True, exist_ok=True)
    assert not read_folder_state(tmp_path / events).locks
    (tmp_path / lock).touch()
    (found,) = read_folder_state(tmp_path / events).locks
    assert found.path.samefile(tmp_path / lock)


def test_a_look_differs_whenever_a_definition_may_differ_and_only_then(tmp_path: Path) -> None:
    folder = tmp_path / "events"
    (folder / "un").mkdir(parents=True)
    file = folder / "x.yaml"
    file.write_text(CALENDAR)
    seen = [read_folder_state(folder)]
    (folder / "log.txt").write_text("a line")
    (folder / ".x.yaml.swp").write_text("an editor's")
    assert read_folder_state(folder) == seen[-1]

    def differs() -> bool:
        seen.append(read_folder_state(folder))
        return seen[-1] not in seen[:-1]

    file.write_text(CALENDAR.replace("Desk", "Task"))
    assert differs(), "the same length"
    status = file.stat()
    (tmp_path / "aside").write_text(CALENDAR.replace("Desk", "Disk"))
    os.utime(tmp_path / "aside", ns=(status.st_atime_ns, status.st_mtime_ns))
    (tmp_path / "aside").rename(file)
    assert differs(), "the same length and time, as rsync makes them"
    file.chmod(0o600)
    assert differs(), "rights that were given back"
    (folder / "un" / "calendar.yaml").write_text(CALENDAR)
    assert differs()
    (folder / "un" / "calendar.yaml").unlink()
    assert not differs()


def test_when_a_folder_changed_last_is_known_also_of_what_was_removed(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text(CALENDAR)
    (tmp_path / "y.yaml").write_text(CALENDAR)
    written = file.stat().st_ctime
    assert last_change(tmp_path, read_folder_state(tmp_path)) >= written
    os.utime(tmp_path, (1, 1))
    os.utime(file, (1, 1))
    (tmp_path / "y.yaml").unlink()
    assert last_change(tmp_path, read_folder_state(tmp_path)) == tmp_path.stat().st_mtime_ns / 1e9
