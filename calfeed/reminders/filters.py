"""Which messages an endpoint wants."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

MESSAGE_TYPES = (
    "reminder.due",
    "event.added",
    "event.moved",
    "event.corrected",
    "event.changed",
    "event.cancelled",
    "event.date_open",
)
"""The types that a filter can name.

`endpoint.test`, `endpoint.verify` and `push.welcome` are sent regardless of filters.
"""

UPDATE_TYPE = "calendar.updated"
"""The type of messages that a CalDAV client's content is out of date. Webhooks do not get them."""

WELCOME_TYPE = "push.welcome"
"""The type of the first message to a browser."""


class Subject(BaseModel):
    """The properties of a message that filters match, and whether it is a rehearsal."""

    model_config = ConfigDict(frozen=True)

    type: str
    calendar: str
    event: str
    categories: tuple[str, ...] = ()
    rehearsal: bool = False


class Filters(BaseModel):
    """Which messages an endpoint wants: those that match an entry of each list.

    An empty list matches everything, and `event.moved` also matches corrections, without which a
    copy of the date would stay wrong. `events` are named `calendar/event`. `follows` is what a
    person follows: a `calendar`, one event as `calendar/event`, one category as
    `calendar#category`. `public_only` is for people and for endpoints that were registered from
    outside: they never get messages about calendars that are private at the time, nor those that
    ask for an open date.
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
        """Return whether a message about this subject is wanted."""
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


def _names_of(message_type: str) -> tuple[str, ...]:
    if message_type == "event.corrected":
        return message_type, "event.moved"
    return (message_type,)


def followed_names(subject: Subject) -> tuple[str, ...]:
    """Return the names by which a subject is followed: its calendar, its event, its categories."""
    calendar = subject.calendar
    categories = (f"{calendar}#{category}" for category in subject.categories)
    return calendar, f"{calendar}/{subject.event}", *categories
