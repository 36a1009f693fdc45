"""Deliveries: one message for one endpoint each, and the record of what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, case, func, select

from calfeed.errors import NotFoundError, SealError
from calfeed.model.states import DeliveryState, EndpointState
from calfeed.reminders.filters import Subject
from calfeed.store.json_rows import dump_rows, given_rows
from calfeed.store.notices import announce
from calfeed.store.outbox.claims import Attempt
from calfeed.store.secrets.sealing import Keyring, Places, keyring_of
from calfeed.store.tables import attempts, deliveries, endpoints, messages
from calfeed.store.transitions import Transition

REFUSED = {
    DeliveryState.PENDING: "is pending",
    DeliveryState.HELD: "is held until its endpoint is resumed",
    DeliveryState.GATHERED: "waits for its digest",
    DeliveryState.DELIVERED: "was delivered",
    DeliveryState.DIGESTED: "was told in a digest",
    DeliveryState.EXPIRED: "came too late to be of use",
    DeliveryState.SUPERSEDED: "says what is no longer true",
    DeliveryState.DROPPED: "has lost its endpoint",
}
"""Why a delivery in each of these states is not sent again, said of it."""

_retry = Transition([DeliveryState.FAILED], DeliveryState.PENDING, DeliveryState.HELD)


@dataclass(frozen=True)
class DeliveryRow:
    """A delivery as kept; times are UTC.

    `at` is when its message was made, `text` what that says in one line, `rehearsal` whether it is
    one of a rehearsal. `next_at` is when a
    pending one may be taken, or when a gathered one's digest goes out.
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


@dataclass
class Retried:
    """What came of asking for deliveries to be sent again, by their numbers.

    `held` are those whose endpoint is not active now; `refused` says of the others why not.
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
    """Deliveries, newest first: of one endpoint, in some states, about events by their UIDs.

    With `since` those that came to their end from then on, and of those still to come the ones
    whose message was made from then on. With `before` those whose number is lower, with `ids`
    those that have one of these, with `message_id` those of one message.
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
    """One delivery. Raises NotFoundError where there is none."""
    row = connection.execute(_query().where(deliveries.c.id == delivery_id)).one_or_none()
    if row is None:
        raise _not_found(delivery_id)
    return _to_delivery(row)


def next_pending(connection: Connection) -> datetime | None:
    """When the next delivery may be claimed."""
    query = select(func.min(deliveries.c.next_at)).where(
        deliveries.c.state == DeliveryState.PENDING
    )
    found: datetime | None = connection.scalar(query)
    return found


def load_attempts(connection: Connection, delivery_id: int) -> list[Attempt]:
    """The attempts of a delivery, first to last."""
    query = select(attempts).where(attempts.c.delivery_id == delivery_id)
    rows = connection.execute(query.order_by(attempts.c.at, attempts.c.claim))
    keys = keyring_of(connection)
    return [
        Attempt(
            row.delivery_id,
            row.claim,
            row.at,
            row.milliseconds,
            row.status,
            row.error,
            _open_response(keys, row),
        )
        for row in rows
    ]


_responses = Places(attempts.c.response)


def _open_response(keys: Keyring, row: Any) -> str:
    try:
        return keys.open(_responses.of(row.delivery_id, row.claim), row.response or "")
    except SealError as error:
        return f"(cannot be read: {error})"


def list_failed(connection: Connection, endpoint_id: str, since: datetime) -> list[int]:
    """The numbers of an endpoint's deliveries that ended in vain from `since` on, oldest first."""
    query = select(deliveries.c.id).where(
        deliveries.c.endpoint_id == endpoint_id,
        deliveries.c.state.in_([DeliveryState.FAILED, DeliveryState.EXPIRED]),
        deliveries.c.settled_at >= since,
    )
    return list(connection.scalars(query.order_by(deliveries.c.id)))


def retry(connection: Connection, ids: Sequence[int], now: datetime) -> Retried:
    """Make deliveries that were given up pending again, with all their attempts.

    Others are not touched: what was superseded is not true any more, what expired is of no use,
    what was dropped has no endpoint, and a message whose body is no longer kept cannot be sent.
    Raises NotFoundError where one of them is not there.
    """
    rows = given_rows(connection.dialect.name, "wanted", {"id": deliveries.c.id.type})
    columns = (deliveries.c.id, deliveries.c.state, messages.c.until, messages.c.body.is_(None))
    query = (
        select(*columns, endpoints.c.state)
        .join_from(deliveries, rows, rows.c.id == deliveries.c.id)
        .join(messages, messages.c.id == deliveries.c.message_id)
        .join(endpoints, endpoints.c.id == deliveries.c.endpoint_id)
        .order_by(deliveries.c.id)
        # Of the message too: its body must not be forgotten before this is done.
        .with_for_update(of=[messages, deliveries])
    )
    wanted = dump_rows([{"id": number} for number in dict.fromkeys(ids)])
    done = Retried()
    for number, state, until, bare, standing in connection.execute(query, {"wanted": wanted}):
        if reason := _refuse(state, until is not None and until <= now, bare, standing):
            done.refused[number] = reason
        elif standing is EndpointState.ACTIVE:
            done.pending.append(number)
        else:
            done.held.append(number)
    if strange := sorted(set(ids).difference(done.pending, done.held, done.refused)):
        raise _not_found(strange[0])
    chosen = {"wanted": dump_rows([{"id": number} for number in done.pending + done.held])}
    inactive = select(endpoints.c.id).where(endpoints.c.state != EndpointState.ACTIVE)
    state = case(
        (deliveries.c.endpoint_id.in_(inactive), _retry.write(DeliveryState.HELD)),
        else_=_retry.write(DeliveryState.PENDING),
    )
    connection.execute(
        _retry.update(state)
        .where(deliveries.c.id.in_(select(rows.c.id)))
        .values(next_at=now, attempts=0, settled_at=None),
        chosen,
    )
    announce(connection)
    return done


def count_by_state(connection: Connection) -> dict[DeliveryState, int]:
    """How many deliveries there are in each state."""
    query = select(deliveries.c.state, func.count()).group_by(deliveries.c.state)
    return {row.state: row[1] for row in connection.execute(query)}


def _refuse(state: DeliveryState, over: bool, bare: bool, standing: EndpointState) -> str | None:
    """Why a delivery is not sent again; None where it is."""
    if state is not DeliveryState.FAILED:
        return REFUSED[state]
    if standing is EndpointState.REMOVED:
        return REFUSED[DeliveryState.DROPPED]
    if over:
        return "is of no use any more: what it reminds of has begun"
    return "cannot be sent again: its message's body is no longer kept" if bare else None


def _not_found(delivery_id: int) -> NotFoundError:
    return NotFoundError("delivery", delivery_id)


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
        messages.c.subject,
        messages.c.text,
        messages.c.at,
    ).join(messages, messages.c.id == deliveries.c.message_id)


def _to_delivery(row: Any) -> DeliveryRow:
    subject = Subject.model_validate_json(row.subject)
    return DeliveryRow(
        id=row.id,
        message_id=row.message_id,
        endpoint_id=row.endpoint_id,
        type=subject.type,
        rehearsal=subject.rehearsal,
        text=row.text or "",
        at=row.at,
        state=row.state,
        next_at=row.next_at,
        attempts=row.attempts,
        settled_at=row.settled_at,
        digest=row.digest,
    )
