"""Marks of occurrences, such as "cancelled"; the macro `marks` in parts.html draws them."""

from __future__ import annotations

from calfeed.ical.occurrences import Occurrence
from calfeed.model.dates.dating import Hold
from calfeed.model.dates.uncertainty import Precision
from calfeed.model.events import Kind, Status
from calfeed.store.rows import EventRow
from calfeed.web.published.dating import has_moved

MARKS = (
    "cancelled",
    "postponed",
    "waiting",
    "done",
    "corrected",
    "moved",
    "open",
    "tentative",
    "deadline",
)
"""All marks in display order."""

_NONE: frozenset[str] = frozenset()


def find_marks(row: EventRow, occurrence: Occurrence) -> frozenset[str]:
    """Return the marks of an occurrence.

    It counts as moved if a different date of it, or of its event, was announced and was right, as
    corrected if one was not. `open` means that its day is not known.
    """
    revision, event = row.revision, row.revision.event
    cancelled = revision.withdrawn or occurrence.status is Status.CANCELLED
    hold = event.on_hold.why if event.on_hold is not None and not cancelled else None
    known = event.precision in (None, Precision.TIME)
    announced, moves = row.announced, row.moves
    marks = {
        "cancelled": cancelled,
        "postponed": hold is Hold.POSTPONED,
        "waiting": hold is Hold.WAITING,
        "done": event.done is not None,
        "corrected": any(move.corrected for move in moves),
        "moved": announced is not None and bool(moves) and has_moved(announced, occurrence.id),
        "open": not known and hold is None,
        "tentative": occurrence.status is Status.TENTATIVE and not cancelled,
        "deadline": event.kind is Kind.DEADLINE,
    }
    if not any(marks.values()):
        return _NONE
    return frozenset(name for name, is_so in marks.items() if is_so)
