"""Which code reads definitions: beside `files`, the module here that touches files."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

_PACKAGE = Path(__file__).parents[1]

_ROOMS = ("model", "definitions")
_MODULES = ("counting.py", "errors.py")
_LIBRARIES = ("pydantic", "python-dateutil", "pyyaml", "tzdata", "webcolors")


@cache
def describe_reader() -> str:
    """A text that differs wherever definitions may be read in another way.

    It is made of the code that reads them and of the releases of the libraries it reads with.
    """
    code = sha256()
    for path in list_code():
        code.update(path.read_bytes())
    releases = [f"{name} {version(name)}" for name in _LIBRARIES]
    return "\n".join([code.hexdigest(), *releases])


def list_code() -> Iterator[Path]:
    """The source files of everything that reading definitions uses, in a fixed order."""
    yield from (_PACKAGE / module for module in _MODULES)
    for room in _ROOMS:
        yield from sorted((_PACKAGE / room).rglob("*.py"))
