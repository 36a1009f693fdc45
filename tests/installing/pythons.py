"""The Pythons that calfeed is for, as far as they are on this machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

VERSIONS = ("3.11", "3.12", "3.13", "3.14")
RUNNING = f"{sys.version_info.major}.{sys.version_info.minor}"

LIBRARIES = Path(sys.prefix) / "libraries"
"""A folder for each other version, with the libraries that `make parts` installs there."""

WITHOUT_RIGHTS = ["setpriv", "--no-new-privs", "--inh-caps=-all", "--bounding-set=-all"]
AS_NOBODY = [*WITHOUT_RIGHTS, "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
"""What starts a command for root, with another user or without."""


@cache
def find_pythons(version: str) -> tuple[str, ...]:
    """The interpreters of a version, this environment's own first."""
    return tuple(path for path in _list_candidates(version) if _is_version(path, version))


def choose_python(version: str) -> tuple[str, list[str]] | None:
    """An interpreter, and what starts it as a user without rights; None if there is none.

    Root becomes nobody, if nobody may reach the interpreter, and else drops its rights.
    """
    pythons = find_pythons(version)
    if not pythons or os.geteuid() != 0:
        return (pythons[0], []) if pythons else None
    for python in pythons:
        # Where nobody may execute it but not see it, Python does not know where it is.
        if _runs([*AS_NOBODY, python, "-c", f"import os; os.stat({python!r})"]):
            return python, AS_NOBODY
    return pythons[0], WITHOUT_RIGHTS


def _list_candidates(version: str) -> Iterator[str]:
    if version == RUNNING:
        yield str(Path(sys.executable).resolve())
    for folder in ("/usr/bin", "/usr/local/bin"):
        yield f"{folder}/python{version}"
    yield shutil.which(f"python{version}") or ""
    pyenv = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
    for path in sorted(pyenv.glob(f"versions/{version}.*/bin/python{version}")):
        yield str(path)
    if uv := shutil.which("uv"):
        found = subprocess.run(
            [uv, "python", "find", "--no-project", version], capture_output=True, text=True
        )
        yield found.stdout.strip()


def _is_version(path: str, version: str) -> bool:
    wanted = tuple(map(int, version.split(".")))
    return bool(path) and _runs(
        [path, "-c", f"import sys, venv, zoneinfo; assert sys.version_info[:2] == {wanted}"]
    )


def _runs(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True).returncode == 0
    except OSError:
        return False
