"""Which messages an endpoint wants."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

MESSAGE_TYPES = (
    "reminder.due",
    "event.added",
    "event.moved",
    "event.changed",
    "event.cancelled",
)
"""The types an endpoint can choose from.

`endpoint.test` and `endpoint.verify` come whatever it has chosen.
"""


class Subject(BaseModel):
    """What a message is about, as far as filters ask, and whether it is only a rehearsal."""

    model_config = ConfigDict(frozen=True)

    type: str
    calendar: str
    event: str
    categories: tuple[str, ...] = ()
    rehearsal: bool = False


class Filters(BaseModel):
    """What an endpoint wants: within each list any of its entries, and something of every list.

    An empty list asks for nothing in particular. `events` are named `calendar/event`.
    `public_only` is for endpoints that nobody here vouches for: what is private when it is told
    is not for them, whatever they want.
    """

    model_config = ConfigDict(frozen=True)

    calendars: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    public_only: bool = False

    def allow(self, public: bool) -> bool:
        """Whether anything may be told of a calendar that is public, or is not, at the time."""
        return public or not self.public_only

    def want(self, subject: Subject) -> bool:
        """Whether a message about this subject is wanted."""
        return (
            (not self.types or subject.type in self.types)
            and (not self.calendars or subject.calendar in self.calendars)
            and (not self.events or f"{subject.calendar}/{subject.event}" in self.events)
            and (not self.categories or not set(self.categories).isdisjoint(subject.categories))
        )
