"""What is private is sealed where it is stored: a calendar's own texts, its events, messages of it.

A calendar that becomes private is sealed with all that is kept of it. What is of a public one is
plain, unless it begins as what is sealed does.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, or_, select, text

from calfeed.errors import KeyFileError
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
)

ANY = ""
"""The calendar of what is of several, as a digest: it is private as soon as any calendar is."""

_AT_ONCE = 100


def find_private(connection: Connection) -> frozenset[str]:
    """The calendars that are private, or were when they were withdrawn; and `ANY` if there are."""
    found = frozenset(connection.scalars(select(calendars.c.slug).where(calendars.c.private)))
    return found | {ANY} if found else found


def seal_rows(
    connection: Connection,
    table: Table,
    rows: Iterable[Mapping[str, Any]],
    owners: Iterable[Collection[str]],
    private: frozenset[str] | None = None,
) -> list[dict[str, Any]]:
    """Rows to be written, with what is private in them sealed; `owners` are the calendars of each.

    `private` are the calendars that are; None: those that are stored as such. Raises KeyFileError
    where something has to be sealed and there is no key.
    """
    if private is None:
        private = find_private(connection)
    columns = [(each.name, places_of(each)) for each in table.columns if is_private(each)]
    sealed = []
    for given, slugs in zip(rows, owners, strict=True):
        row = dict(given)
        hidden = not private.isdisjoint(slugs)
        for name, places in columns:
            value = row.get(name)
            if value and (hidden or _looks_sealed(value)):
                place = places.of(*(row[each] for each in places.row))
                row[name] = keyring_of(connection).seal(place, value)
        sealed.append(row)
    return sealed


def _looks_sealed(value: str | bytes) -> bool:
    return value[: len(VERSION)] in (VERSION, VERSION.encode())


def seal_kept(connection: Connection, slugs: Collection[str]) -> None:
    """Seal all that is kept of calendars that have become private."""
    if not slugs:
        return
    sqlite = connection.dialect.name == "sqlite"
    if sqlite:
        # What is plain is not left in free space.
        connection.execute(text("PRAGMA secure_delete = ON")).close()
    keyring = keyring_of(connection)
    names = sorted(slugs)
    for begin in range(0, len(names), _AT_ONCE):
        for table, which in _kept_of(names[begin : begin + _AT_ONCE]):
            for column in filter(is_private, table.columns):
                _seal_column(connection, column, which, keyring)
    if sqlite:
        connection.execute(text("PRAGMA secure_delete = FAST")).close()


def _seal_column(
    connection: Connection, column: Any, which: ColumnElement[bool], keyring: Keyring
) -> None:
    plain = which & ~is_sealed(column)
    after: tuple[Any, ...] | None = None
    while True:
        after = rewrite(connection, column, places_of(column), plain, keyring.seal, after)
        if after is None:
            return


def _kept_of(slugs: Sequence[str]) -> Iterator[tuple[Table, ColumnElement[bool]]]:
    """What is kept of calendars: conditions on tables."""
    yield calendars, calendars.c.slug.in_(slugs)
    for table in (events, revisions, categories, readings):
        yield table, table.c.calendar.in_(slugs)
    own = select(events.c.uid).where(events.c.calendar.in_(slugs))
    yield renderings, renderings.c.uid.in_(own)
    yield messages, told_of(slugs) | messages.c.subject.contains(f'"calendar":"{ANY}"')
    changed = [f'"calendar": "{slug}"' for slug in slugs]
    yield publishes, or_(*map(raw(publishes.c.changes).contains, changed))


def told_of(slugs: Iterable[str]) -> ColumnElement[bool]:
    """The messages of calendars."""
    return or_(*(messages.c.subject.contains(f'"calendar":"{slug}"') for slug in slugs))


def readable(connection: Connection, column: Any) -> ColumnElement[bool]:
    """Where a column is not sealed, or with a key that there is."""
    keyring: Keyring | None = connection.get_execution_options().get(OPTION)
    try:
        keys = keyring.file.load() if keyring else ()
    except KeyFileError:
        keys = ()
    known = head(column, PREFIX_LENGTH).in_([prefix_of(one.id) for one in keys])
    return ~is_sealed(column) | known


def find_lost(connection: Connection) -> list[str]:
    """The private calendars that cannot be read as they are published, for want of a key."""
    private = find_private(connection)
    if not private:
        return []
    found: set[str] = set()
    for table, slug in ((calendars, calendars.c.slug), (events, events.c.calendar)):
        columns = [each for each in table.columns if is_private(each)]
        lost = or_(*(~readable(connection, each) for each in columns))
        found.update(connection.scalars(select(slug).where(slug.in_(private), lost).distinct()))
    return sorted(found)
