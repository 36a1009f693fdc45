"""A database file that is deleted, replaced or damaged while calfeed runs is noticed and said."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.error import HTTPError, URLError

import pytest

from tests.acceptance.receiver import Receiver
from tests.acceptance.site import Site, until

FEED = "/calendars/un-observances.ics"


def readiness(site: Site) -> tuple[int, str]:
    try:
        return 200, site.get("/readyz")[0].decode()
    except HTTPError as error:
        return error.code, error.read().decode()
    except (URLError, ConnectionError):
        return 0, ""


def file_of(site: Site) -> Path:
    return site.folder / "var" / "calfeed.sqlite3"


def copy_of(site: Site) -> Path:
    """A consistent copy of the database, made beside it."""
    copy = site.folder / "copy.sqlite3"
    with closing(sqlite3.connect(file_of(site))) as one, closing(sqlite3.connect(copy)) as other:
        one.backup(other)
    return copy


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (Path.unlink, "file is gone"),
        (lambda path: path.write_text("nonsense"), "file is damaged"),
    ],
)
def test_what_befalls_the_file_is_said_and_the_feeds_are_served_on(
    site: Site, receiver: Receiver, harm: Callable[[Path], object], said: str
) -> None:
    """No message is sent meanwhile, and the exit code is 1."""
    site.environment["CALFEED_GRACE"] = "0"
    with site.serving() as serve:
        site.ask("endpoint", "add", receiver.url)
        feed, _ = site.get(FEED)
        harm(file_of(site))
        until(lambda: readiness(site)[0] == 503, "it is not ready")
        assert said in readiness(site)[1]
        site.edit("un-observances.yaml", "Observed since 1948; the", "Kept since 1948; the")
        serve.until_it_says("not published: ")
        assert site.get(FEED)[0] == feed
        until(lambda: "worker: " in serve.errors and "web: " in serve.errors, "each says it")
        assert serve.end() == 1
        assert f"calfeed: the database file {file_of(site)} {said[5:]}" in serve.errors
        assert "Traceback" not in serve.everything
    assert not receiver.posts


def test_a_file_that_takes_the_place_of_another_is_taken_up_by_every_part(
    site: Site, receiver: Receiver
) -> None:
    """What was published since the copy was made is published again, and receivers are told."""
    site.environment["CALFEED_GRACE"] = "0"
    with site.serving() as serve:
        site.ask("endpoint", "add", receiver.url)
        copy = copy_of(site)
        site.edit("un-observances.yaml", "Observed since 1948; the", "Kept since 1948; the")
        (first,) = until(lambda: receiver.posts, "the change")
        file_of(site).unlink()
        until(lambda: readiness(site)[0] == 503, "it is not ready")
        for ending in ("-wal", "-shm"):
            Path(f"{file_of(site)}{ending}").unlink(missing_ok=True)
        shutil.move(copy, file_of(site))
        until(lambda: readiness(site)[0] == 200, "it is ready again")
        until(lambda: len(receiver.posts) == 2, "the change once more")
        assert receiver.posts[1].id == first.id
        assert b"Kept since 1948" in site.get(FEED)[0]
        assert serve.end() == 0, serve.everything
    with closing(sqlite3.connect(file_of(site))) as database:
        assert database.execute("SELECT count(*) FROM publishes").fetchone() == (2,)
        states = database.execute("SELECT state FROM deliveries").fetchall()
    assert states == [("delivered",)]
