"""Messages, before fan-out makes their deliveries."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    LargeBinary,
    String,
    Table,
    Text,
    cast,
    func,
    select,
    true,
    update,
)

from calfeed.model.states import UNSETTLED, DeliveryState
from calfeed.reminders.filters import Subject
from calfeed.reminders.following.messages import SENT_ALWAYS
from calfeed.reminders.messages import Message
from calfeed.store.bulk_parameters import bulk_rows, dump_rows
from calfeed.store.outbox.digests import recall_members
from calfeed.store.secrets.private import seal_rows
from calfeed.store.secrets.private_columns import raw
from calfeed.store.tables import deliveries, messages, translations
from calfeed.store.transitions import Transition
from calfeed.store.upsert import insert_new, insert_row

_URGENT = ("endpoint.test", *SENT_ALWAYS)

_add = Transition([None], DeliveryState.PENDING)
_supersede = Transition([*UNSETTLED, DeliveryState.FAILED], DeliveryState.SUPERSEDED)


class StoredMessage(NamedTuple):
    """The parts of a message that the worker needs: its body, and until when (UTC) it is relevant.

    The body is empty if it was deleted, or if it is `unreadable` because its key is missing. If
    `is_urgent`, the receiver has just requested the message, so pauses and quiet hours do not delay
    it.
    """

    body: bytes
    until: datetime | None
    is_urgent: bool = False
    unreadable: bool = False

    def is_sendable(self, now: datetime) -> bool:
        """Whether its body still exists and it is not too late to send it."""
        return bool(self.body or self.unreadable) and (self.until is None or self.until > now)


def add_messages(
    connection: Connection, added: Iterable[Message], *, reminder_keys: Sequence[str] = ()
) -> None:
    """Store messages and their translations for fan-out.

    `reminder_keys` has the key of each message's reminder, in the order of the messages.
    """
    added = list(added)
    rows = [
        {
            "id": message.id,
            **write_subject(message.subject),
            "at": message.at,
            "send_from": message.send_from,
            "until": message.until,
            "text": message.text,
            "body": message.body.decode(),
            "uid": message.uid,
            "reminder": reminder_keys[index] if reminder_keys else None,
            "fanned_out_to": "",
        }
        for index, message in enumerate(added)
    ]
    _insert(connection, messages, rows, [message.subject.calendar for message in added])
    translated = [(message, *one) for message in added for one in message.translations.items()]
    rows = [
        {"message_id": message.id, "language": language, "body": body.decode()}
        for message, language, body in translated
    ]
    _insert(connection, translations, rows, [one[0].subject.calendar for one in translated])


def _insert(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], slugs: Sequence[str]
) -> None:
    """Insert new rows with a body; `slugs` are the calendars that they are about."""
    if rows:
        sealed = seal_rows(connection, table, rows, [(slug,) for slug in slugs])
        names, source = _select_added(connection.dialect.name, table)
        statement = insert_new(connection, table).from_select(names, source)
        connection.execute(statement, {"added": dump_rows(sealed)})


@cache
def _select_added(dialect: str, table: Table) -> tuple[list[str], Any]:
    types = {column.name: raw(column).type for column in table.columns} | {"body": Text()}
    added = bulk_rows(dialect, "added", types)
    body: ColumnElement[Any] = func.convert_to(added.c.body, "UTF8")
    if dialect == "sqlite":
        body = cast(added.c.body, LargeBinary)
    columns = [body if name == "body" else added.c[name] for name in types]
    return list(types), select(*columns).where(true())


def add_delivery(connection: Connection, message: Message, endpoint_id: str) -> int:
    """Store a message for one endpoint only, and return the id of its delivery."""
    add_messages(connection, [message])
    connection.execute(
        update(messages).where(messages.c.id == message.id).values(fanned_out_to=None)
    )
    values = {
        "message_id": message.id,
        "endpoint_id": endpoint_id,
        "state": _add.to(DeliveryState.PENDING),
        "next_at": message.at,
        "claim": 0,
        "attempts": 0,
    }
    return insert_row(connection, deliveries, values)


def has_pending_fan_out(connection: Connection) -> bool:
    """Whether a message does not have all its deliveries yet."""
    query = select(messages.c.id).where(messages.c.fanned_out_to.is_not(None)).limit(1)
    return connection.execute(query).first() is not None


def supersede_deliveries(
    connection: Connection, condition: ColumnElement[bool], now: datetime
) -> None:
    """Supersede deliveries that match a condition and can still be sent."""
    # A failed delivery can be retried by hand.
    can_be_sent = deliveries.c.settled_at.is_(None) | (deliveries.c.state == DeliveryState.FAILED)
    statement = _supersede.update(where=condition & can_be_sent)
    connection.execute(statement.values(settled_at=now))
    recall_members(connection, condition, now)


def load_messages(connection: Connection, ids: Sequence[str]) -> dict[str, StoredMessage]:
    """Load messages by id."""
    values = {"ids": dump_rows([{"id": message_id} for message_id in set(ids)])}
    rows = connection.execute(_select_messages(connection.dialect.name), values).all()
    return {
        message_id: StoredMessage(
            bytes(body or b""),
            until,
            is_urgent=Subject.model_validate_json(subject).type in _URGENT,
            unreadable=has_body and body is None,
        )
        for message_id, body, until, subject, has_body in rows
    }


@cache
def _select_messages(dialect: str) -> Any:
    ids = bulk_rows(dialect, "ids", {"id": String(40)})
    has_body = messages.c.body.is_not(None)
    query = select(messages.c.id, messages.c.body, messages.c.until, messages.c.subject, has_body)
    # PostgreSQL's text format doubles the size of bytes.
    binary = query.execution_options(calfeed_binary=True)
    return binary.where(messages.c.id.in_(select(ids.c.id)))


def load_bodies(
    connection: Connection, wanted: Collection[tuple[str, str | None]]
) -> dict[tuple[str, str | None], StoredMessage]:
    """Load messages by id and language: the body is the translation, if there is one."""
    keys = dict.fromkeys(wanted)
    found = load_messages(connection, [message_id for message_id, _ in keys])
    stored = {key: found[key[0]] for key in keys if key[0] in found}
    rows = [
        {"message_id": message_id, "language": language}
        for message_id, language in keys
        if language is not None
    ]
    if rows:
        values = {"wanted": dump_rows(rows)}
        query = _select_translations(connection.dialect.name)
        for message_id, language, body in connection.execute(query, values):
            message = found[message_id]
            if message.body:
                stored[message_id, language] = message._replace(
                    body=bytes(body or b""), unreadable=body is None
                )
    return stored


@cache
def _select_translations(dialect: str) -> Any:
    columns = translations.c
    types = {name: columns[name].type for name in ("message_id", "language")}
    wanted = bulk_rows(dialect, "wanted", types)
    is_wanted = (columns.message_id == wanted.c.message_id) & (
        columns.language == wanted.c.language
    )
    query = select(columns.message_id, columns.language, columns.body).join(wanted, is_wanted)
    return query.execution_options(calfeed_binary=True)


def write_subject(subject: Subject) -> dict[str, str]:
    """Return a message's subject as columns. Categories can be private, so they are separate."""
    return {
        "subject": subject.model_dump_json(exclude_defaults=True, exclude={"categories"}),
        "calendar": subject.calendar,
        "categories": json.dumps(subject.categories),
    }


def read_subject(row: Any) -> Subject:
    """Return the subject of a message, without categories if their key is missing."""
    subject = Subject.model_validate_json(row.subject)
    if row.categories in (None, "[]"):
        return subject
    return subject.model_copy(update={"categories": tuple(json.loads(row.categories))})
