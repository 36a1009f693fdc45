"""The states of deliveries, reminders and endpoints, and the transitions that are allowed.

The values are what the database keeps and what is printed. `store/transitions.py` writes states,
and checks each transition against `TRANSITIONS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class DeliveryState(StrEnum):
    """The state of a delivery: of one message for one endpoint."""

    PENDING = "pending"
    """It is to be sent, at `next_at` or later. It stays pending while an attempt is in flight and
    between two attempts. A claim is not a state: it is a lease on a pending delivery."""

    HELD = "held"
    """Its endpoint is paused or disabled. It is placed anew when the endpoint is resumed. An
    attempt that was in flight when the endpoint was paused still decides how it ends."""

    GATHERED = "gathered"
    """It waits for the next digest of its endpoint, at `next_at`."""

    DELIVERED = "delivered"
    """The receiver answered an attempt with 2xx, or the channel took it. This is final."""

    DIGESTED = "digested"
    """A digest contains it, and `digest` names that message. Whether that arrived is the state of
    the digest's own delivery."""

    FAILED = "failed"
    """Its last attempt failed, or the receiver refused it for good. It can be retried by hand,
    and is when its endpoint is resumed."""

    EXPIRED = "expired"
    """Its message no longer mattered before it was sent: what it reminds of had begun, or its body
    was no longer kept."""

    SUPERSEDED = "superseded"
    """What it says is no longer true: its event has changed. It is sent after all when the event
    changes back."""

    DROPPED = "dropped"
    """Its endpoint was removed, or was paused or disabled for too long."""


class ReminderState(StrEnum):
    """The state of a reminder: of one rule for one occurrence."""

    PLANNED = "planned"
    """It is due at `due`, or at `send_from` where its event is not announced yet."""

    WITHDRAWN = "withdrawn"
    """Its event stopped asking for it before it was due. It is planned again when the event asks
    for it again."""

    SENT = "sent"
    """It became a message. What came of that is in the message's deliveries."""

    MISSED = "missed"
    """It was found due only when its occurrence had begun, so no message was made."""

    COLLAPSED = "collapsed"
    """It was overdue together with one nearer to the same occurrence, and only that was sent."""

    RECALLED = "recalled"
    """Its event changed after it was sent. Deliveries that have not arrived are superseded."""


class EndpointState(StrEnum):
    """The state of an endpoint: whether anything is sent to it."""

    UNVERIFIED = "unverified"
    """Somebody registered it and has not confirmed it. It gets its challenge and nothing else."""

    ACTIVE = "active"
    """It is sent what it wants."""

    PAUSED = "paused"
    """Somebody paused it. What is for it is held."""

    DISABLED = "disabled"
    """Its receiver answered 410, or every attempt failed for days; `reason` says which. What is
    for it is held."""

    REMOVED = "removed"
    """It is gone, with its URL, secrets and headers; the row stays for the record. A channel that
    comes back in the operator's file is active again."""


State = DeliveryState | ReminderState | EndpointState

UNSETTLED = (DeliveryState.PENDING, DeliveryState.HELD, DeliveryState.GATHERED)
"""A delivery that is still to be sent; its `settled_at` is NULL in these states and no others."""

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
    # These two only where a clock that was ahead gave them up too early.
    _D.EXPIRED: frozenset({_D.PENDING}),
    _D.DROPPED: frozenset({_D.PENDING}),
    _D.SUPERSEDED: frozenset({*UNSETTLED, _D.DIGESTED}),
}
_REMINDER: Mapping[ReminderState | None, frozenset[ReminderState]] = {
    None: frozenset({_R.PLANNED}),
    _R.PLANNED: frozenset({_R.WITHDRAWN, _R.SENT, _R.MISSED, _R.COLLAPSED}),
    _R.WITHDRAWN: frozenset({_R.PLANNED}),
    # These three are planned again only where a clock that was ahead settled them too early.
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
"""From each state those that may follow it. None stands for a row that is not there yet."""


def check_transition(source: State | None, target: State) -> None:
    """Raise ValueError for a transition that is not allowed. A state may stay as it is."""
    if source is not target and target not in TRANSITIONS[type(target)].get(source, ()):
        kind = type(target).__name__
        raise ValueError(f"{kind}: {source or 'nothing'} -> {target} is not allowed")
