"""Rows of the database as values, for what compares and plans without reading it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from calfeed.ical.variants import Variant
from calfeed.model.events import Visibility
from calfeed.model.revision import Move, Revision
from calfeed.model.states import ReminderState


@dataclass(frozen=True)
class CalendarRow:
    """A calendar as published: `content` is its canonical JSON without events.

    `publish_id` is the publish that last changed anything in it.
    """

    slug: str
    content: str
    withdrawn: bool = False
    publish_id: int = 0

    @property
    def private(self) -> bool:
        """Whether its content says that it is private."""
        return bool(json.loads(self.content).get("visibility") == Visibility.PRIVATE)


@dataclass(frozen=True)
class EventRow:
    """An event as published; `vevents` are its bytes in each form, `PLAIN` among them.

    `withdrawn_at` is set while it is withdrawn and still shown as cancelled; `last_year` is when
    (UTC) its last occurrence ends. `waiting` says that its revision is not announced yet; `base`
    is the one that was announced last then, if any was.
    """

    uid: str
    calendar: str
    slug: str
    fingerprint: str
    renderer: int
    revision: Revision
    vevents: Mapping[Variant, bytes] = field(repr=False)
    last_year: int
    withdrawn_at: datetime | None = None
    waiting: bool = False
    base: Revision | None = None

    @property
    def announced(self) -> Revision | None:
        """The revision that was announced last; None where none was."""
        return self.base if self.waiting else self.revision

    @property
    def moves(self) -> tuple[Move, ...]:
        """The earlier times of the event from which it was announced to have moved."""
        return self.announced.history if self.announced else ()


@dataclass(frozen=True)
class RevisionRow:
    """One entry of the ledger: a revision, and the kind of change that made it."""

    kind: str
    revision: Revision


@dataclass(frozen=True)
class EventMark:
    """What comparing needs to know of a published event, without reading all of it."""

    uid: str
    calendar: str
    fingerprint: str
    renderer: int
    withdrawn_at: datetime | None


@dataclass(frozen=True)
class Waiting:
    """An event with a change that is announced at `due` (UTC), unless it is changed again before.

    `base` is the SEQUENCE that was announced last; None: none ever was.
    """

    uid: str
    base: int | None
    due: datetime


@dataclass(frozen=True)
class ReminderRow:
    """A reminder as kept; times are UTC.

    It is not sent before `send_from`.
    """

    key: str
    uid: str
    occurrence: str
    begins: datetime
    rule: str
    due: datetime
    until: datetime
    state: ReminderState
    settled_at: datetime | None = None
    send_from: datetime | None = None
