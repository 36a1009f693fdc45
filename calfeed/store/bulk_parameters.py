"""Bulk parameters: rows passed to a statement as one JSON value.

The text of the statement does not depend on the number of rows, so SQLAlchemy, the driver and
PostgreSQL can cache what they compile from it. The number of rows is not limited by the maximum
number of parameters.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import FromClause, Text, bindparam, cast, column, func, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine

from calfeed.store.columns import Instant

_T = TypeVar("_T")
_INSTANT = Instant()


def batches(values: Sequence[_T], size: int = 500) -> Iterator[Sequence[_T]]:
    """Split values for IN conditions, because databases limit the parameters of a statement."""
    return (values[start : start + size] for start in range(0, len(values), size))


def bulk_rows(dialect: str, name: str, columns: Mapping[str, TypeEngine[Any]]) -> FromClause:
    """Return a table of the rows that the parameter `name` holds, written by `dump_rows`."""
    rows = bindparam(name, type_=Text)
    if dialect == "sqlite":
        value = func.json_each(rows).table_valued("value").c.value
        extracted = [
            cast(func.json_extract(value, f"$.{key}"), kind).label(key)
            for key, kind in columns.items()
        ]
        return select(*extracted).subquery(f"given_{name}")
    typed = [column(key, kind) for key, kind in columns.items()]
    records = func.json_to_recordset(cast(rows, postgresql.JSON)).table_valued(*typed)
    return records.render_derived(name=f"given_{name}", with_types=True)


def dump_rows(rows: Sequence[Mapping[str, Any]]) -> str:
    """Encode rows as a parameter for `bulk_rows`."""
    return json.dumps(rows, default=_encode)


def _encode(value: Any) -> int | None:
    if isinstance(value, datetime):
        return _INSTANT.process_bind_param(value, None)
    raise TypeError(f"a row cannot hold {value!r}")
