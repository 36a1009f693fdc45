"""Saving calendars, and with them what is private."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, select

from calfeed.model.events import Calendar
from calfeed.store.rows import CalendarRow
from calfeed.store.secrets.private import ANY, find_private, seal_kept, seal_rows
from calfeed.store.tables import calendars
from calfeed.store.upsert import upsert


def find_private_with(connection: Connection, rows: Sequence[CalendarRow]) -> frozenset[str]:
    """The calendars that are private once these are saved.

    What a calendar was called before it was renamed is private as the calendar is.
    """
    flags = {row.slug: row.private for row in rows}
    present = {row.slug for row in rows if not row.withdrawn}
    for row in rows:
        for name in Calendar.model_validate_json(row.content).formerly:
            if row.slug in present and name not in present:
                flags[name] = row.private
    private = find_private(connection) - {ANY} - flags.keys()
    private |= {slug for slug, hidden in flags.items() if hidden}
    return private | {ANY} if private else private


def save_calendars(connection: Connection, rows: Sequence[CalendarRow]) -> None:
    """Insert or replace calendars. Of those that become private, what is kept is sealed."""
    if not rows:
        return
    former, private = find_private(connection), find_private_with(connection, rows)
    values = [
        {
            "slug": row.slug,
            "content": row.content,
            "withdrawn": row.withdrawn,
            "publish_id": row.publish_id,
            "private": row.slug in private,
        }
        for row in rows
    ]
    owners = [(row.slug,) for row in rows]
    sealed = seal_rows(connection, calendars, values, owners, private)
    become = calendars.c.slug.in_(private - former)
    kept = connection.scalars(select(calendars.c.slug).where(become)).all()
    connection.execute(upsert(connection, calendars), sealed)
    for slugs, flag in ((private - former, True), (former - private, False)):
        if slugs:
            mine = calendars.c.slug.in_(slugs)
            connection.execute(calendars.update().where(mine).values(private=flag))
    seal_kept(connection, kept)


def touch_calendars(connection: Connection, slugs: Iterable[str], publish_id: int) -> None:
    """Note that a publish changed something in these calendars."""
    statement = calendars.update().where(calendars.c.slug.in_(sorted(slugs)))
    connection.execute(statement.values(publish_id=publish_id))
