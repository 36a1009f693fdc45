"""Publishing for `serve`: at the start, and at each save of a definition file."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import watchfiles

from calfeed.cli import output
from calfeed.cli.authors import find_owners, find_user
from calfeed.definitions.files import load_definitions
from calfeed.definitions.reader import DefinitionReader
from calfeed.definitions.values import text_in
from calfeed.errors import (
    CalfeedError,
    DatabaseFileError,
    DefinitionError,
    DefinitionWarning,
    StoreError,
)
from calfeed.publish import apply
from calfeed.publish.plan import HORIZON, Plan
from calfeed.publish.show import show_shortened, show_text, show_waiting, summarize
from calfeed.publish.windows import Planned, load_window
from calfeed.settings import Settings
from calfeed.store import catalog
from calfeed.store.database import Database
from calfeed.store.installation import load_scheme
from calfeed.store.publishes import Author
from calfeed.store.sqlite import Identity
from calfeed.store.visibility import is_public

# Milliseconds: an editor writes a file in several steps; two seconds are the promise.
_SETTLE, _LOOK = 200, 50
_CHECK = 500

_Stamp = frozenset[tuple[str, int, int, int]]


class Publisher:
    """Publishes what is valid; reports what is not, and leaves the last good state in place."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        say: Callable[[str], None],
        clock: Callable[[], datetime] = output.now,
    ) -> None:
        self._clock = clock
        self._database = database
        self._settings = settings
        self._say = say
        self._reader = DefinitionReader()
        self._missed = False
        self._seen: _Stamp = frozenset()
        self._settled: _Stamp | None = None
        self._file: Identity | None = None
        self._warned: frozenset[DefinitionWarning] = frozenset()

    def publish(self) -> bool:
        """Publish the definitions as they are now; False where that was not possible."""
        self._seen = _look_at(self._settings.events)
        author = Author(self._find_author(), "calfeed serve")
        try:
            file = self._database.identify()
            with self._database.read() as connection:
                uids = load_scheme(connection)
            defined = load_definitions(
                self._settings.events, self._reader, uids, output.now().date()
            )
            plan = apply.publish(
                self._database,
                defined,
                self._clock(),
                self._settings.base_url,
                author=author,
                grace=self._settings.grace_time,
            )
        except DefinitionError as error:
            self._missed = False
            self._say(str(error))
            self._say(
                f"not published: {output.count(error.problems, 'problem')} in "
                f"{self._settings.events}; the last published state stays"
            )
            return False
        except CalfeedError as error:
            # The database may be back in a moment; said once, not at each try.
            if not (self._missed and isinstance(error, StoreError)):
                self._say(f"not published: {error}")
            self._missed = isinstance(error, StoreError)
            return False
        self._missed = False
        self._settled = self._seen
        self._file = file
        self._say(f"published: {summarize(plan)}" if len(plan.changes) > 20 else show_text(plan))
        with self._database.read() as connection:
            shortened = apply.shortened_feeds(connection, self._clock().year)
        for line in [*show_waiting(plan, self._settings.grace_time), *show_shortened(shortened)]:
            self._say(line)
        self._say_warnings(plan)
        return True

    def _say_warnings(self, plan: Plan) -> None:
        """Say each warning once, not again at each save."""
        for warning in plan.warnings:
            if warning not in self._warned:
                self._say(str(warning))
        self._warned = frozenset(plan.warnings)

    @property
    def stale(self) -> bool:
        """Whether the database is another one than that which it last published to."""
        with suppress(DatabaseFileError):
            return self._database.identify() != self._file
        return False  # there is none: it may come back

    def _find_author(self) -> str | None:
        """At the start who runs `serve`; then whose files were saved since the last publish."""
        if self._settled is None:
            self._settled = self._seen
            return find_user()
        return find_owners({Path(path) for path, *_ in self._seen - self._settled})

    def anything_published(self) -> bool:
        """Whether there is a state to serve."""
        with self._database.read() as connection:
            return catalog.latest_publish(connection) > 0

    def watch(self, stopping: threading.Event, between: Callable[[], None]) -> None:
        """Publish after each change until stopped; `between` is called twice a second.

        A publish that failed because of the database is tried again until it is done. What the
        system does not report is found by looking: a change from before the watch began, one in
        a folder that took the watched one's place, or on a file system that reports none.
        """
        while True:
            # Only a folder can be watched; until there is one, what is published stays.
            with suppress(FileNotFoundError):
                self._follow(stopping, between)
            if stopping.wait(_CHECK / 1000):
                return
            self._notice()
            between()

    def _follow(self, stopping: threading.Event, between: Callable[[], None]) -> None:
        changes = watchfiles.watch(
            self._settings.events,
            stop_event=stopping,
            debounce=_SETTLE,
            step=_LOOK,
            rust_timeout=_CHECK,
            yield_on_timeout=True,
            raise_interrupt=False,
        )
        for changed in changes:
            if changed:
                self.publish()
            else:
                self._notice()
            between()

    def _notice(self) -> None:
        """Publish where that is still to be done, or something is not as it was then."""
        if self._missed or self.stale or _look_at(self._settings.events) != self._seen:
            self.publish()


def _look_at(folder: Path) -> _Stamp:
    """What tells one state of a folder's files from another, without reading them."""
    found = set()
    with suppress(OSError):  # one that goes away meanwhile is seen the next time
        for path in folder.rglob("*.y*ml"):
            status = path.stat()
            found.add((str(path), status.st_ino, status.st_size, status.st_mtime_ns))
    return frozenset(found)


def describe_start(database: Database, settings: Settings) -> Iterator[str]:
    """What a person wants to know first: where the pages and public feeds are, what fires next."""
    with database.read() as connection:
        rows = catalog.load_calendars(connection).values()
        public = [row.slug for row in rows if not row.withdrawn and is_public(connection, row.slug)]
    yield f"pages    {settings.base_url}/"
    yield f"feeds    {settings.base_url}/calendars.ics"
    for slug in public:
        yield f"         {settings.base_url}/calendars/{slug}.ics"
    now = output.now()
    coming = load_window(database, now, now + HORIZON)
    yield f"next     {_describe_first(coming)}"


def _describe_first(coming: list[Planned]) -> str:
    if not coming:
        return f"no reminder within {HORIZON // timedelta(days=1)} days"
    first = coming[0].reminder
    due = first.due.astimezone(first.event.zone)
    count = len(coming[0].endpoints)
    return (
        f"{due:%Y-%m-%d %H:%M %Z}: {text_in(first.event.summary, first.event.language)}, "
        f"{first.rule}, to {count} endpoint{'' if count == 1 else 's'}"
    )
