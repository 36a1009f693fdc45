"""Facts about the date of a published event: whether its day is known, and its former dates."""

from __future__ import annotations

from dataclasses import dataclass

from calfeed.ical.comparison.shifts import Shift, find_shift
from calfeed.model.dates.dating import Hold
from calfeed.model.dates.uncertainty import Precision
from calfeed.model.events import Event
from calfeed.model.revision import Move, Revision
from calfeed.model.values import Moment
from calfeed.store.rows import EventRow


def knows_day(event: Event) -> bool:
    """Whether an event has a date whose day is known; its time may be open."""
    return event.on_hold is None and event.precision in (None, Precision.TIME)


@dataclass(frozen=True)
class PastDate:
    """A date that an event had, and the move that ended it.

    `held` says why it had no date then; None if it had one. `really_moved` is false if the date
    was never right, became more or less precise, or was withdrawn without a new one.
    """

    start: Moment
    end: Moment | None
    precision: Precision | None
    held: Hold | None
    move: Move
    really_moved: bool


def list_past_dates(announced: Revision) -> list[PastDate]:
    """Return the former dates of an event, as of its last announcement, oldest first.

    Moves of single occurrences are left out.
    """
    event = announced.event
    whole = [move for move in announced.history if move.occurrence is None]
    states = [_replace_times(event, move) for move in whole] + [event]
    holds = [move.held for move in whole] + [event.on_hold and event.on_hold.why]
    return [
        PastDate(
            start=move.start,
            end=move.end,
            precision=move.precision,
            held=move.held,
            move=move,
            really_moved=not move.corrected
            and holds[number + 1] is None
            and _is_another(states[number], states[number + 1]),
        )
        for number, move in enumerate(whole)
    ]


def has_moved(announced: Revision, occurrence: str) -> bool:
    """Whether an event, or its occurrence with this id, had another announced date that was right.

    Only the date of a whole event can be corrected, so any former date of the occurrence counts.
    """
    moves = announced.history
    if any(move.occurrence == occurrence for move in moves if move.occurrence is not None):
        return True
    return any(past.really_moved for past in list_past_dates(announced))


def find_former_date(row: EventRow, occurrence: str) -> PastDate | None:
    """Return the date that an event, or the occurrence with this id, had before the current one.

    `occurrence` is "" for an event without a series. Return None if there was no other date, if the
    event is on hold, or if its current revision is not announced yet. For an occurrence, only its
    own moves count: a former date of the whole series would not fit beside its date.
    """
    event, announced = row.revision.event, row.announced
    if announced is None or row.waiting or event.on_hold is not None:
        return None
    if occurrence:
        own = [move for move in announced.history if move.occurrence == occurrence]
        if not own:
            return None
        move = own[-1]
        return PastDate(move.start, move.end, None, None, move, really_moved=not move.corrected)
    past = list_past_dates(announced)
    if not past or _times(_replace_times(event, past[-1].move)) == _times(event):
        return None
    return past[-1]


def _replace_times(event: Event, move: Move) -> Event:
    times = {"start": move.start, "end": move.end, "precision": move.precision}
    return event.model_copy(update={**times, "on_hold": None})


def _is_another(old: Event, new: Event) -> bool:
    """Whether a date differs from the former one, apart from its precision.

    An event on hold is compared by the date that it had.
    """
    new = new.model_copy(update={"on_hold": None})
    if _times(old) == _times(new):
        return False
    return find_shift(old, new) is Shift.MOVED


def _times(event: Event) -> tuple[object, ...]:
    return event.times, event.precision
