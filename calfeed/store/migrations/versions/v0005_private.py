"""Encrypt private calendars, and add columns for values that were searched in JSON."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

from calfeed.store.migrations.sealing import begin_sealing, end_sealing, make_anew, seal_column

revision = "0005"
down_revision = "0004"

# Each table with its primary key, the columns that name its rows, the columns to encrypt for
# private calendars, and the condition for rows of private calendars.
_OWN = "{0} IN (SELECT slug FROM calendars WHERE private)"
_PRIVATE = (
    ("calendars", ("slug",), (), ("content",), "private"),
    ("readings", ("calendar",), (), ("warnings",), _OWN.format("calendar")),
    ("events", ("uid",), (), ("revision", "vevent"), _OWN.format("calendar")),
    (
        "renderings",
        ("uid", "language", "marked"),
        (),
        ("vevent",),
        f"uid IN (SELECT uid FROM events WHERE {_OWN.format('calendar')})",
    ),
    ("categories", ("calendar", "name"), ("calendar",), ("name",), _OWN.format("calendar")),
    ("revisions", ("uid", "sequence"), (), ("revision",), _OWN.format("calendar")),
    (
        "messages",
        ("id",),
        (),
        ("categories", "text", "body"),
        "calendar IN (SELECT slug FROM calendars WHERE private) "
        "OR calendar = '' AND EXISTS (SELECT 1 FROM calendars WHERE private)",
    ),
    (
        "publishes",
        ("id",),
        (),
        ("changes",),
        "EXISTS (SELECT 1 FROM calendars WHERE private AND "
        "changes LIKE '%\"calendar\": \"' || slug || '\"%')",
    ),
)


def upgrade() -> None:
    """Encrypt private values, and remove the plain texts from the file."""
    connection = op.get_bind()
    begin_sealing(connection)
    _mark_private(connection)
    _write_columns_of_json(connection)
    for name, key, row, columns, which in _PRIVATE:
        for column in columns:
            seal_column(connection, name, key, row, column, sa.text(which))
        make_anew(connection, name, columns)
    end_sealing(connection)


def _mark_private(connection: sa.Connection) -> None:
    """Record which calendars are private; a former name has the visibility of the present one."""
    op.add_column(
        "calendars",
        sa.Column("private", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    table = sa.table("calendars", *map(sa.column, ("slug", "content", "withdrawn", "private")))
    rows = connection.execute(sa.select(table.c.slug, table.c.content, table.c.withdrawn)).all()
    contents = {row.slug: json.loads(row.content) for row in rows}
    private = {slug: one.get("visibility") == "private" for slug, one in contents.items()}
    withdrawn = {row.slug for row in rows if row.withdrawn}
    for slug in contents.keys() - withdrawn:
        former = withdrawn.intersection(contents[slug].get("formerly", ()))
        private |= dict.fromkeys(former, private[slug])
    flags = [{"of": slug} for slug, hidden in private.items() if hidden]
    if flags:
        mine = table.c.slug == sa.bindparam("of")
        connection.execute(sa.update(table).where(mine).values(private=sa.true()), flags)


def _write_columns_of_json(connection: sa.Connection) -> None:
    """Add columns for searched values, and for the categories, which can be private."""
    op.add_column(
        "endpoints",
        sa.Column("public_only", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    filters: Any = sa.table("endpoints", sa.column("filters"), sa.column("public_only"))
    public_only = filters.c.filters.contains('"public_only":true')
    connection.execute(sa.update(filters).where(public_only).values(public_only=sa.true()))
    for column in (
        sa.Column("calendar", sa.String(64), nullable=False, server_default=sa.text("''")),
        sa.Column("categories", sa.Text(), nullable=False, server_default="[]"),
    ):
        op.add_column("messages", column)
    names = ("id", "subject", "calendar", "categories")
    table: Any = sa.table("messages", *map(sa.column, names))
    query = sa.select(table.c.id, table.c.subject).order_by(table.c.id).limit(1000)
    statement = (
        sa.update(table)
        .where(table.c.id == sa.bindparam("of"))
        .values(
            subject=sa.bindparam("rest"),
            calendar=sa.bindparam("slug"),
            categories=sa.bindparam("names"),
        )
    )
    rows = connection.execute(query).all()
    while rows:
        values = []
        for row in rows:
            subject = json.loads(row.subject)
            names_of = json.dumps(subject.pop("categories", []))
            rest = json.dumps(subject, ensure_ascii=False, separators=(",", ":"))
            slug = subject["calendar"]
            values.append({"of": row.id, "rest": rest, "slug": slug, "names": names_of})
        connection.execute(statement, values)
        rows = connection.execute(query.where(table.c.id > rows[-1].id)).all()
    op.create_index("ix_messages_calendar", "messages", ["calendar"])
