"""The dates that an event had, and the current one, for the event's page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from calfeed.ical.occurrences import find_times
from calfeed.ical.wording.dates_text import format_hold
from calfeed.model.dates.dating import Hold
from calfeed.model.dates.uncertainty import Precision
from calfeed.model.revision import Move, Revision
from calfeed.model.values import Moment
from calfeed.web.pages.reader.dates import write_date, write_short_day, write_uncertain
from calfeed.web.pages.reader.languages import LocalizedText, Reader
from calfeed.web.pages.reader.wording import gettext
from calfeed.web.published.former_dates import has_moved


@dataclass(frozen=True)
class Step:
    """The current or an earlier date of an event; `on` is the day on which it was set, if known.

    `when` is the date in words, `start` the same in ISO 8601, empty if the day is not known. `note`
    says why it was set. `held` means that there was no date then. `corrects` is the date before
    this one, if that date was never right; `wrong` says that this date was never right.
    """

    when: str
    start: str
    on: str
    note: LocalizedText | None
    current: bool
    held: bool = False
    corrects: str = ""
    wrong: bool = False


@dataclass(frozen=True)
class _State:
    """A date that an event had, or why it had none, and the move that ended it."""

    start: Moment
    end: Moment | None
    precision: Precision | None
    hold: str
    move: Move | None


@dataclass(frozen=True)
class History:
    """The announced dates of an event, newest first, then those of single occurrences.

    `timelines` is empty if nothing ever changed; `moved` says whether a date that was right has
    moved.
    """

    timelines: list[list[Step]]
    moved: bool


def make_history(announced: Revision | None, reader: Reader, zone: ZoneInfo) -> History:
    """Return the history of an event, as of its last announcement; its dates are in `zone`."""
    if announced is None:
        return History([], moved=False)
    event = announced.event
    timelines = []
    names = dict.fromkeys([None, *(move.occurrence for move in announced.history)])
    for name in names:
        moves = [move for move in announced.history if move.occurrence == name]
        times = (event.start, event.end) if name is None else find_times(event, name)
        if moves and times is not None:
            hold = format_hold(event, reader.language.tag, event.language)
            current = _State(*times, event.precision, hold, None)
            timelines.append(_make_timeline(moves, current, reader, zone, event.language))
    moved = any(has_moved(announced, name or "") for name in names)
    return History(timelines, moved)


def _make_timeline(
    moves: Sequence[Move], current: _State, reader: Reader, zone: ZoneInfo, own: str
) -> list[Step]:
    language = reader.language
    states = [
        _State(move.start, move.end, move.precision, _name_hold(move.held), move) for move in moves
    ]
    steps: list[Step] = []
    for number, state in enumerate([*states, current]):
        # The note of a move belongs to the date that it led to.
        move = moves[number - 1] if number else None
        known = state.precision in (None, Precision.TIME) and not state.hold
        steps.append(
            Step(
                when=state.hold or _write(state, reader, zone),
                start=state.start.isoformat() if known else "",
                on=write_short_day(move.on, language) if move else "",
                note=reader.localize(move.note, own) if move and move.note else None,
                current=state.move is None,
                held=bool(state.hold),
                corrects=steps[-1].when if move and move.corrected else "",
                wrong=state.move is not None and state.move.corrected,
            )
        )
    return steps[::-1]


def _write(state: _State, reader: Reader, zone: ZoneInfo) -> str:
    """Format the date of a state; the current one also says if its day is not known yet."""
    if state.move is None and state.precision is not None:
        return write_uncertain(state.start, state.end, state.precision, reader.language)
    return write_date(state.start, state.end, state.precision, reader.language, zone)


def _name_hold(hold: Hold | None) -> str:
    if hold is None:
        return ""
    waiting = gettext("Waiting for the date of another event")
    return gettext("Postponed") if hold is Hold.POSTPONED else waiting
