"""One published state of an event: what the ledger knows and the definition does not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, model_validator

from calfeed.model.events import Event, Moment, Status, Text
from calfeed.model.wall_clock import WallClock

_FROZEN = ConfigDict(frozen=True, extra="forbid")


class Move(BaseModel):
    """An earlier time of an event: what it was, the day (UTC) it moved, and why if that was said.

    Datetimes are in `time_zone`, the event's at that time, at the wall time that was published;
    `end` is exclusive. `occurrence` is the id of the one occurrence that moved, None where it was
    the event as a whole.
    """

    model_config = _FROZEN

    start: Moment
    end: Moment | None = None
    time_zone: str
    on: date
    note: Text | None = None
    occurrence: str | None = None

    @model_validator(mode="after")
    def _keep_the_zone(self) -> Self:
        # JSON carries an offset; the name of the time ("EDT") needs the zone back.
        clock, zone = WallClock(), ZoneInfo(self.time_zone)
        for name in ("start", "end"):
            moment = getattr(self, name)
            if isinstance(moment, datetime):
                object.__setattr__(self, name, clock.read(moment, zone))
        return self


class Revision(BaseModel):
    """An event as published: SEQUENCE counts its revisions from 0; times are UTC.

    `withdrawn` says that its definition is gone: it stays in the feed as cancelled for a while.
    `cancel_note` is why it was cancelled, if that was said then. `clock` are the offsets that its
    zone had ahead when it was published, where it recurs by them (`clocks.Clock`).
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

    @property
    def cancelled(self) -> bool:
        """Whether the event does not take place."""
        return self.withdrawn or self.event.status is Status.CANCELLED


@dataclass(frozen=True)
class Written:
    """A revision at the wall times of its definition, to be compared with another one.

    `shifted` says that by the rules that its zone has now one of them is at another instant than
    the one that was published.
    """

    revision: Revision
    shifted: bool = False


def read_written(text: str) -> Written:
    """Read a stored revision (JSON) at the wall times that it was published with."""
    clock = WallClock()
    return Written(Revision.model_validate_json(text, context=clock), clock.shifted)
