"""The distributions that calfeed needs, as they are installed here, and nothing else."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]


def find_closure() -> dict[str, Distribution]:
    """What calfeed needs without extras, by name, in the versions of this environment."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    waiting = [Requirement(line) for line in project["dependencies"]]
    seen: set[tuple[str, frozenset[str]]] = set()
    found: dict[str, Distribution] = {}
    while waiting:
        wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        if (name, frozenset(wanted.extras)) not in seen:
            seen.add((name, frozenset(wanted.extras)))
            found[name] = distribution(name)
            waiting += _list_requirements(found[name], wanted.extras)
    return found


def _list_requirements(found: Distribution, extras: set[str]) -> Iterator[Requirement]:
    for line in found.requires or []:
        wanted = Requirement(line)
        marker = wanted.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in {"", *extras}):
            yield wanted


def list_paths() -> Iterator[Path]:
    """The files and folders in site-packages of what calfeed needs."""
    for found in find_closure().values():
        for name in {file.parts[0] for file in found.files or ()} - {"..", "__pycache__"}:
            yield Path(str(found.locate_file(name)))


def lend(paths: Iterable[Path], target: Path, *, copied: bool) -> None:
    """Link files and folders into the site-packages of an environment, or copy them."""
    for path in paths:
        if not copied:
            (target / path.name).symlink_to(path)
        elif path.is_dir():
            shutil.copytree(path, target / path.name)
        else:
            shutil.copyfile(path, target / path.name)
