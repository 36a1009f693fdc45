"""The definitions at another revision of their git repository."""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from calfeed.errors import InvalidInputError

_GIT_SECONDS = 60


@contextmanager
def definitions_at(folder: Path, revision: str) -> Iterator[Path]:
    """Yield a copy of a definitions folder at the merge base of this branch and `revision`.

    So later commits of the other branch are not shown as reverted. Without a merge base, the copy
    is of the revision itself. The copy is empty if the folder did not exist there. Raises
    InvalidInputError if the folder is not in a git repository, or the revision is unknown.
    """
    place = folder if folder.is_dir() else Path()
    top = Path(_git(place, "rev-parse", "--show-toplevel", failure=_explain_no_repository(folder)))
    commit = _git(
        place,
        *("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"),
        failure=f'git knows no revision "{revision}" here; in CI, fetch the whole history '
        "(fetch-depth: 0)",
    )
    commit = _run(place, "merge-base", commit, "HEAD").stdout.decode().strip() or commit
    inside = folder.resolve().relative_to(top.resolve()).as_posix()
    with TemporaryDirectory(prefix="calfeed-") as temporary:
        copy = Path(temporary, "tree")
        copy.mkdir()
        found = copy / inside
        if inside == "." or _run(top, "ls-tree", commit, "--", inside).stdout:
            archive = _run(top, "archive", "--format=tar", commit, "--", inside)
            if archive.returncode:
                raise InvalidInputError(f"git cannot read {inside} at {revision}")
            with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
                # As an attribute, because extractall() has no such argument before Python 3.11.4.
                files.extraction_filter = getattr(tarfile, "tar_filter", None)
                files.extractall(copy)
        found.mkdir(parents=True, exist_ok=True)
        yield found


def _git(place: Path, *arguments: str, failure: str) -> str:
    done = _run(place, *arguments)
    if done.returncode:
        raise InvalidInputError(failure)
    return done.stdout.decode("utf-8", "surrogateescape").strip()


def _run(place: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            ["git", "--no-optional-locks", "-C", str(place), *arguments],
            capture_output=True,
            timeout=_GIT_SECONDS,
            check=False,
        )
    except FileNotFoundError:
        raise InvalidInputError("--base needs git, which is not installed") from None
    except subprocess.TimeoutExpired:
        raise InvalidInputError(f"git did not respond within {_GIT_SECONDS} seconds") from None


def _explain_no_repository(folder: Path) -> str:
    return f"{folder} is not in a git repository that can be read; --base compares with a revision"
