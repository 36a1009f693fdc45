"""Marks of occurrences, such as "cancelled"; the macro `marks` in parts.html draws them."""

from __future__ import annotations

from calfeed.ical.occurrences import Occurrence
from calfeed.model.events import Kind, Status
from calfeed.store.rows import EventRow

MARKS = ("cancelled", "moved", "tentative", "deadline")
"""All marks in display order."""

_NONE: frozenset[str] = frozenset()


def find_marks(row: EventRow, occurrence: Occurrence) -> frozenset[str]:
    """Return the marks of an occurrence.

    It counts as moved if a different date of it, or of its event, was announced.
    """
    revision = row.revision
    cancelled = revision.withdrawn or occurrence.status is Status.CANCELLED
    tentative = occurrence.status is Status.TENTATIVE and not cancelled
    deadline = revision.event.kind is Kind.DEADLINE
    moves = row.moves
    moved = bool(moves) and any(move.occurrence in (None, occurrence.id) for move in moves)
    if not (cancelled or tentative or deadline or moved):
        return _NONE
    pairs = zip(MARKS, (cancelled, moved, tentative, deadline), strict=True)
    return frozenset(name for name, is_so in pairs if is_so)
