"""Reports: what was published of an event, what fired, and who was told what, when.

They are read from the record, which outlives the definitions and the bodies of messages. However
many rows a report has, it takes the same few statements.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Integer, case, func, or_, select, type_coerce

from calfeed.errors import NotFoundError, SealError
from calfeed.ical.changes import EventChange, Kind, compare_revisions
from calfeed.model.revision import ComparableRevision, Revision, read_comparable
from calfeed.model.states import DeliveryState, ReminderState
from calfeed.reminders.filters import Subject
from calfeed.store.catalog.catalog import RENDERED
from calfeed.store.catalog.lineage import RESTORED
from calfeed.store.catalog.publishes import Author
from calfeed.store.columns import Instant
from calfeed.store.outbox.outbox import load_reminders
from calfeed.store.rows import ReminderRow
from calfeed.store.secrets.private_columns import is_sealed, raw
from calfeed.store.secrets.sealing import Keyring, Places, keyring_of
from calfeed.store.tables import (
    attempts,
    deliveries,
    endpoints,
    messages,
    publishes,
    reminders,
    revisions,
)

FATES = {
    ReminderState.PLANNED: "due, and not made into a message yet",
    ReminderState.MISSED: "missed: it was found when what it reminds of had come",
    ReminderState.COLLAPSED: "collapsed: one nearer to the date went out in its place",
    ReminderState.WITHDRAWN: "withdrawn: its event no longer asked for it",
    ReminderState.RECALLED: "recalled: its event changed after it was sent",
}
"""What became of a reminder, by its state; what was sent has a message that tells more."""


@dataclass(frozen=True)
class Receipt:
    """What became of one message for one endpoint; times are UTC.

    `attempts` counts every post there was. `received_at` is when the first good answer came, if
    any did. What was told in a digest has that of the digest, whose message `digest` names. The
    URL is empty where the endpoint was removed, or its key is lost; its description stays.
    """

    delivery_id: int
    endpoint_id: str
    description: str
    url: str = field(repr=False)
    state: DeliveryState
    next_at: datetime
    settled_at: datetime | None
    digest: str | None
    attempts: int
    received_at: datetime | None


@dataclass(frozen=True)
class Told:
    """A message, and what became of it for each endpoint that wanted it.

    `complete` is False while more endpoints are still to get their deliveries.
    """

    id: str
    type: str
    at: datetime
    text: str
    reminder: str | None
    complete: bool
    receipts: tuple[Receipt, ...]


@dataclass(frozen=True)
class Published:
    """A change of an event: from the revision before, when (UTC) and by whom it was published."""

    at: datetime
    change: EventChange
    author: Author

    @property
    def kind(self) -> str:
        """The kind of the change."""
        return self.change.kind.value

    @property
    def revision(self) -> Revision:
        """The revision that it made."""
        return self.change.after


@dataclass(frozen=True)
class Fired:
    """A reminder whose time has come: the event as it was then, and the message if there is one."""

    reminder: ReminderRow
    revision: Revision
    told: Told | None


@dataclass(frozen=True)
class History:
    """All that is known of one event, each list in the order of time."""

    published: tuple[Published, ...]
    reminders: tuple[ReminderRow, ...]
    told: tuple[Told, ...]


def find_uids(connection: Connection, name: str) -> list[str]:
    """The UIDs that an event, named `calendar/event`, was ever published under; mostly one.

    They are found in the ledger, so events that are gone have them too. Raises NotFoundError where
    there never was such an event.
    """
    calendar, _, slug = name.partition("/")
    query = select(revisions.c.uid, revisions.c.revision).where(
        revisions.c.calendar == calendar,
        is_sealed(revisions.c.revision)
        | raw(revisions.c.revision).contains(f'"slug":"{slug}"', autoescape=True),
    )
    found = {
        row.uid
        for row in connection.execute(query)
        if row.revision is not None
        and Revision.model_validate_json(row.revision).event.slug == slug
    }
    if not found:
        right = "write it as CALENDAR/EVENT, as its definition file and its key there are called"
        raise NotFoundError("event", name, right, verb="never was an")
    return sorted(found)


def load_history(connection: Connection, uids: Sequence[str]) -> History:
    """What was published, fired and told of the event with these UIDs."""
    silent = revisions.c.kind.in_([RENDERED, RESTORED])
    query = _ledger().where(revisions.c.uid.in_(uids), ~silent)
    return History(
        published=tuple(_to_published(connection.execute(query))),
        reminders=tuple(load_reminders(connection, uids=uids)),
        told=tuple(_load_told(connection, messages.c.uid.in_(uids))),
    )


def load_fired(connection: Connection, begin: datetime, end: datetime) -> list[Fired]:
    """The reminders that were due in `begin <= due < end`, by due time, whatever became of them."""
    rows = load_reminders(connection, window=(begin, end))
    within = (reminders.c.due >= begin) & (reminders.c.due < end)
    keys = select(reminders.c.key).where(within)
    told = {one.reminder: one for one in _load_told(connection, messages.c.reminder.in_(keys))}
    uids = select(reminders.c.uid).where(within)
    ledger: dict[str, list[Any]] = {}
    for entry in connection.execute(_ledger().where(revisions.c.uid.in_(uids))):
        if entry.revision is None:
            continue
        ledger.setdefault(entry.uid, []).append(entry)
    read: dict[Any, Revision] = {}
    fired = []
    for row in rows:
        if row.uid not in ledger:
            continue  # what cannot be read
        # The event as it was when the reminder was due; a late publish may have come after that.
        first, *later = ledger[row.uid]
        entry = next((one for one in reversed(later) if one.at <= row.due), first)
        place = (entry.uid, entry.sequence)
        if place not in read:
            read[place] = Revision.model_validate_json(entry.revision)
        fired.append(Fired(row, read[place], told.get(row.key)))
    return fired


def _ledger() -> Any:
    """The entries of the ledger that change something."""
    return (
        select(
            *(revisions.c.uid, revisions.c.sequence, revisions.c.kind, revisions.c.revision),
            *(publishes.c.at, publishes.c.author, publishes.c.command),
        )
        .join(publishes, publishes.c.id == revisions.c.publish_id)
        .where(revisions.c.kind.in_([*Kind]))
        .order_by(publishes.c.at, revisions.c.uid, revisions.c.sequence)
    )


def _to_published(rows: Iterable[Any]) -> Iterator[Published]:
    """Entries of the ledger in their order, each as a change from the one before of its event."""
    last: dict[str, ComparableRevision] = {}
    for row in rows:
        if row.revision is None:
            continue  # it cannot be read
        written = read_comparable(row.revision)
        found = compare_revisions(last.get(row.uid), written)
        last[row.uid] = written
        change = replace(found, kind=Kind(row.kind))
        yield Published(row.at, change, Author(row.author, row.command))


def _load_told(connection: Connection, which: Any) -> list[Told]:
    """Messages by a condition on them, oldest first, each with its deliveries by endpoint."""
    receipts: dict[str, list[Receipt]] = {}
    keys = keyring_of(connection)
    for message_id, number, endpoint_id, whose, url, *rest in connection.execute(_receipts(which)):
        receipt = Receipt(number, endpoint_id, whose, _open_url(keys, endpoint_id, url), *rest)
        receipts.setdefault(message_id, []).append(receipt)
    query = select(
        *(messages.c.id, messages.c.subject, messages.c.at, messages.c.text, messages.c.reminder),
        messages.c.fanned_out_to.is_(None).label("complete"),
    )
    return [
        Told(
            id=row.id,
            type=Subject.model_validate_json(row.subject).type,
            at=row.at,
            text=row.text or "",
            reminder=row.reminder,
            complete=row.complete,
            receipts=tuple(receipts.get(row.id, ())),
        )
        for row in connection.execute(query.where(which).order_by(messages.c.at, messages.c.id))
    ]


_urls = Places(endpoints.c.url)


def _open_url(keys: Keyring, endpoint_id: str, sealed: str) -> str:
    try:
        return keys.open(_urls.of(endpoint_id), sealed)
    except SealError:
        return ""


def _receipts(which: Any) -> Any:
    told, digests = deliveries, deliveries.alias("digests")
    good = attempts.c.error.is_(None) & or_(
        attempts.c.status.is_(None), attempts.c.status.between(200, 299)
    )
    answered = type_coerce(attempts.c.at, Integer) + attempts.c.milliseconds * 1000
    return (
        select(
            *(told.c.message_id, told.c.id, told.c.endpoint_id),
            *(endpoints.c.description, endpoints.c.url),
            *(told.c.state, told.c.next_at, told.c.settled_at, told.c.digest),
            func.count(attempts.c.claim),
            type_coerce(func.min(case((good, answered))), Instant),
        )
        .join(endpoints, endpoints.c.id == told.c.endpoint_id)
        .outerjoin(
            digests,
            (digests.c.message_id == told.c.digest) & (digests.c.endpoint_id == told.c.endpoint_id),
        )
        # What went out in a digest was posted as the digest.
        .outerjoin(attempts, attempts.c.delivery_id == func.coalesce(digests.c.id, told.c.id))
        .where(told.c.message_id.in_(select(messages.c.id).where(which)))
        .group_by(told.c.id, endpoints.c.id)
        .order_by(endpoints.c.created, endpoints.c.id, told.c.id)
    )
