"""Encryption of private calendars: their texts, events, revisions and messages are sealed.

When a calendar becomes private, all its stored rows are sealed. Values of public calendars are
plain, except those that look like sealed ones.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, or_, select, text

from calfeed.errors import KeyFileError
from calfeed.store.bulk_parameters import batches
from calfeed.store.secrets.private_columns import head, is_private, is_sealed, places_of, raw
from calfeed.store.secrets.resealing import rewrite
from calfeed.store.secrets.sealing import (
    OPTION,
    PREFIX_LENGTH,
    VERSION,
    Keyring,
    keyring_of,
    prefix_of,
)
from calfeed.store.tables import (
    calendars,
    categories,
    events,
    messages,
    publishes,
    readings,
    renderings,
    revisions,
    translations,
)

ANY_CALENDAR = ""
"""The calendar of rows about several calendars: private as soon as any calendar is."""

_BATCH_SIZE = 100


def load_private_slugs(connection: Connection) -> frozenset[str]:
    """Load the calendars that are private, or were when withdrawn; if any, add `ANY_CALENDAR`."""
    slugs = frozenset(connection.scalars(select(calendars.c.slug).where(calendars.c.private)))
    return slugs | {ANY_CALENDAR} if slugs else slugs


def seal_rows(
    connection: Connection,
    table: Table,
    rows: Iterable[Mapping[str, Any]],
    owners: Iterable[Collection[str]],
    private: frozenset[str] | None = None,
) -> list[dict[str, Any]]:
    """Return rows to write, with private values sealed; `owners` are the calendars of each row.

    `private` are the private calendars; None means those that are stored as private. Raises
    KeyFileError if a value has to be sealed and there is no key.
    """
    if private is None:
        private = load_private_slugs(connection)
    columns = [(column.name, places_of(column)) for column in table.columns if is_private(column)]
    sealed = []
    for values, slugs in zip(rows, owners, strict=True):
        row = dict(values)
        has_private = not private.isdisjoint(slugs)
        for name, places in columns:
            value = row.get(name)
            if value and (has_private or _looks_sealed(value)):
                place = places.of(*(row[key] for key in places.row))
                row[name] = keyring_of(connection).seal(place, value)
        sealed.append(row)
    return sealed


def _looks_sealed(value: str | bytes) -> bool:
    return value[: len(VERSION)] in (VERSION, VERSION.encode())


def seal_stored(connection: Connection, slugs: Collection[str]) -> None:
    """Seal the stored rows of calendars that have become private."""
    if not slugs:
        return
    sqlite = connection.dialect.name == "sqlite"
    if sqlite:
        # Overwrite the plain values in free pages.
        connection.execute(text("PRAGMA secure_delete = ON")).close()
    keyring = keyring_of(connection)
    for batch in batches(sorted(slugs), _BATCH_SIZE):
        for table, condition in _rows_of_calendars(batch):
            for column in filter(is_private, table.columns):
                _seal_column(connection, column, condition, keyring)
    if sqlite:
        connection.execute(text("PRAGMA secure_delete = FAST")).close()


def _seal_column(
    connection: Connection, column: Any, condition: ColumnElement[bool], keyring: Keyring
) -> None:
    plain = condition & ~is_sealed(column)
    after: tuple[Any, ...] | None = None
    while True:
        after = rewrite(connection, column, places_of(column), plain, keyring.seal, after)
        if after is None:
            return


def _rows_of_calendars(slugs: Sequence[str]) -> Iterator[tuple[Table, ColumnElement[bool]]]:
    """Yield each table with rows about these calendars, and the condition for them."""
    yield calendars, calendars.c.slug.in_(slugs)
    for table in (events, revisions, categories, readings):
        yield table, table.c.calendar.in_(slugs)
    uids = select(events.c.uid).where(events.c.calendar.in_(slugs))
    yield renderings, renderings.c.uid.in_(uids)
    about = messages.c.calendar.in_([*slugs, ANY_CALENDAR])
    yield messages, about
    yield translations, translations.c.message_id.in_(select(messages.c.id).where(about))
    changed = [f'"calendar": "{slug}"' for slug in slugs]
    yield publishes, or_(*map(raw(publishes.c.changes).contains, changed))


def is_readable(connection: Connection, column: Any) -> ColumnElement[bool]:
    """Whether a value is plain, or sealed with a key that exists."""
    keyring: Keyring | None = connection.get_execution_options().get(OPTION)
    try:
        keys = keyring.file.load() if keyring else ()
    except KeyFileError:
        keys = ()
    known = head(column, PREFIX_LENGTH).in_([prefix_of(key.id) for key in keys])
    return ~is_sealed(column) | known


def find_unreadable_calendars(connection: Connection) -> list[str]:
    """Return the private calendars with published values whose key is missing."""
    private = load_private_slugs(connection)
    if not private:
        return []
    slugs: set[str] = set()
    for table, slug in ((calendars, calendars.c.slug), (events, events.c.calendar)):
        columns = filter(is_private, table.columns)
        unreadable = or_(*(~is_readable(connection, column) for column in columns))
        query = select(slug).where(slug.in_(private), unreadable)
        slugs.update(connection.scalars(query.distinct()))
    return sorted(slugs)
