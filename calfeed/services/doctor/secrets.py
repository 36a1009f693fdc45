"""Files with secrets: who may read them, and whether the keys fit the database."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from calfeed.errors import KeyFileError
from calfeed.private_files import is_exposed
from calfeed.services.doctor.findings import Finding, ok, problem, warning
from calfeed.store.reports.database_condition import Condition
from calfeed.store.secrets.keys import read_keys

_RIGHTS, _KEYS = "secret files", "keys"


def check_rights(files: Iterable[Path]) -> Iterator[Finding]:
    """Judge the modes of files.

    Files that do not exist, or that this user may not see, are left out, and so is what is not a
    regular file.
    """
    found: list[tuple[Path, os.stat_result]] = []
    for path in files:
        with suppress(OSError):
            status = path.stat()
            if stat.S_ISREG(status.st_mode):
                found.append((path, status))
    wrong = [
        judge_rights(path, status.st_mode, mine=os.geteuid() in (0, status.st_uid))
        for path, status in found
        if is_exposed(status.st_mode)
    ]
    yield from wrong
    if found and not wrong:
        yield ok(_RIGHTS, f"private: {', '.join(str(path) for path, _ in found)}")


def judge_rights(path: Path, mode: int, *, mine: bool) -> Finding:
    """Judge a file that others can read or change; `mine` is whether this user can correct it."""
    text = f"other users can read or change {path} (mode {stat.S_IMODE(mode):o})"
    command = f"run `chmod 600 {path}`, and replace its secrets if somebody may have read them"
    return warning(_RIGHTS, text, command) if mine else problem(_RIGHTS, text, command)


def check_keys(file: Path, condition: Condition | None) -> Iterator[Finding]:
    """Compare the keys in a file with those that the database needs."""
    needed = condition.keys if condition is not None else frozenset()
    try:
        keys = frozenset(key.id for key in read_keys(file))
    except FileNotFoundError:
        yield judge_missing_file(file, needed)
    except OSError as error:
        yield problem(_KEYS, f"{file} cannot be read: {error.strerror}", "run as calfeed's user")
    except KeyFileError as error:
        yield problem(_KEYS, str(error))
    else:
        yield judge_keys(file, keys, needed)


def judge_missing_file(file: Path, needed: frozenset[str]) -> Finding:
    """Judge a missing key file: a problem if the database needs the keys `needed`."""
    if needed:
        return problem(
            _KEYS,
            f"there is no {file}, and the secrets in the database are encrypted with its keys",
            "put your copy of the file there (docs/operating.md, Secrets and keys)",
        )
    return ok(_KEYS, f"there is no {file} yet; it is made when something is published")


def judge_keys(file: Path, keys: frozenset[str], needed: frozenset[str]) -> Finding:
    """Judge whether the key file has all keys (ids) that the database needs."""
    missing = sorted(needed - keys)
    if missing:
        return problem(
            _KEYS,
            f"{file} lacks {', '.join(missing)}, with which something in the database is encrypted",
            "put that key back from your copy; `calfeed keys list` shows what cannot be read",
        )
    return ok(_KEYS, f"{file} has every key that is needed; keep a copy of it, apart from backups")
