"""Claims: deliveries in a worker's hands, under a lease, and what becomes of them.

A pending delivery whose `next_at` has come may be claimed; claiming puts `next_at` past the
attempt. So a worker that dies gives its deliveries back by doing nothing.
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
    String,
    bindparam,
    select,
    true,
    update,
)

from calfeed.errors import KeyFileError
from calfeed.model.states import DeliveryState
from calfeed.reminders.filters import Subject
from calfeed.store.json_rows import dump_rows, given_rows
from calfeed.store.secrets.sealing import Keyring, Places, keyring_of
from calfeed.store.tables import attempts, deliveries, messages
from calfeed.store.transitions import Transition, written
from calfeed.store.upsert import insert_new

_responses = Places(attempts.c.response)

LEASE = timedelta(seconds=30)
"""How long a claim keeps a delivery from other workers, unless it is renewed meanwhile."""

# Written out, not given: only so a plan that is kept can use the index of what is pending.
_pending = deliveries.c.state == written(DeliveryState.PENDING)

# The same, for rows that are found by their number: with `state` PostgreSQL may think that
# reading all that is pending is the shorter way.
_unsettled = deliveries.c.settled_at.is_(None)

# One is held where its endpoint was paused after it was claimed. None that is claimed is gathered.
_CLAIMED = (DeliveryState.PENDING, DeliveryState.HELD)
_settle = Transition(
    _CLAIMED,
    *(DeliveryState.DELIVERED, DeliveryState.FAILED),
    *(DeliveryState.EXPIRED, DeliveryState.DROPPED),
)
_hold = Transition(_CLAIMED, DeliveryState.HELD)


class Claim(NamedTuple):
    """A delivery in this process's hands; `number` tells its claim from any later one."""

    delivery_id: int
    number: int
    message_id: str
    endpoint_id: str
    attempts: int


class Attempt(NamedTuple):
    """One post and what came of it; `at` is when it began (UTC)."""

    delivery_id: int
    claim: int
    at: datetime
    milliseconds: int
    status: int | None
    error: str | None
    response: str


class StoredMessage(NamedTuple):
    """A message's bytes, empty once they are no longer kept, until when they matter, and whether
    it is a test of its endpoint. `lost` says that they are kept, and cannot be read."""

    body: bytes
    until: datetime | None
    is_test: bool = False
    lost: bool = False

    def matters(self, now: datetime) -> bool:
        """Whether it is still to be sent."""
        return (bool(self.body) or self.lost) and (self.until is None or self.until > now)


def claim(connection: Connection, now: datetime, limit: int) -> list[Claim]:
    """Claim up to `limit` deliveries whose time has come, those that waited longest.

    They are in the order in which they were made: what was said first has the first turns.
    """
    given = {"now": now, "most": limit, "lease": now + LEASE}
    return sorted(map(Claim._make, connection.execute(_claiming(), given)))


def claim_one(connection: Connection, delivery_id: int, now: datetime) -> list[Claim]:
    """Claim one delivery by its number, if it is pending."""
    one = _claim(delivery_id).where(deliveries.c.state == DeliveryState.PENDING)
    return [Claim._make(row) for row in connection.execute(one, {"lease": now + LEASE})]


@cache
def _claiming() -> Any:
    ripe = (
        select(deliveries.c.id)
        .where(_pending, deliveries.c.next_at <= bindparam("now"))
        .order_by(deliveries.c.next_at)
        .limit(bindparam("most"))
        .with_for_update(skip_locked=True)
    )
    return _claim(ripe.scalar_subquery())


def _claim(ids: Any) -> Any:
    which = deliveries.c.id == ids if isinstance(ids, int) else deliveries.c.id.in_(ids)
    return (
        update(deliveries)
        .where(which, _unsettled)
        .values(next_at=bindparam("lease"), claim=deliveries.c.claim + 1)
        .returning(
            deliveries.c.id,
            deliveries.c.claim,
            deliveries.c.message_id,
            deliveries.c.endpoint_id,
            deliveries.c.attempts,
        )
    )


def renew(connection: Connection, claims: Collection[Claim], now: datetime) -> set[Claim]:
    """Keep deliveries from other workers for another `LEASE`, and return which.

    The others are settled by now, as those that are no longer true, or another worker's.
    """
    if not claims:
        return set()
    rows = [{"id": one.delivery_id, "claim": one.number} for one in claims]
    given = {"rows": dump_rows(rows), "lease": now + LEASE}
    kept = set(connection.scalars(_renewing(connection.dialect.name), given))
    return {one for one in claims if one.delivery_id in kept}


@cache
def _renewing(dialect: str) -> Any:
    rows = given_rows(dialect, "rows", {"id": deliveries.c.id.type, "claim": Integer()})
    renewing = update(deliveries).where(_mine(rows)).values(next_at=bindparam("lease"))
    return renewing.returning(deliveries.c.id)


def load_messages(connection: Connection, ids: Sequence[str]) -> dict[str, StoredMessage]:
    """Messages by id."""
    given = {"ids": dump_rows([{"id": message_id} for message_id in set(ids)])}
    rows = connection.execute(_loading(connection.dialect.name), given).all()
    return {
        key: StoredMessage(
            bytes(body or b""),
            until,
            is_test=_type_of(subject) == "endpoint.test",
            lost=kept and body is None,
        )
        for key, body, until, subject, kept in rows
    }


def _type_of(subject: str) -> str:
    return Subject.model_validate_json(subject).type


@cache
def _loading(dialect: str) -> Any:
    wanted = given_rows(dialect, "ids", {"id": String(40)})
    kept = messages.c.body.is_not(None)
    query = select(messages.c.id, messages.c.body, messages.c.until, messages.c.subject, kept)
    # As text, PostgreSQL writes bytes in hexadecimal digits, twice as many.
    binary = query.execution_options(calfeed_binary=True)
    return binary.where(messages.c.id.in_(select(wanted.c.id)))


def record_attempts(connection: Connection, made: Sequence[Attempt]) -> None:
    """Keep attempts. They happened, whoever holds the delivery by now."""
    if made:
        keys = keyring_of(connection)
        rows = [
            {
                "delivery_id": attempt.delivery_id,
                "claim": attempt.claim,
                "at": attempt.at,
                "milliseconds": attempt.milliseconds,
                "status": attempt.status,
                "error": attempt.error,
                "response": _seal_response(keys, attempt),
            }
            for attempt in made
        ]
        names, source = _recording(connection.dialect.name)
        statement = insert_new(connection, attempts).from_select(names, source)
        connection.execute(statement, {"made": dump_rows(rows)})


def _seal_response(keys: Keyring, one: Attempt) -> str | None:
    try:
        return keys.seal(_responses.of(one.delivery_id, one.claim), one.response) or None
    except KeyFileError:
        return None  # that there was an answer is worth more than what it said


@cache
def _recording(dialect: str) -> tuple[list[str], Any]:
    kinds = {each.name: each.type for each in attempts.columns}
    # SQLite takes ON CONFLICT for a join's condition where a SELECT has no WHERE before it.
    return list(kinds), select(given_rows(dialect, "made", kinds)).where(true())


def settle(
    connection: Connection,
    claims: Sequence[Claim],
    state: DeliveryState,
    now: datetime,
    *,
    attempted: bool = True,
) -> None:
    """Bring deliveries to their end, those of them that are still this process's."""
    if claims:
        ends = [{"id": one.delivery_id, "claim": one.number} for one in claims]
        given = {"ends": dump_rows(ends), "to": _settle.to(state), "at": now}
        given["made"] = int(attempted)
        connection.execute(_settling(connection.dialect.name), given)


@cache
def _settling(dialect: str) -> Any:
    ends = given_rows(dialect, "ends", {"id": deliveries.c.id.type, "claim": Integer()})
    return _settle.update(bindparam("to"), where=_mine(ends)).values(
        settled_at=bindparam("at"),
        attempts=deliveries.c.attempts + bindparam("made"),
    )


def put_off(connection: Connection, until: Mapping[Claim, datetime]) -> None:
    """Give deliveries back that were attempted in vain, each to be tried again at its time."""
    _return(connection, until, made=1)


def give_back(connection: Connection, until: Mapping[Claim, datetime]) -> None:
    """Give deliveries back that were not attempted, each to be taken again at its time."""
    _return(connection, until)


def pass_over(connection: Connection, until: Mapping[Claim, datetime]) -> None:
    """Leave deliveries for later that this very transaction has claimed.

    Nobody else has seen the claim, so it never was: its number is the next one's.
    """
    _return(connection, until, claimed=0)


def _return(
    connection: Connection, until: Mapping[Claim, datetime], *, made: int = 0, claimed: int = 1
) -> None:
    if until:
        # Not counted up in the table: whether a commit was made when the connection broke is not
        # known, and the same is recorded once more.
        again = [
            {
                "id": one.delivery_id,
                "claim": one.number,
                "at": at,
                "attempts": one.attempts + made,
                "number": one.number - 1 + claimed,
            }
            for one, at in until.items()
        ]
        connection.execute(_returning(connection.dialect.name), {"again": dump_rows(again)})


@cache
def _returning(dialect: str) -> Any:
    kinds = {
        "id": deliveries.c.id.type,
        "claim": Integer(),
        "at": deliveries.c.next_at.type,
        "attempts": Integer(),
        "number": Integer(),
    }
    again = given_rows(dialect, "again", kinds)
    values = {"next_at": again.c.at, "attempts": again.c.attempts, "claim": again.c.number}
    return update(deliveries).where(_mine(again)).values(values)


def hold(connection: Connection, claims: Sequence[Claim]) -> None:
    """Keep deliveries until their endpoint is resumed."""
    if claims:
        rows = [{"id": one.delivery_id, "claim": one.number} for one in claims]
        connection.execute(_holding(connection.dialect.name), {"rows": dump_rows(rows)})


@cache
def _holding(dialect: str) -> Any:
    rows = given_rows(dialect, "rows", {"id": deliveries.c.id.type, "claim": Integer()})
    return _hold.update(where=_mine(rows))


def _mine(given: FromClause) -> ColumnElement[bool]:
    # A claim that ran out and was taken by another worker is theirs to finish.
    mine = (deliveries.c.id == given.c.id) & (deliveries.c.claim == given.c.claim)
    return mine & _unsettled
