"""Operational messages into the outbox, in the transaction that writes what they report.

A message that is in the outbox already is not added again, so that reporting twice changes nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, func, select

from calfeed.errors import KeyFileError
from calfeed.model.states import DeliveryState, EndpointKind, ReminderState
from calfeed.reminders.filters import OPERATIONAL_TYPES, Subject
from calfeed.reminders.messages import Message
from calfeed.reminders.operational import messages as operational
from calfeed.reminders.operational.messages import EndpointName, FailedDelivery, MissedReminder
from calfeed.reminders.plan import Reminder
from calfeed.store.outbox.messages import add_messages
from calfeed.store.tables import deliveries, endpoints, events, messages, reminders
from calfeed.store.transitions import state_literal

FAILING_AFTER = timedelta(minutes=20)
"""How long all attempts must have failed before this is reported.

Four failed attempts of one message, which take about half an hour, are required too.
"""

CERTIFICATE_EXPIRES = timedelta(days=14)
"""How long before its expiry the certificate of a receiver is reported."""

_UNREPORTED_TYPES = {*OPERATIONAL_TYPES, "endpoint.verify"}
"""The types of messages whose failed deliveries are not reported.

The failure of a report must not lead to another report. The message that verifies an endpoint can
fail for any endpoint that somebody registers.
"""

_REGISTERED = "registered"

_log = logging.getLogger(__name__)


def add_operational(connection: Connection, added: Sequence[Message]) -> None:
    """Store operational messages for fan-out, except those that are stored already.

    If they have to be encrypted and the key file is missing or invalid, they are only logged.
    """
    # In a fixed order, as two workers may add the same at once.
    added = sorted(added, key=attrgetter("id"))
    try:
        add_messages(connection, added)
    except KeyFileError as error:
        for message in added:
            _log.error("%s (not sent: %s)", message.text, error)


def report_failing(
    connection: Connection,
    failing: Mapping[str, datetime],
    errors: Mapping[str, str],
    now: datetime,
) -> None:
    """Report endpoints that have been failing for `FAILING_AFTER`.

    `errors` has only the endpoints for which a message failed repeatedly; others are not reported.
    """
    lasting = {
        endpoint_id: since
        for endpoint_id, since in failing.items()
        if endpoint_id in errors and now - since >= FAILING_AFTER
    }
    names = _load_names(connection, list(lasting))
    add_operational(
        connection,
        [
            operational.endpoint_failing(name, lasting[name.id], errors[name.id], now)
            for name in names
        ],
    )


def report_recovered(
    connection: Connection, recovered: Mapping[str, datetime], now: datetime
) -> None:
    """Report endpoints that receive messages again, if it was reported that they were failing.

    `recovered` has the time since which each had been failing.
    """
    ids = {
        operational.failing_id(endpoint_id, since): endpoint_id
        for endpoint_id, since in recovered.items()
    }
    query = select(messages.c.id).where(messages.c.id.in_(ids))
    reported = [ids[id_] for id_ in connection.scalars(query)] if ids else []
    add_operational(
        connection,
        [
            operational.endpoint_recovered(name, recovered[name.id], now)
            for name in _load_names(connection, reported)
        ],
    )


def report_disabled(connection: Connection, endpoint_id: str, reason: str, now: datetime) -> None:
    """Report that an endpoint was disabled."""
    add_operational(
        connection,
        [
            operational.endpoint_disabled(name, reason, now)
            for name in _load_names(connection, [endpoint_id])
        ],
    )


def report_resumed(
    connection: Connection, endpoint_id: str, since: datetime | None, now: datetime
) -> None:
    """Report that a disabled endpoint was resumed; it had been failing `since`."""
    add_operational(
        connection,
        [
            operational.endpoint_recovered(name, since, now, resumed=True)
            for name in _load_names(connection, [endpoint_id])
        ],
    )


def report_certificates(
    connection: Connection, until: Mapping[str, datetime], now: datetime
) -> None:
    """Report endpoints whose receivers' certificates expire soon.

    `until` has the time at which the certificate of each endpoint's receiver expires.
    """
    soon = [endpoint_id for endpoint_id, at in until.items() if at - now <= CERTIFICATE_EXPIRES]
    add_operational(
        connection,
        [
            operational.certificate_expiring(name, until[name.id], now)
            for name in _load_names(connection, soon)
        ],
    )


def report_failed(connection: Connection, delivery_ids: Sequence[int], now: datetime) -> None:
    """Report the given deliveries that were given up at `now`, once per endpoint and hour.

    Receivers that operators do not know (people, browsers, registered endpoints) are reported
    together, and without names.
    """
    if not delivery_ids:
        return
    query = (
        select(deliveries.c.id, deliveries.c.attempts, messages.c.subject, *_NAME_COLUMNS)
        .join_from(deliveries, messages)
        .join(endpoints, endpoints.c.id == deliveries.c.endpoint_id)
        .where(deliveries.c.id.in_(delivery_ids))
        # Leave out deliveries that another worker has claimed since.
        .where(deliveries.c.state == DeliveryState.FAILED, deliveries.c.settled_at == now)
        .order_by(deliveries.c.id)
    )
    failed: dict[tuple[str, EndpointName | None], list[FailedDelivery]] = {}
    for row in connection.execute(query):
        message_type = Subject.model_validate_json(row.subject).type
        if message_type not in _UNREPORTED_TYPES:
            one = FailedDelivery(row.id, message_type, row.attempts)
            failed.setdefault(_receiver_of(row), []).append(one)
    add_operational(
        connection,
        [operational.delivery_failed(*key, found, now) for key, found in failed.items()],
    )


def report_missed(connection: Connection, missed: Sequence[Reminder], now: datetime) -> None:
    """Report reminders that were recorded as missed at `now`, by calendar and hour.

    The reported number includes reminders that are still planned but will be recorded as missed.
    """
    by_calendar: dict[str, list[MissedReminder]] = {}
    for reminder in missed:
        one = MissedReminder(reminder.event.slug, str(reminder.rule), reminder.due)
        by_calendar.setdefault(reminder.event.calendar, []).append(one)
    added = []
    for calendar, found in by_calendar.items():
        number = len(found) + _count_overdue(connection, calendar, now)
        added.append(operational.reminder_missed(calendar, found, number, now))
    add_operational(connection, added)


def _count_overdue(connection: Connection, calendar: str, now: datetime) -> int:
    """Count the planned reminders of a calendar that are too late."""
    query = (
        select(func.count())
        .select_from(reminders)
        .join(events, events.c.uid == reminders.c.uid)
        .where(reminders.c.state == state_literal(ReminderState.PLANNED))
        .where(reminders.c.due <= now, reminders.c.until <= now, events.c.calendar == calendar)
    )
    return connection.scalar(query) or 0


_NAME_COLUMNS: Any = (
    endpoints.c.id.label("endpoint_id"),
    endpoints.c.kind,
    endpoints.c.public_only,
    endpoints.c.description,
)


def _load_names(connection: Connection, ids: Sequence[str]) -> list[EndpointName]:
    """Load the names of the operators' webhooks and channels.

    Nothing is reported about other endpoints: anybody can register one, and let it fail and recover
    all day.
    """
    if not ids:
        return []
    query = select(*_NAME_COLUMNS).where(endpoints.c.id.in_(ids), ~endpoints.c.public_only)
    webhooks = query.where(endpoints.c.kind == EndpointKind.WEBHOOK)
    return [_name_of(row) for row in connection.execute(webhooks)]


def _name_of(row: Any) -> EndpointName:
    return EndpointName(row.endpoint_id, row.description)


def _receiver_of(row: Any) -> tuple[str, EndpointName | None]:
    if row.kind is not EndpointKind.WEBHOOK:
        return row.kind.value, None
    return (_REGISTERED, None) if row.public_only else (row.kind.value, _name_of(row))
