"""Fan-out: make the deliveries of messages, one for each matching endpoint, in steps."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache, partial
from typing import Any

from sqlalchemy import Connection, select, true, update

from calfeed.model.states import UNSETTLED, DeliveryState, EndpointState, ReminderState
from calfeed.reminders.filters import Subject
from calfeed.store.bulk_parameters import bulk_rows, dump_rows
from calfeed.store.catalog.visibility import is_public
from calfeed.store.endpoints.records import Endpoint, load_endpoint_page
from calfeed.store.outbox.messages import read_subject
from calfeed.store.tables import deliveries, messages, reminders, translations
from calfeed.store.transitions import Transition
from calfeed.store.upsert import upsert_by

PAGE_SIZE = 1000
"""The number of endpoints in a page, and about the number of deliveries in a transaction."""

_MAX_MESSAGES = 200
"""The maximum number of messages in one transaction."""

CORRECTION_TYPES = ("event.moved", "event.corrected", "event.cancelled")
"""The types of messages that go to every endpoint that was sent a reminder of the event.

So do messages of other types that say that an occurrence no longer takes place.
"""

_make = Transition([None, DeliveryState.SUPERSEDED], *UNSETTLED)


def fan_out(connection: Connection, now: datetime) -> bool:
    """Make deliveries of messages for the next page of endpoints, oldest message first.

    It stops at about `PAGE_SIZE` deliveries, so the size of a transaction does not depend on the
    number of endpoints. Returns False if there was no message to fan out.
    """
    query = _select_pending(_MAX_MESSAGES).with_for_update(skip_locked=True)
    rows = connection.execute(query).all()
    pages: dict[str, list[Endpoint]] = {}
    made: list[dict[str, Any]] = []
    reached: dict[str, str | None] = {}
    is_public_calendar = cache(partial(is_public, connection))
    translated = _list_translated(connection, [row.id for row in rows])
    for row in rows:
        after = row.fanned_out_to
        if len(made) >= PAGE_SIZE or (pages and after not in pages):
            break
        if after not in pages:
            pages[after] = load_endpoint_page(connection, after, PAGE_SIZE)
        page = pages[after]
        subject = read_subject(row)
        to_correct = _find_to_correct(connection, row, subject, page)
        made += [
            {
                "message_id": row.id,
                "endpoint_id": endpoint.id,
                "language": _choose_language(endpoint, translated.get(row.id, ())),
                **_initial_values(endpoint, subject, row, now),
            }
            for endpoint in page
            # An endpoint gets no messages that were made before it was added.
            if endpoint.created <= row.at
            # An endpoint gets no report about itself: the report that it fails could arrive only
            # when the endpoint works again.
            and endpoint.id != subject.endpoint
            and (endpoint.filters.want(subject) or endpoint.id in to_correct)
            # Checked again here: the calendar may have become private since the filter was set.
            and endpoint.filters.allow(is_public_calendar(subject.calendar))
        ]
        reached[row.id] = page[-1].id if len(page) == PAGE_SIZE else None
    if made:
        connection.execute(_insert_deliveries(connection), {"made": dump_rows(made)})
    if reached:
        progress = [{"id": message_id, "last": last} for message_id, last in reached.items()]
        statement = _update_progress(connection.dialect.name)
        connection.execute(statement, {"reached": dump_rows(progress)})
    return bool(rows)


def _select_pending(limit: int) -> Any:
    columns = messages.c
    return (
        select(
            *(columns.id, columns.subject, columns.categories, columns.at, columns.uid),
            *(columns.send_from, columns.until, columns.fanned_out_to),
        )
        .where(columns.fanned_out_to.is_not(None))
        .order_by(columns.at)
        .limit(limit)
    )


def _insert_deliveries(connection: Connection) -> Any:
    """Insert deliveries. Superseded deliveries that exist already are started again.

    Superseded deliveries keep their language, so that they send the same body again.
    """
    columns = ("message_id", "endpoint_id", "language", "state", "next_at", "claim", "attempts")
    types = {name: deliveries.c[name].type for name in columns}
    made = select(bulk_rows(connection.dialect.name, "made", types)).where(true())
    statement = upsert_by(
        connection,
        deliveries,
        keys=("message_id", "endpoint_id"),
        names=("state", "next_at", "attempts", "settled_at"),
        where=_make.starts_in(),
    )
    return statement.from_select(columns, made)


@cache
def _update_progress(dialect: str) -> Any:
    types = {"id": messages.c.id.type, "last": messages.c.fanned_out_to.type}
    reached = bulk_rows(dialect, "reached", types)
    statement = update(messages).where(messages.c.id == reached.c.id)
    return statement.values(fanned_out_to=reached.c.last)


def _list_translated(connection: Connection, ids: Sequence[str]) -> dict[str, set[str]]:
    """List the languages of the translations of messages, by their ids."""
    columns = translations.c
    query = select(columns.message_id, columns.language).where(columns.message_id.in_(ids))
    found: dict[str, set[str]] = {}
    for message_id, language in connection.execute(query) if ids else ():
        found.setdefault(message_id, set()).add(language)
    return found


def _choose_language(endpoint: Endpoint, translated: Collection[str]) -> str | None:
    """Return the translation that an endpoint wants, None if there is none."""
    language = endpoint.options.language
    return language if language in translated else None


def _find_to_correct(
    connection: Connection, row: Any, subject: Subject, page: Sequence[Endpoint]
) -> set[str]:
    """Return the endpoints that get a correction despite their filters.

    They were sent a reminder that has been recalled since.
    """
    unwanted = [endpoint.id for endpoint in page if not endpoint.filters.want(subject)]
    corrects = subject.type in CORRECTION_TYPES or subject.drops
    if not corrects or not unwanted:
        return set()
    query = (
        select(deliveries.c.endpoint_id)
        .join(messages, messages.c.id == deliveries.c.message_id)
        .join(reminders, reminders.c.key == messages.c.reminder)
        .where(messages.c.uid == row.uid, reminders.c.state == ReminderState.RECALLED)
        .where(deliveries.c.endpoint_id.in_(unwanted))
        # Any delivery that was ever claimed may have been received.
        .where((deliveries.c.claim > 0) | deliveries.c.digest.is_not(None))
    )
    return set(connection.scalars(query))


def _initial_values(
    endpoint: Endpoint, subject: Subject, row: Any, now: datetime
) -> dict[str, Any]:
    """Return the columns of a new delivery: pending, held, or gathered for a digest."""
    values: dict[str, Any] = {"claim": 0, "attempts": 0}
    if endpoint.state is not EndpointState.ACTIVE:
        return {**values, "state": _make.to(DeliveryState.HELD), "next_at": now}
    digest = endpoint.options.digest_after(now) if subject.type == "reminder.due" else None
    # A reminder that would expire before the digest is sent separately.
    if digest is not None and (row.until is None or digest < row.until):
        return {**values, "state": _make.to(DeliveryState.GATHERED), "next_at": digest}
    next_at = max(now, row.send_from or now)
    return {**values, "state": _make.to(DeliveryState.PENDING), "next_at": next_at}
