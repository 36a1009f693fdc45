"""What is public, and what must not reach those who are told only of that."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, select

from calfeed.model.events import Calendar
from calfeed.store.outbox import outbox
from calfeed.store.secrets.private import told_of
from calfeed.store.tables import calendars, deliveries, endpoints, messages

_AT_ONCE = 100


def is_public(connection: Connection, calendar: str) -> bool:
    """Whether a calendar is for everybody, or was when it was withdrawn.

    What was renamed is what its present name says.
    """
    private = connection.scalar(select(calendars.c.private).where(calendars.c.slug == calendar))
    return private is False


def any_public(connection: Connection, slugs: Collection[str]) -> bool:
    """Whether one of these calendars is for everybody, or was when it was withdrawn."""
    return any(is_public(connection, slug) for slug in slugs)


def withhold(connection: Connection, slugs: Collection[str], now: datetime) -> None:
    """Take back what is not sent yet of those of these calendars that are private.

    That is what was made, when they were public still, for endpoints that get only what is.
    """
    query = select(calendars.c.slug, calendars.c.content)
    mine = calendars.c.slug.in_(slugs) & calendars.c.private
    # A calendar that was renamed was told of under its former names.
    names = []
    for slug, content in connection.execute(query.where(mine)):
        former = Calendar.model_validate_json(content).formerly if content is not None else ()
        names += [slug, *former]
    strangers = select(endpoints.c.id).where(endpoints.c.filters.contains('"public_only":true'))
    if not names or connection.scalar(strangers.limit(1)) is None:
        return
    for index in range(0, len(names), _AT_ONCE):
        told = select(messages.c.id).where(told_of(names[index : index + _AT_ONCE]))
        # A fan-out that is under way is waited for; those after this see what is private.
        waiting = told.where(messages.c.fanned_out_to.is_not(None))
        connection.execute(waiting.with_for_update()).all()
        which = deliveries.c.endpoint_id.in_(strangers) & deliveries.c.message_id.in_(told)
        outbox.take_back(connection, which, now)
