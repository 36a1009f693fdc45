"""Published calendars, and which of them are private."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict

from sqlalchemy import Connection, select

from calfeed.ical.wording.words import shared_language
from calfeed.model.events import Calendar
from calfeed.store.rows import CalendarRow
from calfeed.store.secrets.private import ANY_CALENDAR, load_private_slugs, seal_rows, seal_stored
from calfeed.store.tables import calendars
from calfeed.store.upsert import upsert


def find_private_after(connection: Connection, rows: Sequence[CalendarRow]) -> frozenset[str]:
    """Return the calendars that are private once these rows are saved.

    A former name of a calendar is as private as the calendar.
    """
    flags = {row.slug: row.private for row in rows}
    present = {row.slug for row in rows if not row.withdrawn}
    for row in rows:
        for name in Calendar.model_validate_json(row.content).formerly:
            if row.slug in present and name not in present:
                flags[name] = row.private
    private = load_private_slugs(connection) - {ANY_CALENDAR} - flags.keys()
    private |= {slug for slug, is_private in flags.items() if is_private}
    return private | {ANY_CALENDAR} if private else private


def save_calendars(connection: Connection, rows: Sequence[CalendarRow]) -> None:
    """Insert or replace calendars, and seal the stored rows of those that become private."""
    if not rows:
        return
    former, private = load_private_slugs(connection), find_private_after(connection, rows)
    values = [asdict(row) | {"private": row.slug in private} for row in rows]
    owners = [(row.slug,) for row in rows]
    sealed = seal_rows(connection, calendars, values, owners, private)
    is_newly_private = calendars.c.slug.in_(private - former)
    stored = connection.scalars(select(calendars.c.slug).where(is_newly_private)).all()
    connection.execute(upsert(connection, calendars), sealed)
    for slugs, flag in ((private - former, True), (former - private, False)):
        if slugs:
            statement = calendars.update().where(calendars.c.slug.in_(slugs))
            connection.execute(statement.values(private=flag))
    seal_stored(connection, stored)


def touch_calendars(connection: Connection, slugs: Iterable[str], publish_id: int) -> None:
    """Record that a publish changed something in these calendars."""
    statement = calendars.update().where(calendars.c.slug.in_(sorted(slugs)))
    connection.execute(statement.values(publish_id=publish_id))


def load_calendars(connection: Connection) -> dict[str, CalendarRow]:
    """Load every calendar that was ever published, by slug, except those whose key is missing."""
    rows = connection.execute(select(calendars).order_by(calendars.c.slug))
    return {
        row.slug: CalendarRow(row.slug, row.content, row.withdrawn, row.publish_id)
        for row in rows
        if row.content is not None
    }


def load_shared_language(connection: Connection) -> str:
    """Return the language for texts that are not about one calendar.

    It is the language that all calendars share, or else English.
    """
    rows = load_calendars(connection).values()
    published = [Calendar.model_validate_json(row.content) for row in rows if not row.withdrawn]
    return shared_language(calendar.language for calendar in published)
