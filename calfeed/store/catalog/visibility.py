"""Visibility: which calendars are public, and which messages public-only endpoints may get."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, select

from calfeed.model.events import Calendar
from calfeed.store.bulk_parameters import batches
from calfeed.store.outbox.messages import supersede_deliveries
from calfeed.store.tables import calendars, deliveries, endpoints, messages

_BATCH_SIZE = 100


def is_public(connection: Connection, calendar: str) -> bool:
    """Whether a calendar is public, or was when it was withdrawn.

    A former name has the same visibility as the present one.
    """
    private = connection.scalar(select(calendars.c.private).where(calendars.c.slug == calendar))
    return private is False


def any_public(connection: Connection, slugs: Collection[str]) -> bool:
    """Whether one of these calendars is public, or was when it was withdrawn."""
    return any(is_public(connection, slug) for slug in slugs)


def withhold_private(connection: Connection, slugs: Collection[str], now: datetime) -> None:
    """Supersede unsent deliveries of private calendars for endpoints with a public-only filter.

    These deliveries were made while the calendars were public.
    """
    query = select(calendars.c.slug, calendars.c.content)
    is_private = calendars.c.slug.in_(slugs) & calendars.c.private
    # A message has the name that its calendar had when the message was made.
    names = []
    for slug, content in connection.execute(query.where(is_private)):
        former = Calendar.model_validate_json(content).formerly if content is not None else ()
        names += [slug, *former]
    public_only = select(endpoints.c.id).where(endpoints.c.public_only)
    if not names or connection.scalar(public_only.limit(1)) is None:
        return
    for batch in batches(names, _BATCH_SIZE):
        ids = select(messages.c.id).where(messages.c.calendar.in_(batch))
        # Wait for fan-outs that are in progress. Later ones see that the calendar is private.
        in_fan_out = ids.where(messages.c.fanned_out_to.is_not(None))
        connection.execute(in_fan_out.with_for_update()).all()
        unsent = deliveries.c.endpoint_id.in_(public_only) & deliveries.c.message_id.in_(ids)
        supersede_deliveries(connection, unsent, now)
