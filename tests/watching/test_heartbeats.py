"""Each web server and worker writes that it is running, and nothing depends on that it can."""

from __future__ import annotations

import json
import os
import time
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from calfeed import __version__
from calfeed.services.watching.heartbeat_writer import beating
from calfeed.services.watching.silent_workers import SilentWorkerDetector
from calfeed.store.database import Database
from calfeed.store.migrate import HEAD
from calfeed.store.tables import messages
from calfeed.store.watching.heartbeats import (
    SILENT_AFTER,
    Heartbeat,
    ProcessKind,
    list_heartbeats,
    write_heartbeat,
)
from tests.delivery.office import wait_until
from tests.patience import PATIENCE

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
WORKER = Heartbeat("a", ProcessKind.WORKER, "one.example", 7, "1.0", NOW, NOW)


def load(database: Database) -> list[Heartbeat]:
    with database.read() as connection:
        return list(list_heartbeats(connection))


def write(database: Database, *beats: Heartbeat) -> None:
    with database.write() as connection:
        for beat in beats:
            write_heartbeat(connection, beat)


def test_a_process_is_known_while_it_runs_and_leaves_when_it_stops(database: Database) -> None:
    with beating(database, ProcessKind.WEB, lambda: NOW):
        end = time.monotonic() + PATIENCE
        while not load(database) and time.monotonic() < end:
            pass
        (found,) = load(database)
        assert (found.kind, found.pid, found.version) == ("web", os.getpid(), __version__)
        assert (found.started, found.beaten) == (NOW, NOW)
        assert found.is_alive(NOW)
    assert load(database) == []


def test_a_process_that_stops_because_of_a_newer_schema_is_not_silent(database: Database) -> None:
    with beating(database, ProcessKind.WORKER, lambda: NOW):
        wait_until(lambda: bool(load(database)))
        database.require_schema("0000")
    database.require_schema(HEAD)
    assert load(database) == []


def test_a_heartbeat_replaces_the_one_before(database: Database) -> None:
    later = replace(WORKER, beaten=NOW + timedelta(seconds=15))
    write(database, WORKER, later)
    assert load(database) == [later]


def test_a_process_that_says_nothing_for_two_minutes_is_not_alive() -> None:
    assert WORKER.is_alive(NOW + SILENT_AFTER)
    assert not WORKER.is_alive(NOW + SILENT_AFTER + timedelta(seconds=1))


def test_a_heartbeat_of_a_clock_that_is_far_ahead_counts_as_silent() -> None:
    assert not WORKER.is_alive(NOW - timedelta(hours=1))


def test_heartbeats_of_another_day_are_deleted(database: Database) -> None:
    """Those that a fast clock wrote as well."""
    past = replace(WORKER, id="b", beaten=NOW - timedelta(hours=25))
    future = replace(WORKER, id="c", beaten=NOW + timedelta(hours=25))
    silent = replace(WORKER, id="d", beaten=NOW - timedelta(hours=23))
    write(database, past)
    write(database, silent, WORKER)
    assert load(database) == [WORKER, silent]
    write(database, future)
    write(database, WORKER)
    assert load(database) == [WORKER]


def test_a_process_runs_on_without_a_database(tmp_path: Path) -> None:
    with (
        closing(Database(f"sqlite:///{tmp_path}/none/calfeed.sqlite3")) as database,
        beating(database, ProcessKind.WORKER, lambda: NOW),
    ):
        pass
    assert not (tmp_path / "none").exists()


def reports(database: Database) -> list[dict[str, Any]]:
    """The data of the reports about silent workers."""
    with database.read() as connection:
        bodies = connection.scalars(select(messages.c.body).order_by(messages.c.at))
        return [json.loads(body)["data"] for body in bodies]


def look(detector: SilentWorkerDetector, database: Database, times: int = 1) -> None:
    for _ in range(times):
        with database.write() as connection:
            detector.check(connection, NOW)


def test_a_worker_that_falls_silent_is_reported_once_by_whoever_sees_it(
    database: Database,
) -> None:
    other = replace(WORKER, id="b", pid=8)
    web = replace(WORKER, id="c", kind=ProcessKind.WEB)
    write(database, WORKER, other, web)
    detectors = [SilentWorkerDetector(), SilentWorkerDetector()]
    for number in range(10):
        if number == 5:
            detectors.append(SilentWorkerDetector())  # of a process that starts later
        write(database, replace(other, beaten=NOW + timedelta(seconds=15 * number)))
        for detector in detectors:
            look(detector, database)
        assert len(reports(database)) == (number >= 3)
    (report,) = reports(database)
    assert (report["host"], report["pid"], report["others"]) == ("one.example", 7, 1)
    assert report["last_heartbeat"] == "2026-11-30T12:00:00Z"


def test_silence_is_not_measured_by_the_clock_of_another_machine(database: Database) -> None:
    """A worker whose clock is wrong is not silent, and one that stops at a wrong time is."""
    write(database, replace(WORKER, beaten=NOW - timedelta(hours=1)))
    detector = SilentWorkerDetector()
    look(detector, database)
    write(database, replace(WORKER, beaten=NOW - timedelta(minutes=59)))
    look(detector, database, times=3)
    assert reports(database) == []
    look(detector, database)
    assert len(reports(database)) == 1


def test_after_an_outage_of_the_database_nobody_is_silent_at_once(database: Database) -> None:
    write(database, WORKER)
    detector = SilentWorkerDetector()
    look(detector, database, times=3)
    detector.forget()
    look(detector, database, times=3)
    assert reports(database) == []


def test_a_worker_that_stops_is_not_silent(database: Database) -> None:
    detector = SilentWorkerDetector()
    with beating(database, ProcessKind.WORKER, lambda: NOW):
        look(detector, database, times=2)
    look(detector, database, times=5)
    assert reports(database) == []


def test_a_process_looks_at_the_others_when_it_beats(database: Database) -> None:
    write(database, WORKER)
    with beating(database, ProcessKind.WEB, lambda: NOW, timedelta(milliseconds=10)):
        wait_until(lambda: len(reports(database)) == 1)


def test_a_heart_that_cannot_write_is_not_beating(tmp_path: Path) -> None:
    interval = timedelta(milliseconds=10)
    with (
        closing(Database(f"sqlite:///{tmp_path}/none/calfeed.sqlite3")) as database,
        beating(database, ProcessKind.WORKER, lambda: NOW, interval) as writer,
    ):
        wait_until(lambda: not writer.is_beating())
