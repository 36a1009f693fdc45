"""The history of events: published changes, reminders, sent messages and their receipts.

It is read from the ledger and the outbox, so it covers events whose definitions are gone. The
number of statements does not depend on the number of rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Integer, case, func, or_, select, type_coerce

from calfeed.errors import NotFoundError, SealError
from calfeed.ical.comparison.changes import EventChange, Kind, compare_revisions
from calfeed.model.revision import ComparableRevision, Revision, read_comparable
from calfeed.model.states import DeliveryState, EndpointKind, ReminderState
from calfeed.reminders.filters import Subject
from calfeed.store.catalog.publishes import Author
from calfeed.store.columns import Instant
from calfeed.store.outbox.reminders import load_reminders
from calfeed.store.people.records import name_person
from calfeed.store.rows import ReminderRow
from calfeed.store.secrets.private_columns import is_sealed, raw
from calfeed.store.secrets.sealing import Keyring, Places, keyring_of
from calfeed.store.tables import (
    attempts,
    deliveries,
    endpoints,
    messages,
    people,
    publishes,
    reminders,
    revisions,
)

REMINDER_OUTCOMES = {
    ReminderState.PLANNED: "due, and not sent yet",
    ReminderState.MISSED: "missed: it was found due only after its occurrence had begun",
    ReminderState.COLLAPSED: "collapsed: a reminder nearer to the date was sent in its place",
    ReminderState.WITHDRAWN: "withdrawn: its event changed before it was due",
    ReminderState.RECALLED: "recalled: its event changed after it was sent",
}
"""The outcome of a reminder, by its state; a sent one has a message with receipts."""


@dataclass(frozen=True)
class Receipt:
    """The result of one message for one endpoint; times are UTC.

    `received_at` is when the first successful response arrived. For a message in a digest,
    `attempts` and `received_at` are those of the digest, whose message id is `digest`. The URL is
    empty if the endpoint was removed, if its key is missing, or if the receiver is a person. The
    description of a person has the start of the hash of the address.
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
    kind: EndpointKind = EndpointKind.WEBHOOK


@dataclass(frozen=True)
class SentMessage:
    """A message with a receipt for each of its endpoints.

    `complete` is False until fan-out has made all its deliveries.
    """

    id: str
    type: str
    at: datetime
    text: str
    reminder: str | None
    complete: bool
    receipts: tuple[Receipt, ...]


@dataclass(frozen=True)
class PublishedChange:
    """A published change of an event: when (UTC) and by whom it was published."""

    at: datetime
    change: EventChange
    author: Author

    @property
    def kind(self) -> str:
        """The kind of the change."""
        return self.change.kind.value

    @property
    def revision(self) -> Revision:
        """The revision after the change."""
        return self.change.after


@dataclass(frozen=True)
class FiredReminder:
    """A due reminder, with the revision of the event at that time and the message, if any."""

    reminder: ReminderRow
    revision: Revision
    message: SentMessage | None


@dataclass(frozen=True)
class History:
    """The history of one event, each list in chronological order."""

    changes: tuple[PublishedChange, ...]
    reminders: tuple[ReminderRow, ...]
    messages: tuple[SentMessage, ...]


def find_uids(connection: Connection, name: str) -> list[str]:
    """Find the UIDs that an event, named `calendar/event`, was ever published with; usually one.

    They are read from the ledger, which includes withdrawn events. Raises NotFoundError if there
    never was such an event.
    """
    calendar, _, slug = name.partition("/")
    query = select(revisions.c.uid, revisions.c.revision).where(
        revisions.c.calendar == calendar,
        is_sealed(revisions.c.revision)
        | raw(revisions.c.revision).contains(f'"slug":"{slug}"', autoescape=True),
    )
    uids = {
        row.uid
        for row in connection.execute(query)
        if row.revision is not None
        and Revision.model_validate_json(row.revision).event.slug == slug
    }
    if not uids:
        advice = "write CALENDAR/EVENT: the name of its definition file, and its key in that file"
        raise NotFoundError("event", name, advice, verb="never was an")
    return sorted(uids)


def load_history(connection: Connection, uids: Sequence[str]) -> History:
    """Load the history of the event with these UIDs."""
    query = _ledger().where(revisions.c.uid.in_(uids))
    return History(
        changes=tuple(_to_published(connection.execute(query))),
        reminders=tuple(load_reminders(connection, uids=uids)),
        messages=tuple(_load_sent(connection, messages.c.uid.in_(uids))),
    )


def load_fired(connection: Connection, begin: datetime, end: datetime) -> list[FiredReminder]:
    """Load the reminders that were due in `begin <= due < end`, by due time, in any state."""
    rows = load_reminders(connection, window=(begin, end))
    within = (reminders.c.due >= begin) & (reminders.c.due < end)
    keys = select(reminders.c.key).where(within)
    sent = {
        message.reminder: message
        for message in _load_sent(connection, messages.c.reminder.in_(keys))
    }
    uids = select(reminders.c.uid).where(within)
    ledger: dict[str, list[Any]] = {}
    for entry in connection.execute(_ledger().where(revisions.c.uid.in_(uids))):
        if entry.revision is not None:
            ledger.setdefault(entry.uid, []).append(entry)
    parsed: dict[Any, Revision] = {}
    fired = []
    for row in rows:
        if row.uid not in ledger:
            continue  # its key is missing
        # The revision at the due time; the event may have been published only after it.
        first, *later = ledger[row.uid]
        entry = next((entry for entry in reversed(later) if entry.at <= row.due), first)
        key = (entry.uid, entry.sequence)
        if key not in parsed:
            parsed[key] = Revision.model_validate_json(entry.revision)
        fired.append(FiredReminder(row, parsed[key], sent.get(row.key)))
    return fired


def _ledger() -> Any:
    """Select the revisions in the ledger that change something: not RENDERED or RESTORED."""
    return (
        select(
            *(revisions.c.uid, revisions.c.sequence, revisions.c.kind, revisions.c.revision),
            *(publishes.c.at, publishes.c.author, publishes.c.command),
        )
        .join(publishes, publishes.c.id == revisions.c.publish_id)
        .where(revisions.c.kind.in_([*Kind]))
        .order_by(publishes.c.at, revisions.c.uid, revisions.c.sequence)
    )


def _to_published(rows: Iterable[Any]) -> Iterator[PublishedChange]:
    """Convert revisions, in order, to changes from the previous revision of the same event."""
    last: dict[str, ComparableRevision] = {}
    for row in rows:
        if row.revision is None:
            continue  # its key is missing
        written = read_comparable(row.revision)
        change = compare_revisions(last.get(row.uid), written)
        last[row.uid] = written
        change = replace(change, kind=Kind(row.kind))
        yield PublishedChange(row.at, change, Author(row.author, row.command))


def _load_sent(connection: Connection, condition: Any) -> list[SentMessage]:
    """Load the messages that match a condition, oldest first, with their receipts."""
    receipts: dict[str, list[Receipt]] = {}
    keys = keyring_of(connection)
    for row in connection.execute(_select_receipts(condition)):
        message_id, delivery_id, endpoint_id, kind, address_hash, description, url = row[:7]
        if kind is EndpointKind.MAIL:
            description, url = name_person(address_hash), ""
        url = _open_url(keys, endpoint_id, url)
        receipt = Receipt(delivery_id, endpoint_id, description, url, *row[7:])
        receipt = replace(receipt, kind=kind)
        receipts.setdefault(message_id, []).append(receipt)
    query = select(
        *(messages.c.id, messages.c.subject, messages.c.at, messages.c.text, messages.c.reminder),
        messages.c.fanned_out_to.is_(None).label("complete"),
    )
    return [
        SentMessage(
            id=row.id,
            type=Subject.model_validate_json(row.subject).type,
            at=row.at,
            text=row.text or "",
            reminder=row.reminder,
            complete=row.complete,
            receipts=tuple(receipts.get(row.id, ())),
        )
        for row in connection.execute(query.where(condition).order_by(messages.c.at, messages.c.id))
    ]


_urls = Places(endpoints.c.url)


def _open_url(keys: Keyring, endpoint_id: str, sealed: str) -> str:
    try:
        return keys.open(_urls.of(endpoint_id), sealed)
    except SealError:
        return ""


def _select_receipts(condition: Any) -> Any:
    sent, digests = deliveries, deliveries.alias("digests")
    succeeded = attempts.c.error.is_(None) & or_(
        attempts.c.status.is_(None), attempts.c.status.between(200, 299)
    )
    answered = type_coerce(attempts.c.at, Integer) + attempts.c.milliseconds * 1000
    return (
        select(
            *(sent.c.message_id, sent.c.id, sent.c.endpoint_id),
            *(endpoints.c.kind, people.c.address_hash),
            *(endpoints.c.description, endpoints.c.url),
            *(sent.c.state, sent.c.next_at, sent.c.settled_at, sent.c.digest),
            func.count(attempts.c.claim),
            type_coerce(func.min(case((succeeded, answered))), Instant),
        )
        .join(endpoints, endpoints.c.id == sent.c.endpoint_id)
        .outerjoin(people, people.c.endpoint_id == endpoints.c.id)
        .outerjoin(
            digests,
            (digests.c.message_id == sent.c.digest) & (digests.c.endpoint_id == sent.c.endpoint_id),
        )
        # A message in a digest has the attempts of the digest.
        .outerjoin(attempts, attempts.c.delivery_id == func.coalesce(digests.c.id, sent.c.id))
        .where(sent.c.message_id.in_(select(messages.c.id).where(condition)))
        .group_by(sent.c.id, endpoints.c.id, people.c.endpoint_id)
        .order_by(endpoints.c.created, endpoints.c.id, sent.c.id)
    )
