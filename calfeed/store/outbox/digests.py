"""Digests: deliveries gathered for an endpoint, and the digests that contain them.

A gathered delivery waits until its `next_at`. When it becomes part of a digest, its state is
`digested`, and `digest` is the id of the digest's message. That message has a delivery of its own,
for this endpoint only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select, update

from calfeed.model.states import UNSETTLED, DeliveryState
from calfeed.reminders.digests import MAX_ENTRIES, DigestEntry, digest_message
from calfeed.reminders.options import Options
from calfeed.store.secrets.private import ANY_CALENDAR, seal_rows
from calfeed.store.tables import deliveries, endpoints, messages, reminders, translations
from calfeed.store.transitions import Transition

_UNREADABLE_RETRY = timedelta(hours=1)
"""How long a message whose key is missing waits before it is tried again."""

_digest = deliveries.alias("of_digest")
_has_digest = (_digest.c.message_id == deliveries.c.digest) & (
    _digest.c.endpoint_id == deliveries.c.endpoint_id
)
# A failed digest can be retried by hand.
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
    """A delivery that waits for a digest due at `due` (UTC); `member` is its part of the digest."""

    delivery_id: int
    due: datetime
    member: DigestEntry


def next_digest_due(connection: Connection) -> datetime | None:
    """Return when the next digest is due, or None."""
    query = select(func.min(deliveries.c.next_at)).where(
        deliveries.c.state == DeliveryState.GATHERED
    )
    due: datetime | None = connection.scalar(query)
    return due


def lock_due_digests(
    connection: Connection, now: datetime, limit: int
) -> list[tuple[str, Options]]:
    """Lock the endpoints with a digest that is due, and return their ids and options."""
    due = (
        select(deliveries.c.endpoint_id)
        .where(deliveries.c.state == DeliveryState.GATHERED, deliveries.c.next_at <= now)
        .order_by(deliveries.c.next_at)
        .limit(limit)
    )
    rows = connection.execute(
        select(endpoints.c.id, endpoints.c.options)
        .where(endpoints.c.id.in_(due))
        .order_by(endpoints.c.id)
        # A key-share lock still allows fan-out to add deliveries for the endpoint.
        .with_for_update(skip_locked=True, key_share=True)
    )
    return [(row.id, Options.model_validate_json(row.options)) for row in rows]


def lock_gathered(connection: Connection, endpoint_id: str, now: datetime) -> list[Gathered]:
    """Lock and load the deliveries for one digest of an endpoint, earliest first.

    Messages whose key is missing are postponed by `_UNREADABLE_RETRY`.
    """
    query = (
        _select_members()
        .where(deliveries.c.endpoint_id == endpoint_id)
        .where(deliveries.c.state == DeliveryState.GATHERED, deliveries.c.next_at <= now)
        .order_by(deliveries.c.next_at, deliveries.c.id)
        .limit(MAX_ENTRIES)
        .with_for_update(of=deliveries, skip_locked=True)
    )
    rows = connection.execute(query).all()
    if unreadable := [row.id for row in rows if row.body is None]:
        statement = update(deliveries).where(deliveries.c.id.in_(unreadable))
        connection.execute(statement.values(next_at=now + _UNREADABLE_RETRY))
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
    """Write the final state of deliveries that `lock_gathered` returned."""
    connection.execute(
        _settle_gathered.update(_settle_gathered.write(state))
        .where(deliveries.c.id.in_([member.delivery_id for member in members]))
        .values(settled_at=now, digest=digest)
    )


def postpone(connection: Connection, members: Sequence[Gathered], until: datetime) -> None:
    """Postpone deliveries that `lock_gathered` returned to a later digest."""
    connection.execute(
        update(deliveries)
        .where(deliveries.c.id.in_([member.delivery_id for member in members]))
        .values(next_at=until)
    )


def recall_members(connection: Connection, condition: ColumnElement[bool], now: datetime) -> None:
    """Supersede the digested deliveries that match, and remove them from undelivered digests."""
    digests = connection.scalars(
        _recall.update()
        .where(condition, select(_digest.c.id).where(_has_digest, _may_be_sent).exists())
        .values(settled_at=now)
        .returning(deliveries.c.digest)
    ).all()
    for digest in sorted(set(digests)):
        if not _rewrite(connection, digest):
            connection.execute(
                _recall_digest.update()
                .where(deliveries.c.message_id == digest)
                .values(settled_at=now)
            )


def restore_members(connection: Connection, message_ids: Select[Any]) -> None:
    """Put deliveries back into the digests that `recall_members` removed them from.

    Deliveries whose digest has been delivered without them are unchanged.
    """
    digests = connection.scalars(
        _restore.update()
        .where(deliveries.c.message_id.in_(message_ids))
        .where(
            select(_digest.c.id)
            .where(_has_digest, _may_be_sent | (_digest.c.state == DeliveryState.SUPERSEDED))
            .exists()
        )
        .returning(deliveries.c.digest)
    ).all()
    for digest in sorted(set(digests)):
        _rewrite(connection, digest)
        connection.execute(
            _restore_digest.update()
            .where(deliveries.c.message_id == digest)
            .values(attempts=0, settled_at=None)
        )


def _rewrite(connection: Connection, digest: str) -> bool:
    """Write the message of a digest again from its members. Returns False if it has none."""
    # Found through the digest's endpoint, which is indexed.
    query = _select_members().join(_digest, _has_digest)
    query = query.where(
        _digest.c.message_id == digest,
        deliveries.c.state == DeliveryState.DIGESTED,
        messages.c.body.is_not(None),  # retention deletes the bodies of old messages
    )
    members = [_to_told(row) for row in connection.execute(query) if row.body is not None]
    if not members:
        return False
    is_digest = messages.c.id == digest
    at = connection.execute(select(messages.c.at).where(is_digest)).scalar_one()
    message = digest_message(digest, members, at)
    values = {"id": digest, "body": message.body, "text": message.text, "until": message.until}
    (sealed,) = seal_rows(connection, messages, [values], [(ANY_CALENDAR,)])
    connection.execute(update(messages).where(is_digest).values(sealed))
    return True


def _select_members() -> Select[Any]:
    return (
        select(
            deliveries.c.id,
            deliveries.c.next_at,
            deliveries.c.message_id,
            deliveries.c.digest,
            messages.c.body,
            translations.c.body.label("translated"),
            messages.c.until,
            reminders.c.begins,
        )
        .join(messages, messages.c.id == deliveries.c.message_id)
        .join(reminders, reminders.c.key == messages.c.reminder)
        .outerjoin(
            translations,
            (translations.c.message_id == deliveries.c.message_id)
            & (translations.c.language == deliveries.c.language),
        )
    )


def _to_told(row: Any, digest: str | None = None) -> DigestEntry:
    body = bytes(row.translated or row.body)
    return DigestEntry(row.message_id, body, row.begins, row.until, digest)
