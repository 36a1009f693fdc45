"""Build the source distribution, and the wheel from it, as `make dist` does but offline."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from calfeed import __version__
from tests.installing.closure import ROOT
from tests.patience import PATIENCE

_LEFT_OUT = shutil.ignore_patterns(
    "*.egg-info", ".*", "__pycache__", "build", "dist", "node_modules", "var"
)


class Built(NamedTuple):
    """The paths of a source distribution and of the wheel that was made from it."""

    sdist: Path
    wheel: Path


def build(folder: Path, version: str = __version__) -> Built:
    """Build both in a folder, from a copy: a build leaves files in the tree.

    With another `version` they are this one under the number of that.
    """
    with TemporaryDirectory(prefix="calfeed-source-") as name:
        source, unpacked = Path(name, "source"), Path(name, "unpacked")
        shutil.copytree(ROOT, source, symlinks=True, ignore=_LEFT_OUT)
        renumber(source / "calfeed", version)
        sdist = _run("build_sdist", source, folder)
        with tarfile.open(sdist) as archive:
            archive.extractall(unpacked, filter="data")
        (tree,) = unpacked.iterdir()
        return Built(sdist, _run("build_wheel", tree, folder))


def renumber(package: Path, version: str) -> None:
    """Give a copy of the package another version."""
    init = package / "__init__.py"
    text = init.read_text("utf-8")
    assert text.count(f'"{__version__}"') == 1
    init.write_text(text.replace(__version__, version), "utf-8")


def _run(hook: str, tree: Path, target: Path) -> Path:
    """Call the build backend (PEP 517) in a tree; return the file that it made."""
    code = f"from setuptools import build_meta; print(build_meta.{hook}({str(target)!r}))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tree, capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.returncode == 0, done.stderr
    return target / done.stdout.splitlines()[-1]
