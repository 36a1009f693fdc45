"""PostgreSQL behind a pooler, with a restricted role, and with replicas."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from calfeed.delivery.scheduler import WorkerScheduler
from calfeed.errors import StoreError
from calfeed.reminders.filters import Filters
from calfeed.store.database import Connection, Database
from calfeed.store.migrate import check_schema, migrate
from calfeed.store.notices import Listener, notify_listeners
from calfeed.web.published.state import State
from tests.acceptance.postgresql import Postgresql, run_postgresql, run_replica
from tests.delivery.office import Office, wait_until, working
from tests.delivery.receiver import PatientSender, Receiver
from tests.keys import KEYS
from tests.patience import PATIENCE
from tests.pooler import need_pgbouncer, pooled
from tests.publish.desk import BASE, STAY, Desk


@pytest.fixture
def engine() -> str:
    """PostgreSQL only."""
    return "postgresql"


@pytest.fixture
def through_pooler(empty_url: str, postgresql: str) -> Iterator[str]:
    """The URL of an empty database behind a pooler with two connections to it."""
    need_pgbouncer()
    name = make_url(empty_url).database
    with pooled(postgresql) as url:
        yield make_url(url).set(database=name).render_as_string(hide_password=False)


def publish_and_deliver(url: str) -> None:
    """Publish, notify, send and query."""
    with (
        closing(Database(url, KEYS)) as database,
        Receiver() as receiver,
        PatientSender(allow_private=True) as sender,
    ):
        migrate(database)
        office = Office(database, sender, receiver)
        office.subscribe(filters=Filters(types=("event.added", "reminder.due")))
        state = State(database, BASE, lambda: office.now)
        state.watch()
        worker = office.make_worker()
        scheduler = WorkerScheduler(worker, lambda: office.now)
        with Listener(database, worker.wake), working(worker):
            scheduler.start()
            office.publish(STAY.format(start="2025-06-30"))
            # Recorded too: the clock is put forward below, past the lease of what is in flight.
            wait_until(lambda: [row.state for row in office.deliveries()] == ["delivered"])
            wait_until(lambda: len(state.snapshot.calendars) == 1)
            office.now = office.reminders()[0].due
            wait_until(lambda: len(receiver.posts) == 2)
            scheduler.stop()
        state.stop()
        wait_until(lambda: {row.state for row in office.deliveries()} == {"delivered"})


def test_everything_works_behind_a_pooler_in_transaction_mode(through_pooler: str) -> None:
    publish_and_deliver(through_pooler)


def test_clients_of_a_pooler_share_no_session_state(through_pooler: str) -> None:
    """No prepared statements, transaction modes, settings or locks."""
    with (
        closing(Database(through_pooler, KEYS)) as one,
        closing(Database(through_pooler, KEYS)) as other,
    ):
        migrate(one)

        def use(number: int) -> tuple[str, str]:
            database = (one, other)[number % 2]
            if number % 3 == 0:
                with database.write_exclusive() as connection:
                    notify_listeners(connection)
                    return ask(connection), "write"
            if number % 3 == 1:
                with database.write() as connection:
                    return ask(connection), "write"
            with database.read() as connection:
                return ask(connection), "read"

        def ask(connection: Connection) -> str:
            names = "transaction_isolation", "transaction_read_only", "random_page_cost"
            found = [connection.scalar(text(f"SELECT current_setting('{name}')")) for name in names]
            return " ".join(found)

        with ThreadPoolExecutor(8) as pool:
            seen = set(pool.map(use, range(400)))
    assert seen == {("read committed off 1.1", "write"), ("repeatable read on 1.1", "read")}
    with psycopg.connect(through_pooler) as connection:
        (left,) = connection.execute("SELECT current_setting('random_page_cost')").fetchone() or ()
        assert left == "4"
        (locks,) = (
            connection.execute(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database ="
                " (SELECT oid FROM pg_database WHERE datname = current_database())"
            ).fetchone()
            or ()
        )
        assert locks == 0


def test_a_listener_does_nothing_behind_a_pooler(through_pooler: str) -> None:
    """A notification would reach another client; listeners poll anyway."""
    with closing(Database(through_pooler, KEYS)) as database:
        with database.listen("calfeed") as connection:
            assert connection is None
        listener = Listener(database, lambda: None)
        with listener:
            listener._thread.join(PATIENCE)
            assert not listener._thread.is_alive()


def test_a_role_without_create_privilege_suffices_after_migration(empty_url: str) -> None:
    with closing(Database(empty_url, KEYS)) as owner:
        migrate(owner)
    with psycopg.connect(empty_url) as connection:
        connection.execute("DROP ROLE IF EXISTS clerk")
        connection.execute("CREATE ROLE clerk LOGIN")
        for rights in ("SELECT, INSERT, UPDATE, DELETE ON ALL TABLES", "USAGE ON ALL SEQUENCES"):
            connection.execute(f"GRANT {rights} IN SCHEMA public TO clerk".encode())
    clerk = make_url(empty_url).set(username="clerk").render_as_string(hide_password=False)
    with closing(Database(clerk, KEYS)) as database, pytest.raises(StoreError, match="denied"):
        make_table(database)
    publish_and_deliver(clerk)


def make_table(database: Database) -> None:
    with database.write() as connection:
        connection.execute(text("CREATE TABLE mine (id integer)"))


@pytest.fixture
def primary(postgresql: str) -> Iterator[Postgresql]:
    """A separate server; `postgresql` skips the test if it is not installed."""
    with run_postgresql() as server:
        yield server


def test_a_promoted_replica_is_used(primary: Postgresql) -> None:
    """Committed rows are kept. Until the promotion, writing raises an error."""
    with closing(Database(primary.url, KEYS)) as database:
        migrate(database)
    with run_replica(primary) as replica:
        both = f"{primary.url}&host={replica.folder}&target_session_attrs=read-write"
        with (
            closing(Database(both, KEYS)) as database,
            closing(Database(replica.url, KEYS)) as other,
        ):
            desk, late = Desk(database), Desk(other)
            desk.publish(STAY.format(start="2025-06-30"))
            check_schema(other)
            with pytest.raises(StoreError, match="can only be read; it may be a replica"):
                late.publish(STAY.format(start="2025-06-30"))
            primary.stop_at_once()
            with pytest.raises(StoreError):
                database.check()
            replica.promote()
            assert desk.publish(STAY.format(start="2025-06-30")).empty
            assert not late.publish(STAY.format(start="2025-07-01")).empty
        primary.start()


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("postgresql://u:p@one:5432,two:5433/name", "one,two", "5432,5433"),
        ("postgresql://one,two/name?target_session_attrs=read-write", "one,two", ","),
        ("postgresql://u@/name?host=one:5432&host=two:5433", "one,two", "5432,5433"),
    ],
)
def test_a_url_may_name_several_hosts(url: str, host: str, port: str) -> None:
    with closing(Database(url, KEYS)) as database:
        _, given = database.engine.dialect.create_connect_args(database.engine.url)
    assert (given["host"], given["port"], given["dbname"]) == (host, port, "name")


def test_an_invalid_port_is_an_error() -> None:
    with pytest.raises(StoreError, match="is not a database URL"):
        Database("postgresql://u:secret@one:port/name")
