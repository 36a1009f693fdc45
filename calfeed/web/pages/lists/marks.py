"""What sets a date apart from others; the macro `marks` in parts.html draws it."""

from __future__ import annotations

from calfeed.ical.occurrences import Occurrence
from calfeed.model.events import Kind, Status
from calfeed.store.rows import EventRow

KINDS = ("cancelled", "moved", "tentative", "deadline")
"""The marks there are, in the order in which they stand."""

_NONE: frozenset[str] = frozenset()


def marks_of(row: EventRow, occurrence: Occurrence) -> frozenset[str]:
    """The marks of an occurrence of an event.

    It is cancelled with its event or alone, and has moved if people were told of another date,
    of it alone or of its event.
    """
    revision = row.revision
    cancelled = revision.withdrawn or occurrence.status is Status.CANCELLED
    tentative = occurrence.status is Status.TENTATIVE and not cancelled
    deadline = revision.event.kind is Kind.DEADLINE
    moves = row.moves
    moved = bool(moves) and any(move.occurrence in (None, occurrence.id) for move in moves)
    if not (cancelled or tentative or deadline or moved):
        return _NONE
    pairs = zip(KINDS, (cancelled, moved, tentative, deadline), strict=True)
    return frozenset(name for name, is_so in pairs if is_so)
