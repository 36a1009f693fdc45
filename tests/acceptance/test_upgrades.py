"""A database of 0.1 with deliveries under way is upgraded by the documented steps, without loss.

And one of a newer version is refused: by processes that start, and by those that run. How the
databases of 0.1 were made is described in `upgrading/README.md`.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import psycopg
import pytest
from sqlalchemy import select, text
from sqlalchemy.engine import make_url
from standardwebhooks import Webhook

from calfeed.store.database import Database
from calfeed.store.migrate import HEAD
from calfeed.store.secrets.private_columns import raw
from calfeed.store.tables import deliveries, metadata
from tests.acceptance.clocks import Clock, find_library
from tests.acceptance.receiver import Post, Receiver
from tests.acceptance.site import Running, Site, until
from tests.patience import PATIENCE

FOLDER = Path(__file__).parent / "upgrading"
LEFT_AT = datetime(2026, 11, 2, 8, 10, tzinfo=UTC)
"""Some minutes after 0.1 was killed with deliveries in hand; all pending ones are due again."""

NEWER = "9999"


@dataclass(frozen=True)
class Left:
    """A delivery as 0.1 left it."""

    path: str
    secret: str
    state: str
    message: str
    body: bytes | None
    until: int | None

    @property
    def matters(self) -> bool:
        """Whether it is not too late for it."""
        return self.until is None or self.until > LEFT_AT.timestamp() * 1_000_000

    @property
    def is_resumed(self) -> bool:
        """Whether it is sent when its endpoint is resumed."""
        return self.path in ("/paused", "/gone") and self.state in ("held", "failed")


_LEFT = """
SELECT deliveries.id, replace(endpoints.url, 'http://receiver.example', ''), endpoints.secret,
  deliveries.state, messages.id, messages.body, messages.until
FROM deliveries
JOIN endpoints ON endpoints.id = endpoint_id
JOIN messages ON messages.id = message_id
"""


def load_left(engine: str, url: str, receiver: Receiver) -> dict[int, Left]:
    """Put the database of 0.1 in place, let its endpoints be the receiver's, and read it."""
    script = (FOLDER / f"0.1.{engine}.sql").read_text("utf-8")
    moved = (
        f"UPDATE endpoints SET url = replace(url, 'receiver.example', '127.0.0.1:{receiver.port}')"
    )
    connection: Any
    if engine == "sqlite":
        with closing(sqlite3.connect(make_url(url).database or "")) as connection:
            connection.executescript(script)
            rows = connection.execute(_LEFT).fetchall()
            connection.execute(moved)
            connection.commit()
    else:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(script.encode())
            connection.execute("SET search_path = public")
            rows = connection.execute(_LEFT.encode()).fetchall()
            connection.execute(moved.encode())
    return {row[0]: Left(*row[1:]) for row in rows}


@contextmanager
def started(site: Site) -> Iterator[None]:
    """The last step of an upgrade: publish, and start the others."""
    site.do("publish")
    # time.sleep() fails under libfaketime, and a web server needs no other time than today's.
    with site.running("worker"), site.running("web", environment={"LD_PRELOAD": ""}) as web:
        until(lambda: is_served(site, web), "a response")
        yield


def is_served(site: Site, web: Running) -> bool:
    assert web.process.poll() is None, web.everything
    with suppress(OSError):
        return site.get("/healthz")[0] == b"ok\n"
    return False


def test_an_upgrade_from_0_1_goes_on_with_every_delivery_where_it_was(
    engine: str, empty_url: str, tmp_path: Path
) -> None:
    """What is pending arrives with its id, bytes and secret, what is held when it is resumed."""
    site = Site(tmp_path / "site", empty_url)
    for path in site.events.iterdir():
        path.unlink()
    site.write("desk.yaml", (FOLDER / "desk.yaml").read_text("utf-8"))
    clock = Clock(find_library(), tmp_path)
    clock.set(LEFT_AT - datetime.now(UTC))
    site.environment |= clock.environment
    with Receiver() as receiver, closing(Database(empty_url, site.keys)) as database:
        left = load_left(engine, empty_url, receiver)
        assert {one.state for one in left.values()} == {
            *("pending", "held", "gathered", "delivered", "digested"),
            *("failed", "expired", "superseded", "dropped"),
        }
        done = site.run("worker")
        assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
        assert "run `calfeed publish`" in done.stderr
        with started(site):
            found = until_settled(database)
            assert found == {
                key: one.state
                if one.state != "pending"
                else ("delivered" if one.matters else "expired")
                for key, one in left.items()
            }
            due = [one for one in left.values() if one.state == "pending" and one.matters]
            check(receiver.posts, due)
            for one in site.ask("endpoint", "list"):
                if one["state"] in ("paused", "disabled"):
                    site.do("endpoint", "resume", one["id"])
            found = until_settled(database)
            due += [one for one in left.values() if one.is_resumed and one.matters]
            check(receiver.posts, due)
            assert found.keys() == left.keys(), "nothing is announced by the upgrade itself"
            assert {one.path for one in due} == {"/down", "/slow", "/paused", "/gone"}
            assert site.get("/calendars/desk.ics")[0].count(b"BEGIN:VEVENT") == 6


def until_settled(database: Database) -> dict[int, str]:
    """Wait until nothing is pending, and return the state of each delivery."""

    def look() -> dict[int, str]:
        with database.read() as connection:
            rows = connection.execute(select(deliveries.c.id, deliveries.c.state))
            found = {row.id: row.state for row in rows}
        return {} if "pending" in found.values() else found

    return until(look, "an end of every pending delivery")


def check(posts: list[Post], due: list[Left]) -> None:
    """Each has come once, with the id and the bytes that 0.1 gave it, signed with its secret."""
    expected = {(one.path, one.message): one for one in due}
    assert Counter((post.path, post.id) for post in posts) == Counter(expected.keys())
    for post in posts:
        one = expected[post.path, post.id]
        assert post.body == one.body
        sent = datetime.fromtimestamp(int(post.headers["webhook-timestamp"]), UTC)
        signature = Webhook(one.secret).sign(post.id, sent, post.body.decode())
        assert post.headers["webhook-signature"] == signature


def set_schema(database: Database, revision: str) -> None:
    with database.write_migration() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :now"), {"now": revision})


@pytest.fixture
def upgraded(site: Site, engine: str, empty_url: str) -> Iterator[tuple[Site, Database]]:
    """A site, and its database to let it be one of a newer version."""
    if engine == "postgresql":
        site.environment["CALFEED_DATABASE_URL"] = empty_url
    else:
        empty_url = f"sqlite:///{site.folder}/var/calfeed.sqlite3"
    site.do("publish")
    with closing(Database(empty_url, site.keys)) as database:
        yield site, database


def test_when_a_newer_version_migrates_a_worker_ends_and_feeds_are_served_on(
    upgraded: tuple[Site, Database],
) -> None:
    """Each says so in one line; once the schema is theirs again, web servers go on."""
    site, database = upgraded
    with site.running("web") as web, site.running("worker") as worker:
        until(lambda: len(site.ask("status")["processes"]) == 2, "heartbeats of both")
        until(lambda: is_served(site, web), "a response")
        feed = site.get("/calendars.ics")[0]
        set_schema(database, NEWER)
        assert worker.process.wait(PATIENCE) == 1
        assert len(worker.everything.splitlines()) == 1, worker.everything
        assert f"another version's schema now ({NEWER}" in worker.errors
        web.until_it_says("serving the last published state")
        with pytest.raises(HTTPError, match="503"):
            site.get("/readyz")
        assert site.get("/calendars.ics")[0] == feed
        set_schema(database, HEAD)
        web.until_it_says("the database is available again")
        assert len(web.everything.splitlines()) == 2, web.everything


def test_a_downgrade_is_refused_in_one_line_and_changes_nothing(
    upgraded: tuple[Site, Database],
) -> None:
    site, database = upgraded
    site.do("endpoint", "add", "http://127.0.0.1:9/hook")
    set_schema(database, NEWER)
    before = read_all(database)
    site.edit("un-observances.yaml", "time_zone:", "# another\ntime_zone:")
    for words in (
        *(["publish"], ["serve"], ["web"], ["worker"], ["diff"], ["endpoint", "list"]),
        *(["delivery", "list"], ["status"], ["replan"]),
    ):
        done = site.run(*words)
        assert done.returncode == 1, words
        assert done.stdout + done.stderr == done.stderr, words
        assert done.stderr.count("\n") == 1, done.stderr
        assert "newe" in done.stderr, done.stderr
    assert read_all(database) == before


def read_all(database: Database) -> dict[str, list[str]]:
    """Everything in a database."""
    with database.read() as connection:
        return {
            table.name: sorted(map(repr, connection.execute(select(*map(raw, table.columns)))))
            for table in metadata.sorted_tables
        }
