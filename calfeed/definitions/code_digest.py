"""A digest of the code that reads definitions."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

_PACKAGE = Path(__file__).parents[1]

_ROOMS = ("model", "definitions")
_MODULES = ("counting.py", "errors.py")
_LIBRARIES = ("holidays", "pydantic", "python-dateutil", "pyyaml", "tzdata", "webcolors")


@cache
def reader_version() -> str:
    """Return a text that changes whenever the code may read definitions differently.

    It contains a digest of the code and the versions of the libraries involved.
    """
    code = sha256()
    for path in list_source_files():
        code.update(path.read_bytes())
    releases = [f"{name} {version(name)}" for name in _LIBRARIES]
    return "\n".join([code.hexdigest(), *releases])


def list_source_files() -> Iterator[Path]:
    """Yield the source files that are used to read definitions, in a fixed order."""
    yield from (_PACKAGE / module for module in _MODULES)
    for room in _ROOMS:
        yield from sorted((_PACKAGE / room).rglob("*.py"))
