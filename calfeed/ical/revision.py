"""One published state of an event: what the ledger knows and the definition does not."""

from __future__ import annotations

from datetime import date, datetime
from typing import Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, model_validator

from calfeed.definitions.values import Event, Moment, Text

_FROZEN = ConfigDict(frozen=True, extra="forbid")


class Move(BaseModel):
    """An earlier time of an event: what it was, the day (UTC) it moved, and why if that was said.

    Datetimes are in `time_zone`, the event's at that time; `end` is exclusive.
    """

    model_config = _FROZEN

    start: Moment
    end: Moment | None = None
    time_zone: str
    on: date
    note: Text | None = None

    @model_validator(mode="after")
    def _keep_the_zone(self) -> Self:
        # JSON carries an offset; the name of the time ("EDT") needs the zone back.
        for name in ("start", "end"):
            moment = getattr(self, name)
            if isinstance(moment, datetime):
                object.__setattr__(self, name, moment.astimezone(ZoneInfo(self.time_zone)))
        return self


class Revision(BaseModel):
    """An event as published: SEQUENCE counts its revisions from 0; times are UTC.

    `withdrawn` says that its definition is gone: it stays in the feed as cancelled for a while.
    """

    model_config = _FROZEN

    event: Event
    sequence: int
    created: datetime
    modified: datetime
    history: tuple[Move, ...] = ()
    withdrawn: bool = False
