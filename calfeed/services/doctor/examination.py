"""Examine an installation: run every check that its settings allow."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from calfeed.errors import SettingsError, StoreError
from calfeed.services.doctor.addresses import check_public_url, check_server
from calfeed.services.doctor.clocks import check_clocks
from calfeed.services.doctor.database import check_database, look_at
from calfeed.services.doctor.definitions import check_definitions
from calfeed.services.doctor.findings import Finding, ok, problem
from calfeed.services.doctor.libraries import check_libraries, check_zone_data
from calfeed.services.doctor.running import Check, Once, run_checks
from calfeed.services.doctor.secrets import check_keys, check_rights
from calfeed.services.doctor.sending import (
    check_bounces,
    check_channels,
    check_endpoints,
    check_mail,
    check_push,
)
from calfeed.services.doctor.storage import check_file, check_space
from calfeed.settings import SETTINGS_FILE, Settings, find_secret_files, load_settings
from calfeed.store.database import Database
from calfeed.store.reports.database_condition import Condition

_SECONDS = 10.0
"""The time limit for all checks together.

Within it, each connection to a server has a limit of 4 seconds.
"""


def examine(now: datetime) -> list[Finding]:
    """Run all checks with the settings of this process, at `now` (UTC); return what they found.

    Without valid settings, only the checks that need no settings run. Changes nothing, and raises
    no error.
    """
    checks = [
        Check("Python", check_libraries),
        Check("zone data", lambda: check_zone_data(now.date())),
    ]
    try:
        settings = load_settings(protect=False)
    except SettingsError as error:
        findings = [problem("settings", line) for line in error.problems]
        findings.append(problem("settings", "most checks cannot run until these are corrected"))
        return findings + run_checks(checks, _SECONDS)
    place = f"{SETTINGS_FILE} and the environment" if SETTINGS_FILE.exists() else "the environment"
    findings = [ok("settings", f"valid in {place}")]
    return findings + run_checks([*checks, *_list_checks(settings, now)], _SECONDS)


def _list_checks(settings: Settings, now: datetime) -> Iterator[Check]:
    """Yield the checks that need settings, in the order of the report."""
    known = _Known(settings)
    yield Check(
        "definitions",
        lambda: check_definitions(settings.events, now.date(), published=known.is_published()),
    )
    yield from _list_database_checks(settings, known)
    yield Check("disk space", lambda: check_space(settings.data))
    yield Check("clock", lambda: check_clocks(known.condition(), now))
    yield Check("web server", lambda: check_server(settings, known.mark))
    yield Check("public URL", lambda: check_public_url(settings, known.mark, now))
    yield Check("endpoints", lambda: check_endpoints(known.condition()))
    yield Check("mail", lambda: check_mail(settings))
    yield Check("bounces", lambda: check_bounces(settings))
    yield Check("channels", lambda: check_channels(settings))
    yield Check("push", lambda: check_push(settings))


def _list_database_checks(settings: Settings, known: _Known) -> Iterator[Check]:
    try:
        database = Database(settings.database, settings.keys, looking=True)
    except StoreError as error:
        found = problem("database", str(error))
        yield Check("database", lambda: [found])
        return
    file = database.file.path if database.file is not None else None
    yield Check("database", lambda: check_database(database.name, known.result()))
    if file is not None:
        yield Check("database file", lambda: check_file(file))
    secret = [*find_secret_files(), settings.channels, settings.mail_dkim_key, database.keys]
    if file is not None:
        secret += [file, Path(f"{file}-wal"), Path(f"{file}-shm")]
    yield Check("secret files", lambda: check_rights(path for path in secret if path is not None))
    if (keys := database.keys) is not None:
        yield Check("keys", lambda: check_keys(keys, known.condition()))


class _Known:
    """What several checks need to know about the database, which is queried once."""

    def __init__(self, settings: Settings) -> None:
        self.result = Once(
            lambda: look_at(Database(settings.database, settings.keys, looking=True))
        )

    def condition(self) -> Condition | None:
        """Return the condition of the database, if it is known."""
        try:
            found = self.result()
        except StoreError:  # the URL is invalid
            return None
        return None if isinstance(found, StoreError) else found

    def is_published(self) -> bool:
        condition = self.condition()
        return condition is not None and condition.last_publish is not None

    def mark(self) -> str:
        condition = self.condition()
        return condition.mark if condition is not None else ""
