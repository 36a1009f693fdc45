"""The filters of an endpoint, and whether it may get messages about private calendars."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from calfeed.model.events import Event

OPERATIONAL_TYPES = (
    "endpoint.failing",
    "endpoint.disabled",
    "endpoint.recovered",
    "delivery.failed",
    "publish.refused",
    "reminder.missed",
    "worker.silent",
    "certificate.expiring",
)
"""The types of messages about the installation itself. They match only filters that name them."""

OPERATIONAL = "operational"
"""The name that stands for all operational types in a filter."""

UPDATE_TYPE = "calendar.updated"
"""The type of messages to CalDAV clients that a calendar has changed. Webhooks do not get them."""

WELCOME_TYPE = "push.welcome"
"""The type of the first message to a browser."""


class Subject(BaseModel):
    """The properties of a message that filters match, and whether it is a rehearsal.

    `endpoint` is the id of the endpoint that an operational message is about; that endpoint does
    not get the message. `drops` is set if an occurrence of the event no longer takes place.
    """

    model_config = ConfigDict(frozen=True)

    type: str
    calendar: str
    event: str
    categories: tuple[str, ...] = ()
    rehearsal: bool = False
    endpoint: str = ""
    drops: bool = False


def make_subject(
    message_type: str, event: Event, *, rehearsal: bool = False, drops: bool = False
) -> Subject:
    """The subject of a message about an event."""
    return Subject(
        type=message_type,
        calendar=event.calendar,
        event=event.slug,
        categories=event.categories,
        rehearsal=rehearsal,
        drops=drops,
    )


class Filters(BaseModel):
    """The filters of an endpoint. A message matches if it matches an entry of each list.

    An empty list matches every message. `event.moved` also matches corrections, because otherwise a
    receiver's copy of the date would stay wrong. `events` are named `calendar/event`. `follows` has
    the names of what a person follows: a `calendar`, one event as `calendar/event`, one category as
    `calendar#category`. `public_only` is for people and for endpoints that were registered through
    the API: they never get messages about calendars that are private at the time, nor
    `event.date_open`, nor operational messages.
    """

    model_config = ConfigDict(frozen=True)

    calendars: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    follows: tuple[str, ...] = ()
    public_only: bool = False

    def allow(self, public: bool) -> bool:
        """Return whether messages about a calendar may be sent, given whether it is public."""
        return public or not self.public_only

    def want(self, subject: Subject) -> bool:
        """Return whether the filters match a message about this subject."""
        if subject.type in OPERATIONAL_TYPES:
            return self._want_operational(subject)
        if subject.type == "event.date_open" and self.public_only:
            return False
        if subject.type == UPDATE_TYPE and UPDATE_TYPE not in self.types:
            return False
        return (
            (not self.types or not set(self.types).isdisjoint(_names_of(subject.type)))
            and (not self.calendars or subject.calendar in self.calendars)
            and (not self.events or f"{subject.calendar}/{subject.event}" in self.events)
            and (not self.categories or not set(self.categories).isdisjoint(subject.categories))
            and (not self.follows or not set(self.follows).isdisjoint(followed_names(subject)))
        )

    def _want_operational(self, subject: Subject) -> bool:
        """Return whether the filters match an operational message.

        They must name its type. If they name calendars or events, and the message is about a
        calendar, it must be one of these calendars, or the calendar of one of these events. Most
        operational messages are about no calendar, and none is about an event or a category.
        """
        calendars = {*self.calendars, *(name.partition("/")[0] for name in self.events)}
        return (
            not self.public_only
            and not {subject.type, OPERATIONAL}.isdisjoint(self.types)
            and (not subject.calendar or not calendars or subject.calendar in calendars)
        )


def _names_of(message_type: str) -> tuple[str, ...]:
    if message_type == "event.corrected":
        return message_type, "event.moved"
    return (message_type,)


def followed_names(subject: Subject) -> tuple[str, ...]:
    """Return the names under which people follow a subject: calendar, event, categories."""
    calendar = subject.calendar
    categories = (f"{calendar}#{category}" for category in subject.categories)
    return calendar, f"{calendar}/{subject.event}", *categories
