"""Which code reads definitions: the other module of the room that touches files, those it is in."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

_LIBRARIES = ("pydantic", "python-dateutil", "pyyaml", "tzdata")


@cache
def describe_reader() -> str:
    """A text that differs wherever definitions may be read in another way.

    It is of the code of this room and of the releases of the libraries that it reads with.
    """
    code = sha256()
    folder = Path(__file__).parent
    for path in (folder.parent / "errors.py", *sorted(folder.rglob("*.py"))):
        code.update(path.read_bytes())
    releases = [f"{name} {version(name)}" for name in _LIBRARIES]
    return "\n".join([code.hexdigest(), *releases])
