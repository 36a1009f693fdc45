"""Sign-ups that wait for a worker, and the requests that were made from them.

A sign-up is stored without any look-up of its address, so that neither the response nor its time
depends on the address.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, case, delete, func, select, update

from calfeed.errors import SealError
from calfeed.reminders.following.choices import Wish
from calfeed.reminders.following.limits import Sent
from calfeed.store.notices import notify_listeners
from calfeed.store.people.tables import follow_requests, people, people_keys, sign_ups
from calfeed.store.secrets.sealing import Places, keyring_of

MAX_WAITING = 5_000
"""The maximum number of waiting sign-ups.

If this many wait, a new sign-up deletes some of the oldest ones of the network with the most.
"""

_addresses = Places(sign_ups.c.address)
_waiting = sign_ups.c


@dataclass(frozen=True)
class SignUp:
    """A sign-up of an address, at `at` (UTC); `origin` is a keyed hash of its network.

    `hash` is the keyed hash of the address in its normal form.
    """

    id: str
    address: str = field(repr=False)
    hash: str
    origin: str
    wish: Wish
    at: datetime


class SignUpKey(NamedTuple):
    """The identity of a sign-up, without its address and wish."""

    id: str
    hash: str
    origin: str
    at: datetime


@dataclass(frozen=True)
class FollowRequest:
    """The request of an address; a mail about it was last sent at `mailed_at` (UTC).

    `wish` is None once the request is confirmed.
    """

    id: str
    hash: str
    origin: str
    wish: Wish | None
    mailed_at: datetime


def add_sign_up(connection: Connection, sign_up: SignUp) -> None:
    """Store a sign-up for a worker.

    If `MAX_WAITING` are waiting, some of the oldest ones of the network with the most are deleted.
    """
    if int(connection.scalar(select(func.count()).select_from(sign_ups)) or 0) >= MAX_WAITING:
        _evict(connection)
    connection.execute(
        sign_ups.insert().values(
            id=sign_up.id,
            address=keyring_of(connection).seal(_addresses.of(sign_up.id), sign_up.address),
            address_hash=sign_up.hash,
            origin=sign_up.origin,
            wish=sign_up.wish.model_dump_json(exclude_defaults=True),
            at=sign_up.at,
            ready_at=sign_up.at,
        )
    )
    notify_listeners(connection)


def _evict(connection: Connection) -> None:
    """Delete some of the oldest sign-ups of the network that has the most sign-ups."""
    largest = select(_waiting.origin).group_by(_waiting.origin).order_by(func.count().desc())
    oldest = (
        select(_waiting.id)
        .where(_waiting.origin == largest.limit(1).scalar_subquery())
        .order_by(_waiting.at)
        .limit(max(1, MAX_WAITING // 250))
    )
    connection.execute(delete(sign_ups).where(_waiting.id.in_(oldest.scalar_subquery())))


def next_sign_up(connection: Connection) -> datetime | None:
    """Return when the next sign-up is to be processed (UTC), or None."""
    ready_at: datetime | None = connection.scalar(select(func.min(_waiting.ready_at)))
    return ready_at


def lock_sign_ups(connection: Connection, now: datetime) -> list[SignUpKey]:
    """List the sign-ups that are ready, oldest first; no other worker gets them meanwhile."""
    mutex = select(people_keys.c.id).with_for_update(skip_locked=True)
    if connection.execute(mutex).first() is None:
        return []
    query = select(_waiting.id, _waiting.address_hash, _waiting.origin, _waiting.at)
    rows = connection.execute(query.where(_waiting.ready_at <= now).order_by(_waiting.at))
    return [SignUpKey(*row) for row in rows]


def load_sign_ups(connection: Connection, ids: Collection[str]) -> list[SignUp]:
    """Load sign-ups, oldest first, without those whose address cannot be decrypted."""
    keys = keyring_of(connection)
    query = select(sign_ups).where(_waiting.id.in_(ids)).order_by(_waiting.at, _waiting.id)
    found = []
    for row in connection.execute(query):
        with suppress(SealError):
            address = keys.open(_addresses.of(row.id), row.address)
            wish = Wish.model_validate_json(row.wish)
            found.append(SignUp(row.id, address, row.address_hash, row.origin, wish, row.at))
    return found


def put_off(connection: Connection, ids: Collection[str], until: datetime) -> None:
    """Postpone sign-ups to a later time."""
    statement = update(sign_ups).where(_waiting.id.in_(ids)).values(ready_at=until)
    if ids:
        connection.execute(statement)


def delete_sign_ups(connection: Connection, ids: Collection[str]) -> None:
    """Delete sign-ups that are settled."""
    connection.execute(delete(sign_ups).where(_waiting.id.in_(ids)))


def count_sent(connection: Connection, now: datetime) -> dict[str, Sent]:
    """Count the mails of the last day and the last minute, by network."""
    mailed = follow_requests.c.mailed_at
    recent = func.sum(case((mailed > now - timedelta(minutes=1), 1), else_=0))
    query = select(follow_requests.c.origin, func.count(), recent)
    rows = connection.execute(
        query.where(mailed > now - timedelta(days=1)).group_by(follow_requests.c.origin)
    )
    return {origin: Sent(day, int(minute)) for origin, day, minute in rows}


def load_requests(connection: Connection, now: datetime) -> dict[str, FollowRequest]:
    """Load the requests of the addresses whose sign-ups are ready, by the address's hash."""
    ready = select(_waiting.address_hash).where(_waiting.ready_at <= now)
    query = select(follow_requests).where(follow_requests.c.address_hash.in_(ready))
    return {row.address_hash: _to_request(row) for row in connection.execute(query)}


def find_request(
    connection: Connection, request_id: str, *, lock: bool = False
) -> FollowRequest | None:
    """Find a request; with `lock`, keep others from changing it in this transaction."""
    query = select(follow_requests).where(follow_requests.c.id == request_id)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    return None if row is None else _to_request(row)


def save_request(connection: Connection, request: FollowRequest) -> None:
    """Store a request in the place of an earlier one of the same address."""
    same = follow_requests.c.address_hash == request.hash
    connection.execute(delete(follow_requests).where(same))
    connection.execute(
        follow_requests.insert().values(
            id=request.id,
            address_hash=request.hash,
            origin=request.origin,
            wish=None if request.wish is None else request.wish.model_dump_json(),
            mailed_at=request.mailed_at,
        )
    )


def forget_sign_ups(connection: Connection, address_hash: str) -> None:
    """Delete the unconfirmed sign-ups and requests of an address."""
    connection.execute(delete(sign_ups).where(_waiting.address_hash == address_hash))
    same = follow_requests.c.address_hash == address_hash
    connection.execute(update(follow_requests).where(same).values(wish=None))


def list_unconfirmed(connection: Connection, since: datetime, limit: int) -> Sequence[str]:
    """List the endpoints of people who were mailed at `since` or earlier and did not confirm."""
    recent = select(follow_requests.c.address_hash).where(follow_requests.c.mailed_at > since)
    query = select(people.c.endpoint_id).where(
        people.c.confirmed_at.is_(None),
        people.c.left_at.is_(None),
        people.c.address_hash.not_in(recent),
    )
    return connection.scalars(query.order_by(people.c.asked_at).limit(limit)).all()


def delete_old_requests(connection: Connection, since: datetime) -> None:
    """Delete requests that were mailed at `since` or earlier, and sign-ups from that time."""
    connection.execute(delete(follow_requests).where(follow_requests.c.mailed_at <= since))
    connection.execute(delete(sign_ups).where(_waiting.at <= since))


def _to_request(row: Any) -> FollowRequest:
    wish = None if row.wish is None else Wish.model_validate_json(row.wish)
    return FollowRequest(row.id, row.address_hash, row.origin, wish, row.mailed_at)
