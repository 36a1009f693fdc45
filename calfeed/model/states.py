"""The states of deliveries, reminders and endpoints, and the allowed transitions.

The values are stored in the database and printed. Only `store/transitions.py` writes states; it
checks each transition against `TRANSITIONS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class DeliveryState(StrEnum):
    """The state of a delivery, which is one message for one endpoint."""

    PENDING = "pending"
    """It is sent at `next_at` or later. It stays pending while an attempt is in flight and between
    attempts. A claim is not a state but a lease on a pending delivery."""

    HELD = "held"
    """Its endpoint is paused or disabled. It is rescheduled when the endpoint is resumed. An
    attempt that was in flight when the endpoint was paused still determines the next state. A
    delivery to a polled endpoint is held until its receiver has fetched and acknowledged it."""

    GATHERED = "gathered"
    """It waits for the next digest of its endpoint, at `next_at`."""

    DELIVERED = "delivered"
    """The receiver responded with 2xx, or the channel accepted it. This state is final."""

    DIGESTED = "digested"
    """A digest contains it; `digest` is the id of that message. The digest's own delivery has the
    outcome."""

    FAILED = "failed"
    """Its last attempt failed, or the receiver rejected it permanently. It is retried manually or
    when its endpoint is resumed."""

    EXPIRED = "expired"
    """It was not sent in time: the occurrence had begun, or the message body was deleted."""

    SUPERSEDED = "superseded"
    """Its event has changed, so its content is outdated. It is sent if the event changes back."""

    DROPPED = "dropped"
    """Its endpoint was removed, or was paused or disabled for too long."""


class ReminderState(StrEnum):
    """The state of a reminder, which is one rule for one occurrence."""

    PLANNED = "planned"
    """It is due at `due`, or at `send_from` if its event is not announced yet."""

    WITHDRAWN = "withdrawn"
    """Its event no longer has this reminder. It is planned again if the event has it again."""

    SENT = "sent"
    """It became a message; the message's deliveries have the outcome."""

    MISSED = "missed"
    """Its occurrence had already begun when it was processed, so no message was created."""

    COLLAPSED = "collapsed"
    """It was overdue together with a later reminder of the same occurrence, which was sent."""

    RECALLED = "recalled"
    """Its event changed after it was sent. Deliveries that have not arrived are superseded."""


class EndpointState(StrEnum):
    """The state of an endpoint, which determines whether messages are sent to it."""

    UNVERIFIED = "unverified"
    """It is registered but not confirmed. Only its challenge is sent."""

    ACTIVE = "active"
    """Messages that match its filters are sent."""

    PAUSED = "paused"
    """It was paused manually. Its deliveries are held."""

    DISABLED = "disabled"
    """Its receiver responded with 410, or all attempts failed for days (see `reason`). Its
    deliveries are held."""

    REMOVED = "removed"
    """It was removed. Its URL, secrets and headers are deleted; the row is kept for reports. A
    channel that returns to the operator's file becomes active again."""


class EndpointKind(StrEnum):
    """The kind of an endpoint, which determines who manages it and how messages are sent to it."""

    WEBHOOK = "webhook"
    """A URL that a developer or the operator added, or a channel of the operator's file."""

    MAIL = "mail"
    """A person who follows dates by mail, and manages this on a page of their own."""

    PUSH = "push"
    """A browser or a CalDAV client that subscribed to push; the subscription expires."""


State = DeliveryState | ReminderState | EndpointState

UNSETTLED = (DeliveryState.PENDING, DeliveryState.HELD, DeliveryState.GATHERED)
"""The states of deliveries that are not finished; `settled_at` is NULL in exactly these."""

_D, _R, _E = DeliveryState, ReminderState, EndpointState
_ENDED = (_D.DELIVERED, _D.FAILED, _D.EXPIRED, _D.SUPERSEDED, _D.DROPPED)

_DELIVERY: Mapping[DeliveryState | None, frozenset[DeliveryState]] = {
    None: frozenset(UNSETTLED),
    _D.PENDING: frozenset({_D.HELD, _D.GATHERED, *_ENDED}),
    _D.HELD: frozenset({_D.PENDING, _D.GATHERED, *_ENDED}),
    _D.GATHERED: frozenset(
        {_D.PENDING, _D.HELD, _D.DIGESTED, _D.EXPIRED, _D.SUPERSEDED, _D.DROPPED}
    ),
    _D.DELIVERED: frozenset(),
    _D.DIGESTED: frozenset({_D.SUPERSEDED}),
    _D.FAILED: frozenset({_D.PENDING, _D.HELD, _D.SUPERSEDED}),
    # Only if a clock that was ahead expired or dropped the delivery too early.
    _D.EXPIRED: frozenset({_D.PENDING}),
    _D.DROPPED: frozenset({_D.PENDING}),
    _D.SUPERSEDED: frozenset({*UNSETTLED, _D.DIGESTED}),
}
_REMINDER: Mapping[ReminderState | None, frozenset[ReminderState]] = {
    None: frozenset({_R.PLANNED}),
    _R.PLANNED: frozenset({_R.WITHDRAWN, _R.SENT, _R.MISSED, _R.COLLAPSED}),
    _R.WITHDRAWN: frozenset({_R.PLANNED}),
    # Planned again only if a clock that was ahead processed the reminder too early.
    _R.SENT: frozenset({_R.RECALLED, _R.PLANNED}),
    _R.MISSED: frozenset({_R.PLANNED}),
    _R.COLLAPSED: frozenset({_R.PLANNED}),
    _R.RECALLED: frozenset({_R.SENT}),
}
_ENDPOINT: Mapping[EndpointState | None, frozenset[EndpointState]] = {
    None: frozenset({_E.UNVERIFIED, _E.ACTIVE}),
    _E.UNVERIFIED: frozenset({_E.ACTIVE, _E.REMOVED}),
    _E.ACTIVE: frozenset({_E.PAUSED, _E.DISABLED, _E.REMOVED}),
    _E.PAUSED: frozenset({_E.ACTIVE, _E.REMOVED}),
    _E.DISABLED: frozenset({_E.ACTIVE, _E.REMOVED}),
    _E.REMOVED: frozenset({_E.ACTIVE}),
}

TRANSITIONS: Mapping[type[State], Mapping[Any, frozenset[State]]] = {
    DeliveryState: _DELIVERY,
    ReminderState: _REMINDER,
    EndpointState: _ENDPOINT,
}
"""The states that may follow each state. None stands for a row that does not exist yet."""


def check_transition(source: State | None, target: State) -> None:
    """Raise ValueError if a transition is not allowed; keeping the state is allowed."""
    if source is not target and target not in TRANSITIONS[type(target)].get(source, ()):
        kind = type(target).__name__
        raise ValueError(f"{kind}: {source or 'nothing'} -> {target} is not allowed")
