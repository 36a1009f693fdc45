"""When a folder that is being worked on has come to rest."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from calfeed.definitions.files import DefinitionFile, find_files

REST = 1.0
"""Seconds without a change after which a folder is at rest."""

STALE = 60.0
"""Seconds without a change after which what git left in a repository is of no more account."""

# What git has in a repository's own folder while it changes files: for one step, for a rebase.
_GIT_AT_WORK = ("index.lock", "rebase-merge", "rebase-apply")


@dataclass(frozen=True)
class Lock:
    """A file or folder that git has while it works; another one has another `state`."""

    path: Path
    state: tuple[int, ...]


@dataclass(frozen=True)
class Look:
    """What there is in a folder at one moment, as far as it can be told without reading files."""

    files: tuple[DefinitionFile, ...]
    locks: frozenset[Lock]


class Rest:
    """Judges from looks and events, each with its time (s), whether a folder is at rest.

    It is when nothing has changed for a second, and git is not at work. A lock that git has left
    behind counts for a minute, and then no more.
    """

    def __init__(self, look: Look, since: float) -> None:
        """Begin with a look; the last change was at `since`."""
        self.look = look
        self.since = since
        self.stirred = False
        self._stale: frozenset[Lock] = frozenset()

    def stir(self, now: float) -> None:
        """Take in that definition files change: the next look shows what the change was."""
        self.since, self.stirred = now, True

    def see(self, look: Look, now: float) -> None:
        """Take in what there is now; what differs has changed now, unless that was known."""
        if look != self.look and not self.stirred:
            self.since = now
        self.look, self.stirred = look, False

    def calm(self, now: float) -> float:
        """For how many seconds nothing has changed."""
        return now - self.since

    def reached(self, now: float) -> bool:
        """Whether the folder is at rest."""
        wait = STALE if self.look.locks - self._stale else REST
        return not self.stirred and self.calm(now) >= wait

    def pass_over(self) -> frozenset[Lock]:
        """Let the locks that there are count no more; return those that did until now."""
        passed = self.look.locks - self._stale
        self._stale = self.look.locks
        return passed


def take_look(folder: Path) -> Look:
    """Look at a folder of definitions and at the git repositories that it has to do with."""
    return Look(find_files(folder), frozenset(_find_locks(folder)))


def last_change(folder: Path, look: Look) -> float:
    """When something changed last, in seconds of the system's clock, as far as files tell."""
    times = [lock.state[1] for lock in look.locks]
    for entry in look.files:
        times += entry.state[-2:]
    # A file that was removed leaves its mark on the folder that it was in.
    files = [Path(entry.path) for entry in look.files if not entry.problem]
    for place in {folder, *(file.parent for file in files)}:
        with suppress(OSError):
            times.append(place.stat().st_mtime_ns)
    return max(times, default=0) / 1e9


def _find_locks(folder: Path) -> Iterator[Lock]:
    """What git has while it works in a repository that a folder lies in, or that lies in it."""
    real = Path(os.path.realpath(folder))
    for place in (real, *real.parents, *_folders_in(real)):
        with suppress(OSError, ValueError):  # no repository, or none of ours to look into
            repository = _read_git(place / ".git")
            for name in _GIT_AT_WORK:
                with suppress(OSError):
                    path = repository / name
                    status = path.stat()
                    yield Lock(path, (status.st_ino, status.st_mtime_ns))


def _folders_in(folder: Path) -> list[Path]:
    with suppress(OSError), os.scandir(folder) as found:
        return [Path(one.path) for one in found if one.is_dir(follow_symlinks=False)]
    return []


def _read_git(path: Path) -> Path:
    """The repository's own folder; in a worktree and in a submodule `.git` is a file that names it.

    Raises OSError or ValueError where there is none.
    """
    if path.is_dir():
        return path
    text = path.read_text("utf-8") if path.is_file() else ""
    kind, _, place = text.strip().partition(": ")
    if kind != "gitdir":
        raise ValueError("it is not git's")
    return path.parent / place
