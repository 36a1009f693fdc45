"""Column types whose values are sealed if their calendar is private, and plain if it is public.

Reading such a column returns the plain value. The values of some columns make the name of a row. A
sealed value is bound to this name: the SELECT appends the name to the value, and the column type
decrypts the value with it. A value that cannot be decrypted is read as None. Rows are sealed with
`private.seal_rows` before they are written.
"""

from __future__ import annotations

import logging
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Dialect,
    Engine,
    Integer,
    LargeBinary,
    Text,
    case,
    cast,
    literal_column,
    type_coerce,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import FunctionElement, Label
from sqlalchemy.types import TypeDecorator

from calfeed.errors import SealError
from calfeed.store.secrets.sealing import PREFIX_LENGTH, VERSION, Keyring, Places

_SEPARATOR = "\n"
"""Separates a sealed value from the name of its row, which is appended; neither contains it."""

_log = logging.getLogger(__name__)

_keyrings: WeakKeyDictionary[Dialect, Keyring] = WeakKeyDictionary()


def register_keyring(engine: Engine, keyring: Keyring) -> None:
    """Use these keys to open the values that an engine reads."""
    _keyrings[engine.dialect] = keyring


class _Private(TypeDecorator[Any]):
    """A value that may be sealed; `row` lists the columns whose values make the name of its row."""

    def __init__(self, table: str, column: str, row: tuple[str, ...]) -> None:
        super().__init__()
        self.table = table
        self.column = column
        self.row = row

    def column_expression(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        plain = column.element if isinstance(column, Label) else column
        siblings = plain.table.c
        with_name: ColumnElement[Any] = _WithRowName(
            raw(plain), _name([siblings[key] for key in self.row])
        )
        return type_coerce(case((is_sealed(plain), with_name), else_=raw(plain)), self)

    def place(self, row: str) -> str:
        """Return the place (table, row and column) of a value in the row with this name."""
        return f"{self.table}:{row}:{self.column}"


class PrivateText(_Private):
    """A text that is sealed if its calendar is private."""

    impl = Text
    cache_ok = True

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None or not value.startswith(VERSION):
            return value
        sealed, _, row = value.partition(_SEPARATOR)
        opened = _open(dialect, self.place(row), sealed.encode("ascii", "replace"))
        return None if opened is None else opened.decode()


class PrivateBytes(_Private):
    """Bytes that are sealed if their calendar is private."""

    impl = LargeBinary
    cache_ok = True

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        if value is None or not value.startswith(VERSION.encode()):
            return value
        sealed, _, row = value.partition(_SEPARATOR.encode())
        return _open(dialect, self.place(row.decode()), sealed)


def raw(column: Any) -> Any:
    """Return a column without opening its sealed values."""
    kind = column.type
    return type_coerce(column, kind.impl_instance) if isinstance(kind, _Private) else column


def places_of(column: Any) -> Places:
    """Return the places (table, row and column) to which a column's sealed values are bound."""
    kind = column.type
    return Places(column, kind.row if isinstance(kind, _Private) else ())


def is_private(column: Any) -> bool:
    """Whether the values of a column are sealed if their calendar is private."""
    return isinstance(column.type, _Private)


def is_sealed(column: Any) -> ColumnElement[bool]:
    """Whether a stored value is sealed."""
    sealed: ColumnElement[bool] = head(column, len(VERSION)) == literal_column(f"'{VERSION}'")
    return sealed


def head(column: Any, length: int) -> ColumnElement[str]:
    """Return the first characters of a stored value, as text."""
    start: ColumnElement[str] = _Head(raw(column), literal_column(str(length)))
    return start


def plain_size(column: Any) -> ColumnElement[int]:
    """Return the size of a value in bytes, before sealing."""
    size: Any = _Size(raw(column))
    # base64 has four characters for three bytes; nonce and tag have 28 bytes.
    bytes_sealed = (size - literal_column(str(PREFIX_LENGTH))) * 3 / literal_column("4")
    return case((is_sealed(column), bytes_sealed - literal_column("28")), else_=size)


def _name(row: list[ColumnElement[Any]]) -> ColumnElement[str]:
    """Return an SQL expression for the name of a row: the text that `Places.of` makes of `row`."""
    texts = [
        cast(cast(column, Integer) if isinstance(column.type, Boolean) else column, Text)
        for column in row
    ]
    name: Any = texts[0]
    for part in texts[1:]:
        name = name + literal_column("'/'") + part
    return name  # type: ignore[no-any-return]  # `+` of expressions is untyped


def _open(dialect: Dialect, place: str, sealed: bytes) -> bytes | None:
    keyring = _keyrings.get(dialect)
    try:
        if keyring is None:
            raise SealError("no key file is configured")
        return keyring.open_bytes(place, sealed)
    except SealError as error:
        _log_once(str(error))
        return None


@cache
def _log_once(why: str) -> None:
    """Log each reason once."""
    _log.error("a value of a private calendar cannot be decrypted and is left out: %s", why)


class _Head(FunctionElement[str]):
    name = "head"
    type = Text()
    inherit_cache = True


class _Size(FunctionElement[int]):
    name = "size"
    type = Integer()
    inherit_cache = True


class _WithRowName(FunctionElement[Any]):
    name = "with_row_name"
    inherit_cache = True


def _is_bytes(element: Any) -> bool:
    return isinstance(element.type, LargeBinary)


@compiles(_Head)
def _head(element: Any, compiler: Any, **given: Any) -> str:
    value, length = element.clauses
    begin = f"substr({compiler.process(value, **given)}, 1, {compiler.process(length, **given)})"
    return f"encode({begin}, 'escape')" if _is_bytes(value) else begin


@compiles(_Head, "sqlite")
def _head_in_sqlite(element: Any, compiler: Any, **given: Any) -> str:
    value, length = element.clauses
    begin = f"substr({compiler.process(value, **given)}, 1, {compiler.process(length, **given)})"
    return f"CAST({begin} AS TEXT)" if _is_bytes(value) else begin


@compiles(_Size)
def _size(element: Any, compiler: Any, **given: Any) -> str:
    (value,) = element.clauses
    return f"length({compiler.process(value, **given)})"


@compiles(_WithRowName)
def _with_row_name(element: Any, compiler: Any, **given: Any) -> str:
    value, row = (compiler.process(clause, **given) for clause in element.clauses)
    end = f"chr(10) || {row}"
    if _is_bytes(next(iter(element.clauses))):
        end = f"convert_to({end}, 'UTF8')"
    return f"{value} || {end}"


@compiles(_WithRowName, "sqlite")
def _with_row_name_in_sqlite(element: Any, compiler: Any, **given: Any) -> str:
    value, row = (compiler.process(clause, **given) for clause in element.clauses)
    if _is_bytes(next(iter(element.clauses))):
        return f"CAST(CAST({value} AS TEXT) || char(10) || {row} AS BLOB)"
    return f"{value} || char(10) || {row}"
