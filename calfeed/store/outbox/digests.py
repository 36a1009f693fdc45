"""Digests as kept: what is gathered for an endpoint, and what a digest told of.

A gathered delivery waits until its `next_at`. Once a digest has told of it, it is `digested` and
names that digest, which is a message for this endpoint alone with a delivery of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select, update

from calfeed.model.states import UNSETTLED, DeliveryState
from calfeed.reminders.digests import MOST, Told, digest_message
from calfeed.reminders.options import Options
from calfeed.store.secrets.private import ANY, seal_rows
from calfeed.store.tables import deliveries, endpoints, messages, reminders
from calfeed.store.transitions import Transition

_ELSEWHERE = timedelta(hours=1)
"""How long what cannot be read waits for its key."""

_digest = deliveries.alias("of_digest")
_has_digest = (_digest.c.message_id == deliveries.c.digest) & (
    _digest.c.endpoint_id == deliveries.c.endpoint_id
)
# What was given up can be sent again by hand.
_may_be_sent = _digest.c.settled_at.is_(None) | (_digest.c.state == DeliveryState.FAILED)

_settle_gathered = Transition(
    [DeliveryState.GATHERED], DeliveryState.DIGESTED, DeliveryState.EXPIRED
)
_recall = Transition([DeliveryState.DIGESTED], DeliveryState.SUPERSEDED)
_recall_digest = Transition([*UNSETTLED, DeliveryState.FAILED], DeliveryState.SUPERSEDED)
_restore = Transition([DeliveryState.SUPERSEDED], DeliveryState.DIGESTED)
_restore_digest = Transition([DeliveryState.SUPERSEDED], DeliveryState.PENDING)


@dataclass(frozen=True)
class Gathered:
    """A delivery that waits for a digest, and what the digest says of it; `due` is UTC."""

    delivery_id: int
    due: datetime
    told: Told


def next_gathered(connection: Connection) -> datetime | None:
    """When the next digest is to be made."""
    query = select(func.min(deliveries.c.next_at)).where(
        deliveries.c.state == DeliveryState.GATHERED
    )
    found: datetime | None = connection.scalar(query)
    return found


def take_ripe(connection: Connection, now: datetime, limit: int) -> list[tuple[str, Options]]:
    """Endpoints for which a digest is to be made, held by this transaction, and what they ask."""
    ripe = (
        select(deliveries.c.endpoint_id)
        .where(deliveries.c.state == DeliveryState.GATHERED, deliveries.c.next_at <= now)
        .order_by(deliveries.c.next_at)
        .limit(limit)
    )
    rows = connection.execute(
        select(endpoints.c.id, endpoints.c.options)
        .where(endpoints.c.id.in_(ripe))
        .order_by(endpoints.c.id)
        # Deliveries may be made for it meanwhile.
        .with_for_update(skip_locked=True, key_share=True)
    )
    return [(row.id, Options.model_validate_json(row.options)) for row in rows]


def take_gathered(connection: Connection, endpoint_id: str, now: datetime) -> list[Gathered]:
    """What one digest of an endpoint can tell now, first come first, held by this transaction.

    What cannot be read waits for a while.
    """
    query = (
        _tell()
        .where(deliveries.c.endpoint_id == endpoint_id)
        .where(deliveries.c.state == DeliveryState.GATHERED, deliveries.c.next_at <= now)
        .order_by(deliveries.c.next_at, deliveries.c.id)
        .limit(MOST)
        .with_for_update(of=deliveries, skip_locked=True)
    )
    rows = connection.execute(query).all()
    lost = [row.id for row in rows if row.body is None]
    if lost:
        mine = deliveries.c.id.in_(lost)
        connection.execute(update(deliveries).where(mine).values(next_at=now + _ELSEWHERE))
    return [
        Gathered(row.id, row.next_at, _to_told(row, row.digest))
        for row in rows
        if row.body is not None
    ]


def settle_gathered(
    connection: Connection,
    members: Sequence[Gathered],
    state: DeliveryState,
    now: datetime,
    digest: str | None = None,
) -> None:
    """Note what became of deliveries that `take_gathered` gave this transaction."""
    connection.execute(
        _settle_gathered.update(_settle_gathered.write(state))
        .where(deliveries.c.id.in_([one.delivery_id for one in members]))
        .values(settled_at=now, digest=digest)
    )


def postpone(connection: Connection, members: Sequence[Gathered], until: datetime) -> None:
    """Let deliveries that `take_gathered` gave this transaction wait for a later digest."""
    connection.execute(
        update(deliveries)
        .where(deliveries.c.id.in_([one.delivery_id for one in members]))
        .values(next_at=until)
    )


def recall(connection: Connection, which: ColumnElement[bool], now: datetime) -> None:
    """Take deliveries that are no longer to be told out of the digests that have not arrived."""
    left = connection.scalars(
        _recall.update()
        .where(which, select(_digest.c.id).where(_has_digest, _may_be_sent).exists())
        .values(settled_at=now)
        .returning(deliveries.c.digest)
    ).all()
    for digest in sorted(set(left)):
        if not _rewrite(connection, digest):
            connection.execute(
                _recall_digest.update()
                .where(deliveries.c.message_id == digest)
                .values(settled_at=now)
            )


def restore(connection: Connection, message_ids: Select[Any]) -> None:
    """Put reminders that are true again back into the digests that `recall` took them out of.

    Those whose digest has gone without them are left as they are.
    """
    joined = connection.scalars(
        _restore.update()
        .where(deliveries.c.message_id.in_(message_ids))
        .where(
            select(_digest.c.id)
            .where(_has_digest, _may_be_sent | (_digest.c.state == DeliveryState.SUPERSEDED))
            .exists()
        )
        .returning(deliveries.c.digest)
    ).all()
    for digest in sorted(set(joined)):
        _rewrite(connection, digest)
        connection.execute(
            _restore_digest.update()
            .where(deliveries.c.message_id == digest)
            .values(attempts=0, settled_at=None)
        )


def _rewrite(connection: Connection, digest: str) -> bool:
    """Write a digest anew after its members; False where nothing is left to tell."""
    # By its endpoint, which has an index.
    query = _tell().join(_digest, _has_digest)
    query = query.where(
        _digest.c.message_id == digest, deliveries.c.state == DeliveryState.DIGESTED
    )
    # A digest can be so old that bodies are no longer kept.
    kept = query.where(messages.c.body.is_not(None))
    told = [_to_told(row) for row in connection.execute(kept) if row.body is not None]
    if not told:
        return False
    own = messages.c.id == digest
    at = connection.execute(select(messages.c.at).where(own)).scalar_one()
    message = digest_message(digest, told, at)
    values = {"id": digest, "body": message.body, "text": message.text, "until": message.until}
    (sealed,) = seal_rows(connection, messages, [values], [(ANY,)])
    connection.execute(update(messages).where(own).values(sealed))
    return True


def _tell() -> Select[Any]:
    return (
        select(
            deliveries.c.id,
            deliveries.c.next_at,
            deliveries.c.message_id,
            deliveries.c.digest,
            messages.c.body,
            messages.c.until,
            reminders.c.begins,
        )
        .join(messages, messages.c.id == deliveries.c.message_id)
        .join(reminders, reminders.c.key == messages.c.reminder)
    )


def _to_told(row: Any, digest: str | None = None) -> Told:
    return Told(row.message_id, bytes(row.body), row.begins, row.until, digest)
