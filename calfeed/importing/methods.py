"""Apply METHOD (RFC 5546, 1.4), because people also import invitations and cancellations."""

from __future__ import annotations

from calfeed.errors import InvalidInputError
from calfeed.importing.components import Component
from calfeed.importing.losses import LossReporter

_KEPT_METHODS = {
    "ADD": "adds dates to an event that is not in the file; they are events of their own",
    "REQUEST": "is an invitation; its event is kept as the organizer sends it",
}
# These are sent by attendees and do not describe the organizer's event.
_REPLIES = {
    "COUNTER": "proposes other times, which are not agreed",
    "DECLINECOUNTER": "declines a proposal",
    "REFRESH": "asks for an event",
    "REPLY": "answers an invitation",
}


def apply_methods(calendars: list[Component], report: LossReporter) -> list[Component]:
    """Drop replies of attendees, and cancel the events of cancellations.

    Raises InvalidInputError if all calendars are replies.
    """
    kept = []
    for calendar in calendars:
        method = calendar.value("METHOD")
        if method in _REPLIES:
            report("METHOD", f"is not kept: it {_REPLIES[method]}", method)
            continue
        if method == "CANCEL":
            report("METHOD", "is a cancellation; its events are cancelled", method)
            calendar = _cancelled(calendar)
        elif method in _KEPT_METHODS:
            report("METHOD", _KEPT_METHODS[method], method)
        elif method not in ("", "PUBLISH"):
            report("METHOD", "is not known", method)
        kept.append(calendar)
    if not kept:
        method = calendars[0].value("METHOD")
        raise InvalidInputError(
            f"this is a message that {_REPLIES[method]} (METHOD:{method}), not a calendar; import "
            "the event from the calendar it is in"
        )
    return kept


def _cancelled(calendar: Component) -> Component:
    components = [
        each.with_values({"STATUS": "CANCELLED"}) if each.name == "VEVENT" else each
        for each in calendar.components
    ]
    cancelled = calendar.with_values({})
    cancelled.components = components
    return cancelled
