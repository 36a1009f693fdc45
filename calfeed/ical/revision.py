"""One published state of an event: what the ledger knows and the definition does not."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict

from calfeed.definitions.values import Event, Moment, Text

_FROZEN = ConfigDict(frozen=True, extra="forbid")


class Move(BaseModel):
    """An earlier time of an event: what it was, the day (UTC) it moved, and why if that was said.

    Datetimes keep the offset they were published with; `end` is exclusive.
    """

    model_config = _FROZEN

    start: Moment
    end: Moment | None = None
    on: date
    note: Text | None = None


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
