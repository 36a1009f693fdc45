"""The calendars and events of a snapshot as CalDAV collections and their members.

A member consists of stored VEVENT bytes and the VTIMEZONE that they use.
"""

from __future__ import annotations

import hashlib
import re
import threading
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from calfeed.ical.feed import join_object
from calfeed.ical.variants import PLAIN
from calfeed.store.rows import EventRow
from calfeed.web.feeds.assembly import FeedEvent
from calfeed.web.feeds.feed_options import DEFAULT_OPTIONS
from calfeed.web.published.calendars import PublishedCalendar
from calfeed.web.published.snapshot import Snapshot

OBJECT_TYPE = "text/calendar; charset=utf-8; component=VEVENT"

_PLAIN_NAME = re.compile(r"[\w@.+-]{1,200}", re.ASCII)
"""The UIDs that are used as names in URLs; for others, a hash is used."""


@dataclass(frozen=True, slots=True)
class Member:
    """A calendar object resource: an event, with its name in URLs and its ETag."""

    name: str
    row: EventRow
    body: bytes = field(repr=False)
    etag: str

    @property
    def modified(self) -> datetime:
        return self.row.revision.modified


@dataclass(frozen=True)
class Collection:
    """A calendar with its members, which are the events of its feed without options.

    A member is made when it is first requested.
    """

    calendar: PublishedCalendar
    year: int
    _made: dict[str, Member] = field(default_factory=dict, repr=False)

    @cached_property
    def first_year(self) -> int:
        """The first year of the feed, 0 if it contains all years."""
        return self.calendar.source.first_year(DEFAULT_OPTIONS, self.year)

    @cached_property
    def members(self) -> tuple[Member, ...]:
        return tuple(member for uid in self._events if (member := self.find(uid)))

    def find(self, uid: str) -> Member | None:
        """Return the member with a UID, None if it is not in the feed."""
        member, event = self._made.get(uid), self._events.get(uid)
        if member is None and event is not None:
            member = self._made[uid] = _make_member(event)
        return member

    def find_by_name(self, name: str) -> Member | None:
        """Return the member with a name in URLs."""
        uid = self._uids.get(name)
        return self.find(uid) if uid is not None else None

    @cached_property
    def _events(self) -> dict[str, FeedEvent]:
        events = self.calendar.source.choose(DEFAULT_OPTIONS, self.year)
        return {event.row.uid: event for event in events}

    @cached_property
    def _uids(self) -> dict[str, str]:
        return {name_of(uid): uid for uid in self._events}


class Collections:
    """The collections that were requested, cached until their calendar or the year changes."""

    def __init__(self) -> None:
        self._made: dict[str, Collection] = {}
        self._lock = threading.Lock()

    def find(self, snapshot: Snapshot, slug: str) -> Collection:
        """Return the collection of a calendar of this snapshot."""
        calendar, year = snapshot.all_calendars[slug], snapshot.version.year
        with self._lock:
            made = self._made.get(slug)
            if made is None or made.calendar is not calendar or made.year != year:
                self._made = {
                    name: kept
                    for name, kept in self._made.items()
                    if name in snapshot.all_calendars
                }
                made = self._made[slug] = Collection(calendar, year)
        return made


def name_of(uid: str) -> str:
    """Return the name of an event in URLs: its UID, or a hash of one with unusual characters."""
    if not _PLAIN_NAME.fullmatch(uid):
        uid = hashlib.sha256(uid.encode()).hexdigest()[:40]
    return f"{uid}.ics"


def _make_member(event: FeedEvent) -> Member:
    body = join_object(event.zone, event.row.vevents[PLAIN])
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    return Member(name_of(event.row.uid), event.row, body, etag)
