"""Install what calfeed needs for the other Pythons of this machine, once, each in a folder.

Run by `make parts`, so that the tests need no network.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys

from packaging.utils import canonicalize_name

from tests.installing.closure import ROOT, find_closure
from tests.installing.pythons import LIBRARIES, RUNNING, VERSIONS, find_pythons

_REQUIREMENTS = "requirements.txt"
"""The file in each folder that says what is installed there; it is written last."""


def read_lock() -> dict[str, str]:
    """The entries of requirements.lock, each with its hashes, by canonical name."""
    text = (ROOT / "requirements.lock").read_text("utf-8")
    entries = re.findall(r"^[A-Za-z0-9].*(?:\n .*)*", text, re.MULTILINE)
    return {canonicalize_name(re.split(r"[\[=]", entry)[0]): entry for entry in entries}


def are_installed(version: str) -> bool:
    """Whether the libraries of a version are there, as the lock file names them now."""
    stamp = LIBRARIES / version / _REQUIREMENTS
    return stamp.is_file() and stamp.read_text("utf-8") == _requirements()


def _requirements() -> str:
    locked = read_lock()
    return "\n".join(locked[name] for name in sorted(find_closure())) + "\n"


def _install(version: str, python: str) -> bool:
    folder = LIBRARIES / version
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    wanted = LIBRARIES / f"{version}.txt"
    wanted.write_text(_requirements(), "utf-8")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile"]
    command += ["--require-hashes", "--only-binary", ":all:", "--python-version", version]
    command += ["--target", str(folder), "--requirement", str(wanted)]
    if subprocess.run(command).returncode != 0:
        return False
    subprocess.run([python, "-m", "compileall", "-q", str(folder)], check=False)
    wanted.rename(folder / _REQUIREMENTS)
    return True


def main() -> None:
    """Install for each version that is here and has none. Exit with 1 if one fails."""
    others = [version for version in VERSIONS if version != RUNNING and find_pythons(version)]
    failed = [
        version
        for version in others
        if not are_installed(version) and not _install(version, find_pythons(version)[0])
    ]
    if failed:
        sys.exit(f"no libraries for Python {', '.join(failed)}: its tests are skipped")


if __name__ == "__main__":
    main()
