"""How an endpoint stands: unverified, active, paused, disabled or removed, and what that means
for what is still to be sent to it.

A worker has locks on deliveries when it comes to an endpoint, so whoever changes how an endpoint
stands takes the locks in that order as well, or passes over deliveries that a worker holds just
then: the worker sees to them by itself when their turn comes again.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, exists, func, or_, select, update
from sqlalchemy import type_coerce as coerce

from calfeed.model.states import UNSETTLED, DeliveryState, EndpointState
from calfeed.reminders.messages import verify_id
from calfeed.reminders.options import Options
from calfeed.store.columns import Instant
from calfeed.store.endpoints.endpoints import Endpoint, save_endpoint
from calfeed.store.notices import announce
from calfeed.store.outbox.claims import LEASE
from calfeed.store.tables import deliveries, endpoints, messages, registrations
from calfeed.store.transitions import Transition, is_any

_BURST = timedelta(seconds=1)
"""By how much a post may be early, so that a worker need not be there at each single moment."""

_MINUTE = timedelta(minutes=1)

_NOT_NOW = timedelta(milliseconds=100)
"""When to ask again for turns that another worker is just taking."""

_STATE = deliveries.c.state

_idle = Transition([EndpointState.ACTIVE], EndpointState.PAUSED, EndpointState.DISABLED)
_resume = Transition([EndpointState.PAUSED, EndpointState.DISABLED], EndpointState.ACTIVE)
_verify = Transition([EndpointState.UNVERIFIED], EndpointState.ACTIVE)
_remove = Transition(
    [one for one in EndpointState if one is not EndpointState.REMOVED], EndpointState.REMOVED
)
_hold = Transition([DeliveryState.PENDING, DeliveryState.GATHERED], DeliveryState.HELD)
_hold_failed = Transition([DeliveryState.FAILED], DeliveryState.HELD)
_send_held = Transition([DeliveryState.HELD], DeliveryState.PENDING)
_drop = Transition(UNSETTLED, DeliveryState.DROPPED)
_expire = Transition(UNSETTLED, DeliveryState.EXPIRED)
_gather = Transition(UNSETTLED, DeliveryState.GATHERED)
_send = Transition(UNSETTLED, DeliveryState.PENDING)


@dataclass(frozen=True)
class Released:
    """What became of what an endpoint was to get: how many deliveries are `pending` now,
    `gathered` for its next digest, and `expired`."""

    pending: int
    gathered: int
    expired: int


def hold_endpoint(
    connection: Connection,
    endpoint_id: str,
    state: EndpointState,
    now: datetime,
    reason: str | None = None,
) -> bool:
    """Pause or disable an active endpoint; what it has yet to get is held for it.

    Returns False where it is not active.
    """
    changed = connection.execute(
        _idle.update(_idle.write(state))
        .where(endpoints.c.id == endpoint_id)
        .values(reason=reason, settled_at=now)
    )
    if changed.rowcount:
        waiting = (
            select(deliveries.c.id)
            .where(deliveries.c.endpoint_id == endpoint_id, _hold.starts_in())
            .with_for_update(skip_locked=True)
        )
        connection.execute(_hold.update().where(deliveries.c.id.in_(waiting)))
    return changed.rowcount == 1


def resume_endpoint(connection: Connection, endpoint_id: str, now: datetime) -> Released | None:
    """Make a paused or disabled endpoint active, and send what it missed, oldest first.

    That is what was held for it, and what was given up since it began to fail, as far as it still
    matters. None where it was active all the time, or is gone.
    """
    _lock_deliveries(connection, endpoint_id, DeliveryState.HELD)
    row = connection.execute(
        select(endpoints.c.failing_since, endpoints.c.options)
        .where(endpoints.c.id == endpoint_id, _resume.starts_in())
        .with_for_update(key_share=True)
    ).one_or_none()
    if row is None:
        return None
    connection.execute(
        _resume.update()
        .where(endpoints.c.id == endpoint_id)
        .values(reason=None, settled_at=now, failing_since=None)
    )
    if row.failing_since is not None:
        connection.execute(
            _hold_failed.update()
            .where(
                deliveries.c.endpoint_id == endpoint_id,
                deliveries.c.settled_at >= row.failing_since,
                exists().where(_can_be_sent(now)),
            )
            .values(next_at=now, attempts=0, settled_at=None)
        )
    held = (deliveries.c.endpoint_id == endpoint_id) & _send_held.starts_in()
    options = Options.model_validate_json(row.options)
    released = _place_anew(connection, held & ~_is_claimed(now), options, now)
    # An attempt that is on its way goes on to its end.
    under_way = connection.execute(_send_held.update(where=held))
    announce(connection)
    return Released(released.pending + under_way.rowcount, released.gathered, released.expired)


def verify_endpoint(connection: Connection, endpoint_id: str, now: datetime) -> bool:
    """Make an unverified endpoint active: it is told of what happens from now on.

    Returns False where it is not unverified.
    """
    changed = connection.execute(
        _verify.update().where(endpoints.c.id == endpoint_id).values(created=now, settled_at=now)
    )
    _forget_registration(connection, endpoint_id)
    _forget_challenge(connection, endpoint_id)
    return changed.rowcount == 1


def _forget_challenge(connection: Connection, endpoint_id: str) -> None:
    """Forget the message that shows, to whoever has it, that an endpoint is theirs."""
    which = messages.c.id == verify_id(endpoint_id)
    connection.execute(update(messages).where(which).values(body=None))


def _forget_registration(connection: Connection, endpoint_id: str) -> None:
    """Forget where an endpoint was registered from, once it waits no longer."""
    connection.execute(delete(registrations).where(registrations.c.endpoint_id == endpoint_id))


def change_endpoint(connection: Connection, endpoint: Endpoint, now: datetime) -> None:
    """Keep what is different about an endpoint that `take_endpoint` gave, but its state.

    What waits for its first attempt is placed anew: for its turn under another rate, the end of
    other quiet hours, another digest.
    """
    query = select(endpoints.c.options).where(endpoints.c.id == endpoint.id)
    former = Options.model_validate_json(connection.scalar(query) or "{}")
    save_endpoint(connection, endpoint)
    if endpoint.options != former:
        fresh = (deliveries.c.attempts == 0) & (deliveries.c.next_at > now)
        waiting = (
            select(deliveries.c.id)
            .where(deliveries.c.endpoint_id == endpoint.id)
            .where(
                is_any(_STATE, DeliveryState.GATHERED)
                | (is_any(_STATE, DeliveryState.PENDING) & fresh & ~_is_claimed(now))
            )
            .with_for_update(skip_locked=True)
        )
        _place_anew(connection, deliveries.c.id.in_(waiting), endpoint.options, now)
        announce(connection)


def remove_endpoint(connection: Connection, endpoint_id: str, now: datetime) -> bool:
    """Remove an endpoint with its URL, secrets and headers, and drop what it has yet to get.

    Returns False where it is gone already.
    """
    _lock_deliveries(connection, endpoint_id, *UNSETTLED)
    _forget_registration(connection, endpoint_id)
    changed = connection.execute(
        _remove.update()
        .where(endpoints.c.id == endpoint_id)
        .values(settled_at=now, url="", secret="", headers="")
        .values(former_secret=None, former_until=None)
    )
    _forget_challenge(connection, endpoint_id)
    dropping = _drop.update().where(deliveries.c.endpoint_id == endpoint_id)
    connection.execute(dropping.values(settled_at=now))
    return changed.rowcount == 1


def count_deliveries(connection: Connection, endpoint_id: str) -> dict[DeliveryState, int]:
    """How many deliveries there are for an endpoint in each state."""
    query = select(_STATE, func.count()).where(deliveries.c.endpoint_id == endpoint_id)
    return {row[0]: row[1] for row in connection.execute(query.group_by(_STATE))}


def note_outcomes(
    connection: Connection, answered: Collection[str], failed: Collection[str], now: datetime
) -> dict[str, datetime]:
    """Note which endpoints took a message, and which failed; since when those have.

    Of one that did both, the failure counts as the later. Those that are neither active nor
    paused stay as they are, and are left out of the answer.
    """
    touched = sorted({*answered, *failed})
    if not touched:
        return {}
    # In one order, or two workers could wait for each other.
    query = (
        select(endpoints.c.id, endpoints.c.failing_since)
        .where(endpoints.c.id.in_(touched))
        .where(endpoints.c.state.in_([EndpointState.ACTIVE, EndpointState.PAUSED]))
        .order_by(endpoints.c.id)
        .with_for_update(key_share=True)
    )
    known = {row.id: row.failing_since for row in connection.execute(query)}
    since = {key: None if key in answered else at for key, at in known.items()}
    since |= {key: since[key] or now for key in known if key in failed}
    for moment in (None, now):
        changed = [key for key, at in since.items() if at == moment and at != known[key]]
        if changed:
            statement = update(endpoints).where(endpoints.c.id.in_(changed))
            connection.execute(statement.values(failing_since=moment))
    return {key: at for key, at in since.items() if key in failed and at is not None}


def take_turns(
    connection: Connection, endpoint_id: str, rate: int, wanted: int, now: datetime
) -> list[datetime]:
    """When `wanted` posts to an endpoint of `rate` posts in a minute may leave, for all workers.

    Those at `now` are taken. The others are not: their moments are when it is worth to ask again.
    No minute, whenever it begins, has more than `rate`.
    """
    query = select(endpoints.c.paced_to).where(endpoints.c.id == endpoint_id)
    row = connection.execute(query.with_for_update(key_share=True, skip_locked=True)).one_or_none()
    if row is None:
        return [now + _NOT_NOW] * wanted
    interval = (_MINUTE + _BURST) / rate  # what comes early has to fit into the minute as well
    taken = ahead = max(row.paced_to or now, now)
    turns = []
    for _ in range(wanted):
        turn = max(now, ahead - _BURST)
        ahead += interval
        if turn == now:
            taken = ahead
        turns.append(turn)
    connection.execute(
        update(endpoints).where(endpoints.c.id == endpoint_id).values(paced_to=taken)
    )
    return turns


def _lock_deliveries(connection: Connection, endpoint_id: str, *states: DeliveryState) -> None:
    """Wait until no worker holds any of these deliveries, and keep them from all."""
    query = (
        select(deliveries.c.id)
        .where(deliveries.c.endpoint_id == endpoint_id, is_any(_STATE, *states))
        .order_by(deliveries.c.id)
        .with_for_update()
    )
    connection.execute(select(func.count()).select_from(query.subquery()))


def _is_claimed(now: datetime) -> ColumnElement[bool]:
    """Whether a delivery may be on its way at this moment."""
    return deliveries.c.next_at.between(now + timedelta(microseconds=1), now + LEASE)


def _can_be_sent(now: datetime) -> ColumnElement[bool]:
    """Whether a delivery's message is still there, and still matters."""
    return (
        (messages.c.id == deliveries.c.message_id)
        & messages.c.body.is_not(None)
        & or_(messages.c.until.is_(None), messages.c.until > now)
    )


def _place_anew(
    connection: Connection, which: ColumnElement[bool], options: Options, now: datetime
) -> Released:
    """Send some unsettled deliveries of one endpoint as `options` now has it, oldest first."""
    message = messages.c.id == deliveries.c.message_id
    over = exists().where(message, messages.c.until <= now)
    expired = connection.execute(_expire.update(where=which & over).values(settled_at=now)).rowcount
    which &= deliveries.c.settled_at.is_(None)
    digest, gathered = options.digest_after(now), 0
    if digest is not None:
        in_time = or_(messages.c.until.is_(None), messages.c.until > digest)
        # Only reminders are gathered, and what a digest would tell too late goes out by itself.
        # And so does what a worker had in hand, which may have been received under its own id.
        fits = exists().where(message, messages.c.reminder.is_not(None), in_time) & (
            deliveries.c.claim == 0
        )
        gathered = connection.execute(
            _gather.update(where=which & fits).values(next_at=digest)
        ).rowcount
        which &= ~fits
    # What was made ready a moment before it is due waits for that moment here as well.
    ready = select(messages.c.send_from).where(message, messages.c.send_from > now)
    turn = func.coalesce(ready.scalar_subquery(), _in_order(connection, which, now))
    pending = connection.execute(_send.update(where=which).values(next_at=turn)).rowcount
    return Released(pending, gathered, expired)


def _in_order(connection: Connection, which: ColumnElement[bool], now: datetime) -> Any:
    """Times up to `now`, a few microseconds apart, so that older deliveries are claimed first."""
    last = connection.scalar(select(func.max(deliveries.c.id)).where(which)) or 0
    moment = Instant().process_bind_param(now, None) or 0
    return coerce(deliveries.c.id + (moment - last), Instant())
