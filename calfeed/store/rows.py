"""Rows of the database as values, for the code that compares definitions and makes plans."""

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
    """A published calendar; `content` is its canonical JSON without events.

    `publish_id` is the publish that last changed anything in it.
    """

    slug: str
    content: str
    withdrawn: bool = False
    publish_id: int = 0

    @property
    def private(self) -> bool:
        """Whether the calendar is private according to its content."""
        return bool(json.loads(self.content).get("visibility") == Visibility.PRIVATE)


@dataclass(frozen=True)
class EventRow:
    """A published event; `vevents` are its renderings, including `PLAIN`.

    `withdrawn_at` is set while it is withdrawn and still shown as cancelled; `last_year` is the
    year (UTC) in which its last occurrence ends. While its revision is not announced, `waiting` is
    True, and `base` is the revision that was announced last, if any.
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
        """The revision that was announced last, or None."""
        return self.base if self.waiting else self.revision

    @property
    def moves(self) -> tuple[Move, ...]:
        """The announced moves of the event."""
        return self.announced.history if self.announced else ()


@dataclass(frozen=True)
class RevisionRow:
    """An entry of the ledger: a revision, and the kind of its change."""

    kind: str
    revision: Revision


@dataclass(frozen=True)
class EventFingerprint:
    """The part of a published event that is compared with definitions."""

    uid: str
    calendar: str
    fingerprint: str
    renderer: int
    withdrawn_at: datetime | None


@dataclass(frozen=True)
class PendingAnnouncement:
    """A change of an event that is announced at `due` (UTC), unless it is changed again before.

    `base` is the SEQUENCE that was announced last, or None.
    """

    uid: str
    base: int | None
    due: datetime


@dataclass(frozen=True)
class ReminderRow:
    """A stored reminder; times are UTC. It is not sent before `send_from`."""

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
