"""Which versions of calfeed can use a database, by the number of its schema."""

from __future__ import annotations


def is_compatible(found: str, needed: str) -> bool:
    """Whether processes that need a schema may use a database with the schema `found`.

    They may use later steps of the same number: 0012.1 and 0012.2 for 0012, but not 0013.
    """
    (number, _, step), (own_number, _, own_step) = found.partition("."), needed.partition(".")
    return number == own_number and int(step or 0) >= int(own_step or 0)
