"""Detect when a folder that is being edited has settled (debouncing)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from calfeed.definitions.files import DefinitionFile, find_files

SETTLE_SECONDS = 1.0
"""A folder has settled if nothing has changed for this long."""

STALE_LOCK_SECONDS = 60.0
"""A lock of git counts as stale if nothing has changed for this long."""

# They exist in a git folder while git changes files, in a single operation or in a rebase.
_GIT_LOCKS = ("index.lock", "rebase-merge", "rebase-apply")


@dataclass(frozen=True)
class Lock:
    """A file or folder that exists while git works; `state` differs from that of a later lock."""

    path: Path
    state: tuple[int, ...]


@dataclass(frozen=True)
class FolderState:
    """The definition files of a folder by their metadata, and git's locks."""

    files: tuple[DefinitionFile, ...]
    locks: frozenset[Lock]


class FolderDebounce:
    """Decides whether a folder has settled, from its states and from change events.

    Times are in seconds of one monotonic clock.

    It has settled after a second without a change, unless git is at work. A lock of git is ignored
    once nothing has changed for a minute.
    """

    def __init__(self, state: FolderState, changed_at: float) -> None:
        self.state = state
        self.changed_at = changed_at
        self.changing = False
        self._stale_locks: frozenset[Lock] = frozenset()

    def mark_changing(self, now: float) -> None:
        """Handle a change event. The next state that `update` gets contains the change."""
        self.changed_at, self.changing = now, True

    def update(self, state: FolderState, now: float) -> None:
        """Handle a new state. A difference without a change event counts as a change now."""
        if state != self.state and not self.changing:
            self.changed_at = now
        self.state, self.changing = state, False

    def unchanged_seconds(self, now: float) -> float:
        """The number of seconds since the last change."""
        return now - self.changed_at

    def is_settled(self, now: float) -> bool:
        """Whether the folder has settled."""
        locked = self.state.locks - self._stale_locks
        wait = STALE_LOCK_SECONDS if locked else SETTLE_SECONDS
        return not self.changing and self.unchanged_seconds(now) >= wait

    def ignore_locks(self) -> frozenset[Lock]:
        """Treat the present locks as stale; return those that were not treated as stale before."""
        ignored = self.state.locks - self._stale_locks
        self._stale_locks = self.state.locks
        return ignored


def read_folder_state(folder: Path) -> FolderState:
    """Read the state of a folder of definitions and of the git repositories around and in it."""
    return FolderState(find_files(folder), frozenset(_find_locks(folder)))


def last_change(folder: Path, state: FolderState) -> float:
    """Return the time of the last change according to file metadata, in seconds since 1970."""
    times = [lock.state[1] for lock in state.locks]
    for entry in state.files:
        times += entry.state[-2:]
    # Removing a file changes the time of its folder.
    files = [Path(entry.path) for entry in state.files if not entry.problem]
    for parent in {folder, *(file.parent for file in files)}:
        with suppress(OSError):
            times.append(parent.stat().st_mtime_ns)
    return max(times, default=0) / 1e9


def _find_locks(folder: Path) -> Iterator[Lock]:
    """Yield git's locks in repositories that contain a folder, or that are directly in it."""
    real = Path(os.path.realpath(folder))
    for parent in (real, *real.parents, *_list_subfolders(real)):
        with suppress(OSError, ValueError):  # there is no repository, or it cannot be read
            git_folder = _find_git_folder(parent / ".git")
            for name in _GIT_LOCKS:
                with suppress(OSError):
                    path = git_folder / name
                    status = path.stat()
                    yield Lock(path, (status.st_ino, status.st_mtime_ns))


def _list_subfolders(folder: Path) -> list[Path]:
    with suppress(OSError), os.scandir(folder) as entries:
        return [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)]
    return []


def _find_git_folder(path: Path) -> Path:
    """Return the git folder of a repository, from the path of its `.git`.

    In worktrees and submodules, `.git` is a file that contains the path of the git folder.

    Raises OSError or ValueError if there is none.
    """
    if path.is_dir():
        return path
    text = path.read_text("utf-8") if path.is_file() else ""
    kind, _, place = text.strip().partition(": ")
    if kind != "gitdir":
        raise ValueError("not a .git file")
    return path.parent / place
