"""Delivery leases: claim, renew, settle and release deliveries, and record attempts.

A pending delivery can be claimed once its `next_at` has come. The claim moves `next_at` to the end
of the lease. If a worker dies, its lease runs out and another worker claims the delivery.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Integer,
    bindparam,
    select,
    true,
    update,
)

from calfeed.errors import KeyFileError
from calfeed.model.states import DeliveryState
from calfeed.store.bulk_parameters import bulk_rows, dump_rows
from calfeed.store.secrets.sealing import Keyring, Places, keyring_of
from calfeed.store.tables import attempts, deliveries
from calfeed.store.transitions import Transition, state_literal
from calfeed.store.upsert import insert_new

_responses = Places(attempts.c.response)

LEASE = timedelta(seconds=30)
"""How long a claim keeps a delivery from other workers, unless it is renewed."""

# A literal, because a cached plan can use the partial index only for a literal state.
_is_pending = deliveries.c.state == state_literal(DeliveryState.PENDING)

# For rows that are looked up by id. With a condition on `state`, PostgreSQL may read every pending
# row instead of using the primary key.
_is_unsettled = deliveries.c.settled_at.is_(None)

# A claimed delivery is held if its endpoint was paused after the claim. It is never gathered.
_CLAIMED = (DeliveryState.PENDING, DeliveryState.HELD)
_settle = Transition(
    _CLAIMED,
    *(DeliveryState.DELIVERED, DeliveryState.FAILED),
    *(DeliveryState.EXPIRED, DeliveryState.DROPPED),
)
_hold = Transition(_CLAIMED, DeliveryState.HELD)


class Claim(NamedTuple):
    """A claimed delivery. `number` increases with each claim of the delivery.

    `language` is the translation that it sends, None for the message as it is.
    """

    delivery_id: int
    number: int
    message_id: str
    endpoint_id: str
    attempts: int
    language: str | None = None


class Attempt(NamedTuple):
    """One attempt and its result; `at` is when it began (UTC)."""

    delivery_id: int
    claim: int
    at: datetime
    milliseconds: int
    status: int | None
    error: str | None
    response: str


def claim(connection: Connection, now: datetime, limit: int) -> list[Claim]:
    """Claim up to `limit` due deliveries, longest-waiting first.

    They are returned in the order in which they were created.
    """
    values = {"now": now, "most": limit, "lease": now + LEASE}
    return sorted(map(Claim._make, connection.execute(_claim_due(connection.dialect.name), values)))


def claim_by_id(connection: Connection, delivery_id: int, now: datetime) -> list[Claim]:
    """Claim one delivery if it is pending."""
    statement = _claim(deliveries.c.id == delivery_id)
    pending = statement.where(deliveries.c.state == DeliveryState.PENDING)
    return [Claim._make(row) for row in connection.execute(pending, {"lease": now + LEASE})]


@cache
def _claim_due(dialect: str) -> Any:
    due = (
        select(deliveries.c.id)
        .where(_is_pending, deliveries.c.next_at <= bindparam("now"))
        .order_by(deliveries.c.next_at)
        .limit(bindparam("most"))
        .with_for_update(skip_locked=True)
    )
    if dialect == "sqlite":
        return _claim(deliveries.c.id.in_(due.scalar_subquery()))
    # PostgreSQL may evaluate a subquery again for each row, and so exceed the limit.
    rows = due.cte("due")
    return _claim(deliveries.c.id.in_(select(rows.c.id)))


def _claim(condition: ColumnElement[bool]) -> Any:
    return (
        update(deliveries)
        .where(condition, _is_unsettled)
        .values(next_at=bindparam("lease"), claim=deliveries.c.claim + 1)
        .returning(
            deliveries.c.id,
            deliveries.c.claim,
            deliveries.c.message_id,
            deliveries.c.endpoint_id,
            deliveries.c.attempts,
            deliveries.c.language,
        )
    )


def renew(connection: Connection, claims: Collection[Claim], now: datetime) -> set[Claim]:
    """Extend leases by `LEASE` from now, and return the claims that are still valid.

    The other deliveries have been settled or claimed by another worker.
    """
    if not claims:
        return set()
    values = {"rows": _dump_claims(claims), "lease": now + LEASE}
    renewed = set(connection.scalars(_renew(connection.dialect.name), values))
    return {claim for claim in claims if claim.delivery_id in renewed}


@cache
def _renew(dialect: str) -> Any:
    renewal = update(deliveries).where(_is_owned(_bulk_claims(dialect)))
    return renewal.values(next_at=bindparam("lease")).returning(deliveries.c.id)


def record_attempts(connection: Connection, made: Sequence[Attempt]) -> None:
    """Record attempts, including those of claims that are no longer valid."""
    if made:
        keys = keyring_of(connection)
        rows = [attempt._asdict() | {"response": _seal(keys, attempt)} for attempt in made]
        names, source = _select_attempts(connection.dialect.name)
        statement = insert_new(connection, attempts).from_select(names, source)
        connection.execute(statement, {"made": dump_rows(rows)})


def _seal(keys: Keyring, attempt: Attempt) -> str | None:
    place = _responses.of(attempt.delivery_id, attempt.claim)
    try:
        return keys.seal(place, attempt.response) or None
    except KeyFileError:
        return None  # the key is missing: record the attempt without its response


@cache
def _select_attempts(dialect: str) -> tuple[list[str], Any]:
    types = {column.name: column.type for column in attempts.columns}
    # Without a WHERE, SQLite reads the ON of ON CONFLICT as the condition of a join.
    return list(types), select(bulk_rows(dialect, "made", types)).where(true())


def settle(
    connection: Connection,
    claims: Sequence[Claim],
    state: DeliveryState,
    now: datetime,
    *,
    attempted: bool = True,
) -> None:
    """Write the final state of deliveries whose claims are still valid."""
    if claims:
        values = {"rows": _dump_claims(claims), "to": _settle.to(state), "at": now}
        values["made"] = int(attempted)
        connection.execute(_settle_claims(connection.dialect.name), values)


@cache
def _settle_claims(dialect: str) -> Any:
    return _settle.update(bindparam("to"), where=_is_owned(_bulk_claims(dialect))).values(
        settled_at=bindparam("at"),
        attempts=deliveries.c.attempts + bindparam("made"),
    )


def schedule_retries(connection: Connection, until: Mapping[Claim, datetime]) -> None:
    """Release deliveries after a failed attempt, to be attempted again at the given times."""
    _release(connection, until, made=1)


def release(connection: Connection, until: Mapping[Claim, datetime]) -> None:
    """Release deliveries that were not attempted, to be claimed again at the given times."""
    _release(connection, until)


def defer(connection: Connection, until: Mapping[Claim, datetime]) -> None:
    """Undo claims that were made in this transaction, to be made again at the given times.

    No other transaction has seen these claims, so their numbers can be reused.
    """
    _release(connection, until, claimed=0)


def _release(
    connection: Connection, until: Mapping[Claim, datetime], *, made: int = 0, claimed: int = 1
) -> None:
    if until:
        # Absolute values make this idempotent: if the connection breaks during the commit, the
        # outcome is unknown and the same release is written again.
        rows = [
            {
                "id": claim.delivery_id,
                "claim": claim.number,
                "at": at,
                "attempts": claim.attempts + made,
                "number": claim.number - 1 + claimed,
            }
            for claim, at in until.items()
        ]
        connection.execute(_release_claims(connection.dialect.name), {"rows": dump_rows(rows)})


@cache
def _release_claims(dialect: str) -> Any:
    types = {"at": deliveries.c.next_at.type, "attempts": Integer(), "number": Integer()}
    rows = bulk_rows(dialect, "rows", _CLAIM_TYPES | types)
    values = {"next_at": rows.c.at, "attempts": rows.c.attempts, "claim": rows.c.number}
    return update(deliveries).where(_is_owned(rows)).values(values)


def hold(connection: Connection, claims: Sequence[Claim]) -> None:
    """Hold deliveries until their endpoint is resumed."""
    if claims:
        statement = _hold_claims(connection.dialect.name)
        connection.execute(statement, {"rows": _dump_claims(claims)})


@cache
def _hold_claims(dialect: str) -> Any:
    return _hold.update(where=_is_owned(_bulk_claims(dialect)))


_CLAIM_TYPES: dict[str, Any] = {"id": deliveries.c.id.type, "claim": Integer()}


def _dump_claims(claims: Collection[Claim]) -> str:
    return dump_rows([{"id": claim.delivery_id, "claim": claim.number} for claim in claims])


def _bulk_claims(dialect: str) -> FromClause:
    return bulk_rows(dialect, "rows", _CLAIM_TYPES)


def _is_owned(rows: FromClause) -> ColumnElement[bool]:
    """Whether a claim is still valid: not settled, and not claimed again by another worker."""
    is_latest = (deliveries.c.id == rows.c.id) & (deliveries.c.claim == rows.c.claim)
    return is_latest & _is_unsettled
