"""Rows that a statement is given, as one parameter of JSON.

The text of the statement is the same for any number of them, and so is everything that is kept
by it on the way: SQLAlchemy's compiled form, the driver's, PostgreSQL's plan. No database's limit
of parameters is met either.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import FromClause, Text, bindparam, cast, column, func, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine

from calfeed.store.columns import Instant

_INSTANT = Instant()


def given_rows(dialect: str, name: str, columns: Mapping[str, TypeEngine[Any]]) -> FromClause:
    """The rows in the parameter `name`, which is `dump_rows` of them, as a table."""
    rows = bindparam(name, type_=Text)
    if dialect == "sqlite":
        value = func.json_each(rows).table_valued("value").c.value
        read = [
            cast(func.json_extract(value, f"$.{key}"), kind).label(key)
            for key, kind in columns.items()
        ]
        return select(*read).subquery(f"given_{name}")
    typed = [column(key, kind) for key, kind in columns.items()]
    records = func.json_to_recordset(cast(rows, postgresql.JSON)).table_valued(*typed)
    return records.render_derived(name=f"given_{name}", with_types=True)


def dump_rows(rows: Sequence[Mapping[str, Any]]) -> str:
    """Write rows as the parameter that `given_rows` reads."""
    return json.dumps(rows, default=_write)


def _write(value: Any) -> int | None:
    if isinstance(value, datetime):
        return _INSTANT.process_bind_param(value, None)
    raise TypeError(f"a row cannot hold {value!r}")
