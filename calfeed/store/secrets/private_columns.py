"""Columns whose values are sealed where their calendar is private, and plain where it is public.

Who reads such a column gets the plain value: the database gives what is sealed together with the
name of its row, and the column's type opens it. What cannot be opened is None. Who writes one
seals it first, with `store/private.py`.
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
"""Between what is sealed and the name of its row; neither has one."""

_log = logging.getLogger(__name__)

_keyrings: WeakKeyDictionary[Dialect, Keyring] = WeakKeyDictionary()


def give_keys(engine: Engine, keyring: Keyring) -> None:
    """Let what an engine reads be opened with these keys."""
    _keyrings[engine.dialect] = keyring


class _Private(TypeDecorator[Any]):
    """A value that may be sealed. Its row is named by the columns `row` of the table."""

    def __init__(self, table: str, column: str, row: tuple[str, ...]) -> None:
        super().__init__()
        self.table = table
        self.column = column
        self.row = row

    def column_expression(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        plain = column.element if isinstance(column, Label) else column
        siblings = plain.table.c
        placed: ColumnElement[Any] = _Placed(raw(plain), _name([siblings[one] for one in self.row]))
        return type_coerce(case((is_sealed(plain), placed), else_=raw(plain)), self)

    def place(self, row: str) -> str:
        """The place of what is sealed in a row of this name."""
        return f"{self.table}:{row}:{self.column}"


class PrivateText(_Private):
    """A text that is sealed where its calendar is private."""

    impl = Text
    cache_ok = True

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None or not value.startswith(VERSION):
            return value
        sealed, _, row = value.partition(_SEPARATOR)
        opened = _open(dialect, self.place(row), sealed.encode("ascii", "replace"))
        return None if opened is None else opened.decode()


class PrivateBytes(_Private):
    """Bytes that are sealed where their calendar is private."""

    impl = LargeBinary
    cache_ok = True

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        if value is None or not value.startswith(VERSION.encode()):
            return value
        sealed, _, row = value.partition(_SEPARATOR.encode())
        return _open(dialect, self.place(row.decode()), sealed)


def raw(column: Any) -> Any:
    """A column as it is stored: what is sealed stays sealed."""
    kind = column.type
    return type_coerce(column, kind.impl_instance) if isinstance(kind, _Private) else column


def places_of(column: Any) -> Places:
    """The places of what is sealed in a column of the tables."""
    kind = column.type
    return Places(column, kind.row if isinstance(kind, _Private) else ())


def is_private(column: Any) -> bool:
    """Whether a column's values are sealed where their calendar is private."""
    return isinstance(column.type, _Private)


def is_sealed(column: Any) -> ColumnElement[bool]:
    """Whether what is stored is sealed."""
    sealed: ColumnElement[bool] = head(column, len(VERSION)) == literal_column(f"'{VERSION}'")
    return sealed


def head(column: Any, length: int) -> ColumnElement[str]:
    """The first characters of what is stored, as a text."""
    found: ColumnElement[str] = _Head(raw(column), literal_column(str(length)))
    return found


def plain_size(column: Any) -> ColumnElement[int]:
    """How many bytes a value has, or had before it was sealed."""
    size: Any = _Size(raw(column))
    # Four characters for three bytes, among them a nonce and a tag of 28 together.
    bytes_sealed = (size - literal_column(str(PREFIX_LENGTH))) * 3 / literal_column("4")
    return case((is_sealed(column), bytes_sealed - literal_column("28")), else_=size)


def _name(row: list[ColumnElement[Any]]) -> ColumnElement[str]:
    """The name of a row as `Places.of` makes it, made by the database."""
    texts = [
        cast(cast(each, Integer) if isinstance(each.type, Boolean) else each, Text) for each in row
    ]
    name: Any = texts[0]
    for each in texts[1:]:
        name = name + literal_column("'/'") + each
    return name  # type: ignore[no-any-return]  # what `+` makes of expressions has no type


def _open(dialect: Dialect, place: str, sealed: bytes) -> bytes | None:
    keyring = _keyrings.get(dialect)
    try:
        if keyring is None:
            raise SealError("no file of keys was named")
        return keyring.open_bytes(place, sealed)
    except SealError as error:
        _complain(str(error))
        return None


@cache
def _complain(why: str) -> None:
    """Log, once, that something private cannot be read; all else goes on."""
    _log.error("something of a private calendar cannot be read, and is left out: %s", why)


class _Head(FunctionElement[str]):
    name = "head"
    type = Text()
    inherit_cache = True


class _Size(FunctionElement[int]):
    name = "size"
    type = Integer()
    inherit_cache = True


class _Placed(FunctionElement[Any]):
    name = "placed"
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


@compiles(_Placed)
def _placed(element: Any, compiler: Any, **given: Any) -> str:
    value, row = (compiler.process(each, **given) for each in element.clauses)
    end = f"chr(10) || {row}"
    if _is_bytes(next(iter(element.clauses))):
        end = f"convert_to({end}, 'UTF8')"
    return f"{value} || {end}"


@compiles(_Placed, "sqlite")
def _placed_in_sqlite(element: Any, compiler: Any, **given: Any) -> str:
    value, row = (compiler.process(each, **given) for each in element.clauses)
    if _is_bytes(next(iter(element.clauses))):
        return f"CAST(CAST({value} AS TEXT) || char(10) || {row} AS BLOB)"
    return f"{value} || char(10) || {row}"
