"""What a message of a calendar is for (METHOD, RFC 5546, 1.4), and what that makes of its events.

Invitations and cancellations come as files too, and people import them.
"""

from __future__ import annotations

from calfeed.errors import InvalidInputError
from calfeed.importing.components import Component
from calfeed.importing.losses import Report

_ABOUT_EVENTS = {
    "ADD": "adds dates to an event that is not in the file; they are events of their own",
    "REQUEST": "is an invitation; its event is kept as the organizer sends it",
}
# What these hold is not what the organizer says of the event.
_ANSWERS = {
    "COUNTER": "proposes other times, which nobody has agreed to",
    "DECLINECOUNTER": "declines a proposal",
    "REFRESH": "asks for an event",
    "REPLY": "answers an invitation",
}


def apply_methods(calendars: list[Component], report: Report) -> list[Component]:
    """The calendars that say what holds; the events of a cancellation are cancelled.

    Raises InvalidInputError where there are none but answers to invitations.
    """
    kept = []
    for calendar in calendars:
        method = calendar.value("METHOD")
        if method in _ANSWERS:
            report("METHOD", f"is not kept: it {_ANSWERS[method]}", method)
            continue
        if method == "CANCEL":
            report("METHOD", "is a cancellation; its events are cancelled", method)
            calendar = _cancelled(calendar)
        elif method in _ABOUT_EVENTS:
            report("METHOD", _ABOUT_EVENTS[method], method)
        elif method not in ("", "PUBLISH"):
            report("METHOD", "is not known", method)
        kept.append(calendar)
    if not kept:
        method = calendars[0].value("METHOD")
        raise InvalidInputError(
            f"this is a message that {_ANSWERS[method]} (METHOD:{method}), not a calendar; import "
            "the event from the calendar it is in"
        )
    return kept


def _cancelled(calendar: Component) -> Component:
    components = [
        each.replaced({"STATUS": "CANCELLED"}) if each.name == "VEVENT" else each
        for each in calendar.components
    ]
    cancelled = calendar.replaced({})
    cancelled.components = components
    return cancelled
