"""Marks of occurrences, such as "cancelled"; the macro `marks` in parts.html draws them."""

from __future__ import annotations

from calfeed.ical.occurrences import Occurrence
from calfeed.model.dates.dating import Hold
from calfeed.model.dates.uncertainty import Precision
from calfeed.model.events import Event, Kind, Status
from calfeed.store.rows import EventRow
from calfeed.web.published.former_dates import has_moved

MARKS = (
    "cancelled",
    "postponed",
    "waiting",
    "done",
    "corrected",
    "moved",
    "open",
    "provisional",
    "tentative",
    "deadline",
)
"""All marks in display order."""

_NONE: frozenset[str] = frozenset()


def find_marks(row: EventRow, occurrence: Occurrence) -> frozenset[str]:
    """Return the marks of an occurrence.

    It is `moved` if another date of its event was announced and was right, or any other date of the
    occurrence itself. It is `corrected` if any announced date of its event was never right. `open`
    means that its day is not known, `provisional` that it was counted across a holiday whose day is
    estimated.
    """
    revision, event = row.revision, row.revision.event
    cancelled = revision.withdrawn or occurrence.status is Status.CANCELLED
    hold = event.on_hold.why if event.on_hold is not None and not cancelled else None
    announced, moves = row.announced, row.moves
    marks = {
        "cancelled": cancelled,
        "postponed": hold is Hold.POSTPONED,
        "waiting": hold is Hold.WAITING,
        "done": event.done is not None,
        "corrected": any(move.corrected for move in moves),
        "moved": announced is not None and bool(moves) and has_moved(announced, occurrence.id),
        "tentative": occurrence.status is Status.TENTATIVE and not cancelled,
    } | _find_certainty(event, cancelled=cancelled)
    return _choose(marks)


def find_lasting_marks(row: EventRow) -> frozenset[str]:
    """Return the marks of an event that say nothing of how its date changed."""
    event, cancelled = row.revision.event, row.revision.cancelled
    tentative = {"tentative": event.status is Status.TENTATIVE and not cancelled}
    return _choose(tentative | _find_certainty(event, cancelled=cancelled))


def _find_certainty(event: Event, *, cancelled: bool) -> dict[str, bool]:
    on_hold, counted = event.on_hold is not None and not cancelled, event.derivation
    stands = not cancelled and not on_hold and event.done is None
    return {
        "open": event.precision not in (None, Precision.TIME) and not on_hold,
        "provisional": stands and counted is not None and counted.provisional,
        "deadline": event.kind is Kind.DEADLINE,
    }


def _choose(marks: dict[str, bool]) -> frozenset[str]:
    if not any(marks.values()):
        return _NONE
    return frozenset(name for name, is_so in marks.items() if is_so)
