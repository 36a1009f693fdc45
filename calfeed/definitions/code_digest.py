"""Which code reads definitions: beside `files`, the module here that touches files."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

_ROOMS = ("model", "definitions")
_LIBRARIES = ("pydantic", "python-dateutil", "pyyaml", "tzdata")


@cache
def describe_reader() -> str:
    """A text that differs wherever definitions may be read in another way.

    It is made of the code that reads them and of the releases of the libraries it reads with.
    """
    code = sha256()
    package = Path(__file__).parents[1]
    rooms = (path for room in _ROOMS for path in sorted((package / room).rglob("*.py")))
    for path in (package / "errors.py", *rooms):
        code.update(path.read_bytes())
    releases = [f"{name} {version(name)}" for name in _LIBRARIES]
    return "\n".join([code.hexdigest(), *releases])
