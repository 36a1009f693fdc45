"""Publish for `serve`: publish the definitions if they are valid, else report the problems."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from calfeed.cli import output
from calfeed.cli.advice import advise
from calfeed.cli.authors import find_owners, find_user
from calfeed.counting import count
from calfeed.definitions.code_digest import reader_version
from calfeed.definitions.files import DefinitionFile, find_files, load_definitions
from calfeed.definitions.reader import DefinitionReader
from calfeed.errors import (
    CalfeedError,
    DatabaseFileError,
    DefinitionError,
    DefinitionWarning,
    StoreError,
    UnreadableError,
)
from calfeed.publish import apply
from calfeed.publish.compare import NO_REMOVALS, Removals
from calfeed.publish.folder import shortened_feeds
from calfeed.publish.held_dates import next_lift
from calfeed.publish.plan import Plan
from calfeed.publish.show import describe_held, show_shortened, show_text, show_waiting, summarize
from calfeed.publish.skipped_calendars import StaleDefinitionsError
from calfeed.services.watching.refusals import report_refusal
from calfeed.settings import Settings
from calfeed.store.catalog.installation import load_uid_scheme
from calfeed.store.catalog.publishes import Author, latest_publish
from calfeed.store.database import Database
from calfeed.store.engines.sqlite import Identity


@dataclass(frozen=True)
class Outcome:
    """The outcome of a publish: whether it succeeded, which removals were held back, and whether to
    try again even if no file changes."""

    published: bool
    held: Removals = NO_REMOVALS
    again: bool = False


class Publisher:
    """Publishes the definitions; after a failure the last published state remains."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        echo: Callable[[str], None],
        clock: Callable[[], datetime] = output.now,
    ) -> None:
        self._clock = clock
        self._database = database
        self._settings = settings
        self._echo = echo
        self._reader = DefinitionReader(reader_version())
        self._failure: object = None
        self._held = NO_REMOVALS
        self._settled: frozenset[DefinitionFile] | None = None
        self._file: Identity | None = None
        self._lift: datetime | None = None
        self._warned: frozenset[DefinitionWarning] = frozenset()

    def publish(
        self, files: Sequence[DefinitionFile], *, hold_removals: bool = False
    ) -> Outcome | None:
        """Publish these files; return None if they changed meanwhile and have to be read again."""
        failure: CalfeedError | None = None
        try:
            file = self._database.identify()
            with self._database.read() as connection:
                uids = load_uid_scheme(connection)
            defined = load_definitions(
                self._settings.events, self._reader, uids, self._clock().date()
            )
        except CalfeedError as error:
            failure = error
        except Exception as error:
            # If calfeed fails to read a file because of a bug, the published state is still served.
            logging.getLogger("calfeed").exception("the definitions cannot be read")
            failure = CalfeedError(
                f"the definitions cannot be read because of a fault in calfeed "
                f"({type(error).__name__}); undo the last change of a file, and report it"
            )
        if find_files(self._settings.events) != files:
            return None
        try:
            if failure is not None:
                raise failure
            now = self._clock()
            plan = apply.publish(
                self._database,
                defined,
                now,
                self._settings.base_url,
                hold_removals=hold_removals,
                author=Author(self._find_author(files), "calfeed serve"),
                grace=self._settings.grace_time,
            )
            with self._database.read() as connection:
                shortened = shortened_feeds(connection, self._clock().year)
        except StaleDefinitionsError:
            return None
        except CalfeedError as error:
            self._report_failure(error, files)
            return Outcome(False, again=isinstance(error, StoreError | UnreadableError))
        self._failure, self._file = None, file
        self._lift = next_lift(defined, now)
        if not plan.held:
            self._settled = frozenset(files)
        self._report(plan)
        for line in [*show_waiting(plan, self._settings.grace_time), *show_shortened(shortened)]:
            self._echo(line)
        self._report_warnings(plan)
        return Outcome(True, plan.held)

    @property
    def stale(self) -> bool:
        """Whether to publish again: an embargo is over, or the database was replaced."""
        if self._lift is not None and self._clock() >= self._lift:
            return True
        with suppress(DatabaseFileError):
            return self._failure is None and self._database.identify() != self._file
        return False  # it is missing, and may be restored

    def anything_published(self) -> bool:
        """Whether there is a state to serve."""
        with self._database.read() as connection:
            return latest_publish(connection) > 0

    def _find_author(self, files: Sequence[DefinitionFile]) -> str | None:
        """Return the author: at first the user that runs `serve`, later the owners of the changed
        files."""
        if self._settled is None:
            self._settled = frozenset(files)
            return find_user()
        return find_owners({Path(entry.path) for entry in set(files) - self._settled})

    def _report(self, plan: Plan) -> None:
        if not (plan.empty and plan.held):
            brief = len(plan.changes) > 20
            self._echo(f"published: {summarize(plan)}" if brief else show_text(plan, titles=False))
        if plan.held and plan.held != self._held:
            self._echo(
                f"{describe_held(plan.held)}: published when the definitions have been "
                f"at rest for {self._settings.removal_wait} s"
            )
        self._held = plan.held

    def _report_warnings(self, plan: Plan) -> None:
        """Report each warning once, not after each save."""
        for warning in plan.warnings:
            if warning not in self._warned:
                self._echo(str(warning))
        self._warned = frozenset(plan.warnings)

    def _report_failure(self, error: CalfeedError, files: Sequence[DefinitionFile]) -> None:
        """Report why nothing was published, but not again for a retry."""
        if (str(error), files) == self._failure:
            return
        self._failure = (str(error), files)
        report_refusal(self._database, error, self._clock())
        if isinstance(error, DefinitionError):
            self._echo(str(error))
            self._echo(
                f"not published: {count(len(error.problems), 'problem')} in "
                f"{self._settings.events}; the last published state remains"
            )
        else:
            self._echo(f"not published: {advise(error)}")
