"""Revisions: published states of events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, model_validator

from calfeed.model.dates.dating import Hold
from calfeed.model.dates.uncertainty import Precision
from calfeed.model.dates.wall_clock import WallClock
from calfeed.model.events import Event, Status
from calfeed.model.values import Moment, Text

_FROZEN = ConfigDict(frozen=True, extra="forbid")


class Move(BaseModel):
    """An earlier time of an event, the day (UTC) on which it moved, and the reason, if known.

    Datetimes are in `time_zone`, which was the event's zone, and have the published wall times;
    `end` is exclusive. `occurrence` is the id of the occurrence that moved, None for the whole
    event. With a `precision` the time was uncertain. `held` is set if the event was on hold, and
    says why. `corrected` means that this time was never right.
    """

    model_config = _FROZEN

    start: Moment
    end: Moment | None = None
    time_zone: str
    on: date
    note: Text | None = None
    occurrence: str | None = None
    precision: Precision | None = None
    held: Hold | None = None
    corrected: bool = False

    @model_validator(mode="after")
    def _keep_the_zone(self) -> Self:
        # JSON stores an offset; the zone's abbreviation ("EDT") needs the zone.
        clock, zone = WallClock(), ZoneInfo(self.time_zone)
        for name in ("start", "end"):
            moment = getattr(self, name)
            if isinstance(moment, datetime):
                object.__setattr__(self, name, clock.read(moment, zone))
        return self


class Revision(BaseModel):
    """A published state of an event; `sequence` counts from 0, times are UTC.

    `withdrawn` means that the event's definition was removed. The event stays in the feed as
    cancelled for a while.
    `cancel_note` is the reason for a cancellation. For an event that recurs on its zone's clock,
    `clock` holds the zone's future UTC offsets at the time of publishing (`clocks.Clock`). For a
    date counted in working days, `holidays` is the release of the holiday data.
    """

    model_config = _FROZEN

    event: Event
    sequence: int
    created: datetime
    modified: datetime
    history: tuple[Move, ...] = ()
    withdrawn: bool = False
    cancel_note: Text | None = None
    clock: tuple[tuple[int, int], ...] = ()
    holidays: str = ""

    @property
    def cancelled(self) -> bool:
        """Whether the event was cancelled or withdrawn."""
        return self.withdrawn or self.event.status is Status.CANCELLED


@dataclass(frozen=True)
class ComparableRevision:
    """A revision at the wall times of its definition, for comparison with another revision.

    `shifted` means that, by new zone rules, one of these wall times is no longer the instant that
    was published.
    """

    revision: Revision
    shifted: bool = False


def read_comparable(text: str) -> ComparableRevision:
    """Read a stored revision (JSON), with the wall times at which it was published."""
    clock = WallClock()
    return ComparableRevision(Revision.model_validate_json(text, context=clock), clock.shifted)
