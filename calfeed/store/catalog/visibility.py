"""What is public, and what must not reach those who are told only of that."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, or_, select

from calfeed.model.events import Calendar, Visibility
from calfeed.store.outbox import outbox
from calfeed.store.tables import calendars, deliveries, endpoints, messages

_AT_ONCE = 100


def is_public(connection: Connection, calendar: str) -> bool:
    """Whether a calendar is for everybody, or was when it was withdrawn."""
    query = select(calendars.c.content, calendars.c.withdrawn)
    row = connection.execute(query.where(calendars.c.slug == calendar)).one_or_none()
    if row is None:
        return False
    others = calendars.c.content.contains(f'"{calendar}"')
    # What was renamed is what its present name says.
    renamed = [
        one
        for one in (_read(connection, others) if row.withdrawn else [])
        if calendar in one.formerly
    ]
    return all(map(_is_public, renamed or [Calendar.model_validate_json(row.content)]))


def any_public(connection: Connection, slugs: Collection[str]) -> bool:
    """Whether one of these calendars is for everybody, or was when it was withdrawn."""
    return any(is_public(connection, slug) for slug in slugs)


def withhold(connection: Connection, slugs: Collection[str], now: datetime) -> None:
    """Take back what is not sent yet of those of these calendars that are private.

    That is what was made, when they were public still, for endpoints that get only what is.
    """
    read = _read(connection, calendars.c.slug.in_(slugs))
    # A calendar that was renamed was told of under its former names.
    names = [name for one in read if not _is_public(one) for name in (one.slug, *one.formerly)]
    strangers = select(endpoints.c.id).where(endpoints.c.filters.contains('"public_only":true'))
    if not names or connection.scalar(strangers.limit(1)) is None:
        return
    for index in range(0, len(names), _AT_ONCE):
        part = [f'"calendar":"{name}"' for name in names[index : index + _AT_ONCE]]
        told = select(messages.c.id).where(or_(*map(messages.c.subject.contains, part)))
        # A fan-out that is under way is waited for; those after this see what is private.
        waiting = told.where(messages.c.fanned_out_to.is_not(None))
        connection.execute(waiting.with_for_update()).all()
        which = deliveries.c.endpoint_id.in_(strangers) & deliveries.c.message_id.in_(told)
        outbox.take_back(connection, which, now)


def _read(connection: Connection, which: ColumnElement[bool]) -> list[Calendar]:
    found = connection.scalars(select(calendars.c.content).where(which))
    return [Calendar.model_validate_json(content) for content in found]


def _is_public(calendar: Calendar) -> bool:
    return calendar.visibility is Visibility.PUBLIC
