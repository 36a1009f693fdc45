"""The tree under /dav/: root, principal, home, calendars and their members.

    /dav/                            points to the principal
    /dav/principal/                  points to the home
    /dav/calendars/                  the home: public calendars, and the private one of a token
    /dav/calendars/SLUG/             a calendar
    /dav/calendars/SLUG/UID.ics      an event

The same tree is at /dav/login/, where every request needs a token.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from calfeed.web.caldav.collections import Collection, Collections, Member
from calfeed.web.caldav.sync_tokens import SyncToken, current_token
from calfeed.web.published.snapshot import Snapshot

MOUNT = "/dav"
LOGIN = "login"


@dataclass(frozen=True)
class View:
    """The part of a snapshot that a reader can see: public calendars, and `private` ones by slug.

    `root` is the path of the tree. `push_key` is the public key for push, "" if push is off.
    """

    snapshot: Snapshot
    collections: Collections
    private: frozenset[str]
    root: str
    push_key: str = ""

    @property
    def principal(self) -> str:
        return f"{self.root}principal/"

    @property
    def home(self) -> str:
        return f"{self.root}calendars/"

    def slugs(self) -> list[str]:
        return sorted({*self.snapshot.calendars, *self.private})

    def shows(self, slug: str) -> bool:
        return slug in self.snapshot.calendars or slug in self.private


@dataclass(frozen=True)
class Root:
    view: View

    @property
    def href(self) -> str:
        return self.view.root

    def children(self) -> Iterator[Resource]:
        yield Principal(self.view)
        yield Home(self.view)


@dataclass(frozen=True)
class Principal:
    view: View

    @property
    def href(self) -> str:
        return self.view.principal

    def children(self) -> Iterator[Resource]:
        return iter(())


@dataclass(frozen=True)
class Home:
    view: View

    @property
    def href(self) -> str:
        return self.view.home

    def children(self) -> Iterator[Resource]:
        for slug in self.view.slugs():
            yield CalendarResource(self.view, self.view.collections.find(self.view.snapshot, slug))


@dataclass(frozen=True)
class CalendarResource:
    view: View
    collection: Collection

    @property
    def href(self) -> str:
        return f"{self.view.home}{self.collection.calendar.calendar.slug}/"

    @property
    def sync_token(self) -> SyncToken:
        return current_token(self.collection, self.view.snapshot.lineage)

    def children(self) -> Iterator[Resource]:
        return (EventResource(self, member) for member in self.collection.members)


@dataclass(frozen=True, slots=True)
class EventResource:
    calendar: CalendarResource
    member: Member

    @property
    def view(self) -> View:
        return self.calendar.view

    @property
    def href(self) -> str:
        return self.calendar.href + self.member.name

    def children(self) -> Iterator[Resource]:
        return iter(())


Resource: TypeAlias = Root | Principal | Home | CalendarResource | EventResource


def find_resource(view: View, parts: Sequence[str]) -> Resource | None:
    """Find a resource by the parts of its path below the root; None if there is none."""
    match [*parts]:
        case []:
            return Root(view)
        case ["principal"]:
            return Principal(view)
        case ["calendars"]:
            return Home(view)
        case ["calendars", slug]:
            return find_calendar(view, slug)
        case ["calendars", slug, name]:
            calendar = find_calendar(view, slug)
            return find_event(calendar, name) if calendar else None
    return None


def find_calendar(view: View, slug: str) -> CalendarResource | None:
    if not view.shows(slug):
        return None
    return CalendarResource(view, view.collections.find(view.snapshot, slug))


def find_event(calendar: CalendarResource, name: str) -> EventResource | None:
    """Find an event by its name in URLs; None if there is none."""
    member = calendar.collection.find_by_name(name)
    return EventResource(calendar, member) if member is not None else None
