"""Deliveries: list them, read their attempts, and retry failed ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, case, func, select

from calfeed.errors import NotFoundError, SealError
from calfeed.model.states import DeliveryState, EndpointState
from calfeed.reminders.filters import Subject
from calfeed.store.bulk_parameters import bulk_rows, dump_rows
from calfeed.store.notices import notify_listeners
from calfeed.store.outbox.claims import Attempt
from calfeed.store.secrets.sealing import Keyring, Places, keyring_of
from calfeed.store.tables import attempts, deliveries, endpoints, messages
from calfeed.store.transitions import Transition

RETRY_REFUSALS = {
    DeliveryState.PENDING: "is pending",
    DeliveryState.HELD: "is held until its endpoint is resumed or polled",
    DeliveryState.GATHERED: "waits for its digest",
    DeliveryState.DELIVERED: "was delivered",
    DeliveryState.DIGESTED: "was sent in a digest",
    DeliveryState.EXPIRED: "came too late to be useful",
    DeliveryState.SUPERSEDED: "is superseded: its event has changed",
    DeliveryState.DROPPED: "was dropped: its endpoint was removed, or inactive for too long",
}
"""Why a delivery in each of these states cannot be retried; completes "delivery 7 …"."""

_retry = Transition([DeliveryState.FAILED], DeliveryState.PENDING, DeliveryState.HELD)


@dataclass(frozen=True)
class DeliveryRow:
    """A stored delivery; times are UTC.

    `at` is when its message was created and `text` is the message in one line. `next_at` is when a
    pending delivery may be claimed, or when the digest of a gathered one is due. `language` is the
    translation that is sent, None for the message as it is.
    """

    id: int
    message_id: str
    endpoint_id: str
    type: str
    rehearsal: bool
    text: str
    at: datetime
    state: DeliveryState
    next_at: datetime
    attempts: int
    settled_at: datetime | None
    digest: str | None
    language: str | None = None


@dataclass
class RetryResult:
    """The result of a retry, by delivery id.

    `held` are deliveries whose endpoint is not active. `refused` has the reason for each of the
    deliveries that cannot be retried.
    """

    pending: list[int] = field(default_factory=list)
    held: list[int] = field(default_factory=list)
    refused: dict[int, str] = field(default_factory=dict)


def list_deliveries(
    connection: Connection,
    *,
    endpoint_id: str | None = None,
    states: Sequence[DeliveryState] = (),
    uids: Sequence[str] | None = None,
    since: datetime | None = None,
    before: int | None = None,
    ids: Sequence[int] | None = None,
    message_id: str | None = None,
    limit: int = 50,
) -> list[DeliveryRow]:
    """List deliveries, newest first, filtered by endpoint, states, event UIDs, ids and message.

    `since` selects deliveries that were settled at or after that time, and unsettled ones whose
    message was created at or after it. `before` selects deliveries with a lower id.
    """
    query = _query().order_by(deliveries.c.id.desc()).limit(limit)
    if endpoint_id is not None:
        query = query.where(deliveries.c.endpoint_id == endpoint_id)
    if states:
        query = query.where(deliveries.c.state.in_(states))
    if uids is not None:
        query = query.where(messages.c.uid.in_(uids))
    if since is not None:
        query = query.where(func.coalesce(deliveries.c.settled_at, messages.c.at) >= since)
    if before is not None:
        query = query.where(deliveries.c.id < before)
    if ids is not None:
        query = query.where(deliveries.c.id.in_(ids))
    if message_id is not None:
        query = query.where(deliveries.c.message_id == message_id)
    return [_to_delivery(row) for row in connection.execute(query)]


def find_delivery(connection: Connection, delivery_id: int) -> DeliveryRow:
    """Load a delivery. Raises NotFoundError if it does not exist."""
    row = connection.execute(_query().where(deliveries.c.id == delivery_id)).one_or_none()
    if row is None:
        raise NotFoundError("delivery", delivery_id)
    return _to_delivery(row)


def next_pending_at(connection: Connection) -> datetime | None:
    """Return when the next pending delivery may be claimed, or None."""
    query = select(func.min(deliveries.c.next_at)).where(
        deliveries.c.state == DeliveryState.PENDING
    )
    next_at: datetime | None = connection.scalar(query)
    return next_at


def load_attempts(connection: Connection, delivery_id: int) -> list[Attempt]:
    """Load the attempts of a delivery, oldest first."""
    query = select(attempts).where(attempts.c.delivery_id == delivery_id)
    rows = connection.execute(query.order_by(attempts.c.at, attempts.c.claim))
    keys = keyring_of(connection)
    return [Attempt(*row)._replace(response=_open_response(keys, row)) for row in rows]


_responses = Places(attempts.c.response)


def _open_response(keys: Keyring, row: Any) -> str:
    try:
        return keys.open(_responses.of(row.delivery_id, row.claim), row.response or "")
    except SealError as error:
        return f"(cannot be read: {error})"


def list_failed_ids(connection: Connection, endpoint_id: str, since: datetime) -> list[int]:
    """List the ids of deliveries that failed or expired at or after `since`, oldest first."""
    query = select(deliveries.c.id).where(
        deliveries.c.endpoint_id == endpoint_id,
        deliveries.c.state.in_([DeliveryState.FAILED, DeliveryState.EXPIRED]),
        deliveries.c.settled_at >= since,
    )
    return list(connection.scalars(query.order_by(deliveries.c.id)))


def retry(connection: Connection, ids: Sequence[int], now: datetime) -> RetryResult:
    """Make failed deliveries pending again, with a new series of attempts.

    Deliveries in other states, those whose message body was deleted, and those that are too late
    are refused. Raises NotFoundError if a delivery does not exist.
    """
    rows = bulk_rows(connection.dialect.name, "wanted", {"id": deliveries.c.id.type})
    columns = (deliveries.c.id, deliveries.c.state, messages.c.until, messages.c.body.is_(None))
    query = (
        select(*columns, endpoints.c.state)
        .join_from(deliveries, rows, rows.c.id == deliveries.c.id)
        .join(messages, messages.c.id == deliveries.c.message_id)
        .join(endpoints, endpoints.c.id == deliveries.c.endpoint_id)
        .order_by(deliveries.c.id)
        # Lock the message too, so that retention cannot delete its body meanwhile.
        .with_for_update(of=[messages, deliveries])
    )
    wanted = dump_rows([{"id": delivery_id} for delivery_id in dict.fromkeys(ids)])
    result = RetryResult()
    for delivery_id, state, until, no_body, endpoint_state in connection.execute(
        query, {"wanted": wanted}
    ):
        is_late = until is not None and until <= now
        if reason := _find_refusal(state, endpoint_state, is_late, no_body):
            result.refused[delivery_id] = reason
        elif endpoint_state is EndpointState.ACTIVE:
            result.pending.append(delivery_id)
        else:
            result.held.append(delivery_id)
    if unknown := sorted(set(ids).difference(result.pending, result.held, result.refused)):
        raise NotFoundError("delivery", unknown[0])
    retried = result.pending + result.held
    inactive = select(endpoints.c.id).where(endpoints.c.state != EndpointState.ACTIVE)
    state = case(
        (deliveries.c.endpoint_id.in_(inactive), _retry.write(DeliveryState.HELD)),
        else_=_retry.write(DeliveryState.PENDING),
    )
    connection.execute(
        _retry.update(state)
        .where(deliveries.c.id.in_(select(rows.c.id)))
        .values(next_at=now, attempts=0, settled_at=None),
        {"wanted": dump_rows([{"id": delivery_id} for delivery_id in retried])},
    )
    notify_listeners(connection)
    return result


def _find_refusal(
    state: DeliveryState, endpoint_state: EndpointState, is_late: bool, no_body: bool
) -> str | None:
    """Return why a delivery cannot be retried, or None if it can."""
    if state is not DeliveryState.FAILED:
        return RETRY_REFUSALS[state]
    if endpoint_state is EndpointState.REMOVED:
        return RETRY_REFUSALS[DeliveryState.DROPPED]
    if is_late:
        return "is too late: the occurrence has begun"
    return "cannot be sent again: the body of its message was deleted" if no_body else None


def _query() -> Any:
    return select(
        deliveries.c.id,
        deliveries.c.message_id,
        deliveries.c.endpoint_id,
        deliveries.c.state,
        deliveries.c.next_at,
        deliveries.c.attempts,
        deliveries.c.settled_at,
        deliveries.c.digest,
        deliveries.c.language,
        messages.c.subject,
        messages.c.text,
        messages.c.at,
    ).join(messages, messages.c.id == deliveries.c.message_id)


def _to_delivery(row: Any) -> DeliveryRow:
    values = row._asdict() | {"text": row.text or ""}
    subject = Subject.model_validate_json(values.pop("subject"))
    return DeliveryRow(**values, type=subject.type, rehearsal=subject.rehearsal)
