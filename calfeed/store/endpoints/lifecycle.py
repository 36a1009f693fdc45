"""The lifecycle of endpoints: change their state, and their unsettled deliveries accordingly.

Workers lock deliveries before endpoints. To avoid deadlocks, the functions here take locks in that
order too, or skip deliveries that a worker has locked; the worker then updates these itself.
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
from calfeed.store.endpoints.records import Endpoint, save_endpoint
from calfeed.store.notices import notify_listeners
from calfeed.store.outbox.claims import LEASE
from calfeed.store.tables import deliveries, endpoints, messages, registrations
from calfeed.store.transitions import Transition, in_states
from calfeed.store.watching.operational import (
    report_disabled,
    report_recovered,
    report_resumed,
)

_MAX_EARLY = timedelta(seconds=1)
"""How early a message may be sent under a rate limit, so that workers can send in batches."""

_MINUTE = timedelta(minutes=1)

_BUSY_RETRY = timedelta(milliseconds=100)
"""The delay before a retry if another worker is reserving send times for the endpoint."""

_STATE = deliveries.c.state

_idle = Transition([EndpointState.ACTIVE], EndpointState.PAUSED, EndpointState.DISABLED)
_resume = Transition([EndpointState.PAUSED, EndpointState.DISABLED], EndpointState.ACTIVE)
_verify = Transition([EndpointState.UNVERIFIED], EndpointState.ACTIVE)
_remove = Transition(
    [state for state in EndpointState if state is not EndpointState.REMOVED], EndpointState.REMOVED
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
    """How many deliveries were made pending, gathered for the next digest, or expired."""

    pending: int
    gathered: int
    expired: int


def pause_or_disable_endpoint(
    connection: Connection,
    endpoint_id: str,
    state: EndpointState,
    now: datetime,
    reason: str | None = None,
) -> bool:
    """Pause or disable an active endpoint, and hold its unsettled deliveries.

    Returns False if it is not active.
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
        if state is EndpointState.DISABLED:
            report_disabled(connection, endpoint_id, reason or "unknown", now)
    return changed.rowcount == 1


def resume_endpoint(connection: Connection, endpoint_id: str, now: datetime) -> Released | None:
    """Make a paused or disabled endpoint active, and send the deliveries it missed, oldest first.

    These are its held deliveries, and those that failed since `failing_since`, unless it is too
    late for them. Returns None if it is not paused or disabled.
    """
    _lock_deliveries(connection, endpoint_id, DeliveryState.HELD)
    row = connection.execute(
        select(endpoints.c.state, endpoints.c.failing_since, endpoints.c.options)
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
    if row.state is EndpointState.DISABLED:
        report_resumed(connection, endpoint_id, row.failing_since, now)
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
    is_held = (deliveries.c.endpoint_id == endpoint_id) & _send_held.starts_in()
    options = Options.model_validate_json(row.options)
    released = _reschedule(connection, is_held & ~_is_claimed(now), options, now)
    # The other deliveries are claimed; their attempts continue.
    in_flight = connection.execute(_send_held.update(where=is_held))
    notify_listeners(connection)
    return Released(released.pending + in_flight.rowcount, released.gathered, released.expired)


def verify_endpoint(connection: Connection, endpoint_id: str, now: datetime) -> bool:
    """Make an unverified endpoint active; it gets messages from now on.

    Returns False if it is not unverified.
    """
    changed = connection.execute(
        _verify.update().where(endpoints.c.id == endpoint_id).values(created=now, settled_at=now)
    )
    _delete_registration(connection, endpoint_id)
    _delete_challenge(connection, endpoint_id)
    return changed.rowcount == 1


def _delete_challenge(connection: Connection, endpoint_id: str) -> None:
    """Delete the body of the challenge, with which anybody could confirm the endpoint."""
    is_challenge = messages.c.id == verify_id(endpoint_id)
    connection.execute(update(messages).where(is_challenge).values(body=None))


def _delete_registration(connection: Connection, endpoint_id: str) -> None:
    """Delete the record of the network from which an endpoint was registered."""
    connection.execute(delete(registrations).where(registrations.c.endpoint_id == endpoint_id))


def change_endpoint(connection: Connection, endpoint: Endpoint, now: datetime) -> None:
    """Update an endpoint that `lock_endpoint` returned, except its state.

    Deliveries that wait for their first attempt are rescheduled if the options have changed.
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
                in_states(_STATE, DeliveryState.GATHERED)
                | (in_states(_STATE, DeliveryState.PENDING) & fresh & ~_is_claimed(now))
            )
            .with_for_update(skip_locked=True)
        )
        _reschedule(connection, deliveries.c.id.in_(waiting), endpoint.options, now)
        notify_listeners(connection)


def remove_endpoint(connection: Connection, endpoint_id: str, now: datetime) -> bool:
    """Remove an endpoint with its URL, secrets and headers, and drop its unsettled deliveries.

    Returns False if it was removed before.
    """
    _lock_deliveries(connection, endpoint_id, *UNSETTLED)
    _delete_registration(connection, endpoint_id)
    changed = connection.execute(
        _remove.update()
        .where(endpoints.c.id == endpoint_id)
        .values(settled_at=now, url="", secret="", headers="")
        .values(former_secret=None, former_until=None)
    )
    _delete_challenge(connection, endpoint_id)
    dropping = _drop.update().where(deliveries.c.endpoint_id == endpoint_id)
    connection.execute(dropping.values(settled_at=now))
    return changed.rowcount == 1


def count_deliveries(connection: Connection, endpoint_id: str) -> dict[DeliveryState, int]:
    """Count the deliveries of an endpoint by state."""
    query = select(_STATE, func.count()).where(deliveries.c.endpoint_id == endpoint_id)
    return {row[0]: row[1] for row in connection.execute(query.group_by(_STATE))}


def record_failing_since(
    connection: Connection, answered: Collection[str], failed: Collection[str], now: datetime
) -> dict[str, datetime]:
    """Record which endpoints responded and which failed.

    Returns, for each that failed, the time since which it has been failing. If an endpoint is in
    both sets, the failure counts as the more recent outcome. Endpoints that are neither active nor
    paused are ignored.
    """
    attempted = sorted({*answered, *failed})
    if not attempted:
        return {}
    # In a fixed order, so that two workers cannot deadlock.
    query = (
        select(endpoints.c.id, endpoints.c.failing_since)
        .where(endpoints.c.id.in_(attempted))
        .where(endpoints.c.state.in_([EndpointState.ACTIVE, EndpointState.PAUSED]))
        .order_by(endpoints.c.id)
        .with_for_update(key_share=True)
    )
    known = {row.id: row.failing_since for row in connection.execute(query)}
    since = {key: None if key in answered else at for key, at in known.items()}
    since |= {key: since[key] or now for key in known if key in failed}
    for value in (None, now):
        changed = [key for key, at in since.items() if at == value and at != known[key]]
        if changed:
            statement = update(endpoints).where(endpoints.c.id.in_(changed))
            connection.execute(statement.values(failing_since=value))
    recovered = {key: at for key, at in known.items() if at is not None and since[key] is None}
    report_recovered(connection, recovered, now)
    return {key: at for key, at in since.items() if key in failed and at is not None}


def reserve_send_times(
    connection: Connection, endpoint_id: str, rate: int, wanted: int, now: datetime
) -> list[datetime]:
    """Return when `wanted` messages may be sent under a rate limit of `rate` in any minute.

    The limit applies to all workers together. Messages whose time is `now` are reserved and can be
    sent. The other times are not reservations: call again then.
    """
    query = select(endpoints.c.paced_to).where(endpoints.c.id == endpoint_id)
    row = connection.execute(query.with_for_update(key_share=True, skip_locked=True)).one_or_none()
    if row is None:
        return [now + _BUSY_RETRY] * wanted
    interval = (_MINUTE + _MAX_EARLY) / rate  # messages that are sent early also count
    reserved = next_time = max(row.paced_to or now, now)
    times = []
    for _ in range(wanted):
        time = max(now, next_time - _MAX_EARLY)
        next_time += interval
        if time == now:
            reserved = next_time
        times.append(time)
    connection.execute(
        update(endpoints).where(endpoints.c.id == endpoint_id).values(paced_to=reserved)
    )
    return times


def _lock_deliveries(connection: Connection, endpoint_id: str, *states: DeliveryState) -> None:
    """Lock the deliveries of an endpoint in some states, waiting for workers if necessary."""
    query = (
        select(deliveries.c.id)
        .where(deliveries.c.endpoint_id == endpoint_id, in_states(_STATE, *states))
        .order_by(deliveries.c.id)
        .with_for_update()
    )
    connection.execute(select(func.count()).select_from(query.subquery()))


def _is_claimed(now: datetime) -> ColumnElement[bool]:
    """Whether a delivery is possibly under a lease, so that an attempt could be in flight."""
    return deliveries.c.next_at.between(now + timedelta(microseconds=1), now + LEASE)


def _can_be_sent(now: datetime) -> ColumnElement[bool]:
    """Whether the message of a delivery has a body, and it is not too late to send it."""
    return (
        (messages.c.id == deliveries.c.message_id)
        & messages.c.body.is_not(None)
        & or_(messages.c.until.is_(None), messages.c.until > now)
    )


def _reschedule(
    connection: Connection, condition: ColumnElement[bool], options: Options, now: datetime
) -> Released:
    """Reschedule unsettled deliveries of an endpoint according to its options, oldest first."""
    is_message = messages.c.id == deliveries.c.message_id
    is_late = exists().where(is_message, messages.c.until <= now)
    expiry = _expire.update(where=condition & is_late)
    expired = connection.execute(expiry.values(settled_at=now)).rowcount
    condition &= deliveries.c.settled_at.is_(None)
    digest, gathered = options.digest_after(now), 0
    if digest is not None:
        in_time = or_(messages.c.until.is_(None), messages.c.until > digest)
        # Gather only reminders that will not expire before the digest and that were never claimed:
        # one that was claimed may already have been received under its own id.
        is_reminder = exists().where(is_message, messages.c.reminder.is_not(None), in_time)
        fits = is_reminder & (deliveries.c.claim == 0)
        gathering = _gather.update(where=condition & fits)
        gathered = connection.execute(gathering.values(next_at=digest)).rowcount
        condition &= ~fits
    send_from = select(messages.c.send_from).where(is_message, messages.c.send_from > now)
    next_at = func.coalesce(send_from.scalar_subquery(), _ordered_times(connection, condition, now))
    pending = connection.execute(_send.update(where=condition).values(next_at=next_at)).rowcount
    return Released(pending, gathered, expired)


def _ordered_times(connection: Connection, condition: ColumnElement[bool], now: datetime) -> Any:
    """Return times up to `now`, microseconds apart, so that older deliveries are claimed first."""
    last = connection.scalar(select(func.max(deliveries.c.id)).where(condition)) or 0
    microseconds = Instant().process_bind_param(now, None) or 0
    return coerce(deliveries.c.id + (microseconds - last), Instant())
