"""The author of a publish: a given name, or a user of the operating system."""

from __future__ import annotations

import getpass
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from calfeed.cli.delivery_output import printable
from calfeed.errors import InvalidInputError

MAX_NAME_LENGTH = 100


def check_name(text: str) -> str:
    """Return a name without surrounding space.

    Raises InvalidInputError unless it is one line of 1 to 100 printable characters.
    """
    name = text.strip()
    if not _is_valid(name):
        raise InvalidInputError(
            f"--by must be a name of 1 to {MAX_NAME_LENGTH} printable characters on one line; "
            "nothing was published"
        )
    return name


def find_user() -> str | None:
    """Return the name of the user that runs this process; None if it is missing or invalid."""
    # A container may run under a user id without a name.
    with suppress(KeyError, OSError):
        name = getpass.getuser()
        return name if _is_valid(name) else None
    return None


def find_owners(files: Iterable[Path]) -> str | None:
    """Return the names of the owners of files, joined by commas; None if this is not a valid name.

    Most editors write a new file at each save, so the owner is the user who saved it. Editors that
    write into the existing file leave its owner unchanged.
    """
    owners = set()
    for file in files:
        with suppress(KeyError, OSError):  # a user id without a name, a removed file
            owners.add(file.owner())
    name = ", ".join(sorted(owners))
    return name if _is_valid(name) else None


def _is_valid(name: str) -> bool:
    return 0 < len(name) <= MAX_NAME_LENGTH and printable(name) == name
