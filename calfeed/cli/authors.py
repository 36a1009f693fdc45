"""Who makes a publish: the name that was given, or else what the operating system knows."""

from __future__ import annotations

import getpass
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from calfeed.cli.delivery_output import printable
from calfeed.errors import InvalidInputError

LONGEST_NAME = 100
"""How many characters the name of who publishes may have."""


def check_name(text: str) -> str:
    """Return a name without the space around it.

    Raises InvalidInputError where it is not one line of 1 to 100 characters that can be printed.
    """
    name = text.strip()
    if not _fits(name):
        raise InvalidInputError(
            f"--by wants a name on one line, of 1 to {LONGEST_NAME} characters, that can be "
            "printed; nothing was published"
        )
    return name


def find_user() -> str | None:
    """The user that runs this process; None where that one has no name that can be recorded."""
    # A container may run as a number that no user has.
    with suppress(KeyError, OSError):
        name = getpass.getuser()
        return name if _fits(name) else None
    return None


def find_owners(files: Iterable[Path]) -> str | None:
    """The users that files belong to, those with a name; None where there is none.

    An owner is who made a file or put it there. Most editors make a new one at each save; one
    that writes into the old leaves it to its owner.
    """
    owners = set()
    for file in files:
        with suppress(KeyError, OSError):  # a user without a name, a file that is gone
            owners.add(file.owner())
    name = ", ".join(sorted(owners))
    return name if _fits(name) else None


def _fits(name: str) -> bool:
    return 0 < len(name) <= LONGEST_NAME and printable(name) == name
