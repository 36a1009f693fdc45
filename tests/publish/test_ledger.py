"""A ledger in a file says as much as a database that was kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from calfeed.definitions.reader import read_definitions
from calfeed.definitions.result import Definitions
from calfeed.errors import InvalidInputError
from calfeed.ical.variants import PLAIN
from calfeed.ical.vevent import RENDERER
from calfeed.publish.apply import publish
from calfeed.publish.ledger import EMPTY, extend, fill, read_ledger, write_ledger
from calfeed.store.catalog.events import load_events
from calfeed.store.database import Database
from calfeed.store.migrate import migrate
from calfeed.web.pages.export import make_site

pytestmark = pytest.mark.slow

BASE = "https://dates.example.org"
NOW = datetime(2026, 3, 1, 12, 0, 0, 250_000, UTC)

HEAD = """
name: {en: Desk, ur: ڈیسک}
time_zone: America/New_York
reminders: [1 week, {before: 1 day, at: "08:30"}]
events:
  standing:
    summary: {en: The desk meets, ur: ڈیسک کا اجلاس}
    start: 2026-03-02 10:30
    duration: 45 minutes
    repeat: {rule: FREQ=WEEKLY, changes: {2026-03-09 10:30: {status: cancelled}}}
"""
VISIT = """
  visit:
    summary: The visit
    start: {start}
    note: {note}
    sources: [{{title: A letter, url: "https://example.org/letter", date: 2026-02-01}}]
"""

# What is in the file, and how many days after the publish before.
STEPS = [
    (HEAD + VISIT.format(start="2026-05-04 09:00", note="first"), 0),
    (HEAD + VISIT.format(start="2026-05-11 09:00", note="put off"), 3),
    (HEAD + VISIT.format(start="2026-05-11", note="all day"), 2),
    (HEAD, 1),
    (HEAD, 100),
    (HEAD + VISIT.format(start="2026-11-02", note="it comes back"), 20),
]
WITHDRAWN = 3
"""The first step without the visit."""


@contextmanager
def new_database(folder: Path, name: str) -> Iterator[Database]:
    database = Database(f"sqlite:///{folder / name}.sqlite3")
    migrate(database)
    yield database
    database.close()


def read(text: str) -> Definitions:
    return read_definitions({"events/desk.yaml": text.encode()})


def test_from_run_to_run_a_ledger_makes_the_site_that_a_kept_database_makes(
    tmp_path: Path,
) -> None:
    """Through moves, a withdrawal, its end in the feed, and a return: all files are the same.

    They hold what was before, so they are compared from the withdrawal on.
    """
    text, now = write_ledger(EMPTY), NOW
    with new_database(tmp_path, "kept") as kept:
        for number, (source, days) in enumerate(STEPS):
            now += timedelta(days=days)
            publish(kept, read(source), now, BASE, allow_removals=True)
            with new_database(tmp_path, f"run-{number}") as database:
                ledger = read_ledger(text)
                with database.write() as connection:
                    fill(connection, ledger)
                plan = publish(database, read(source), now, BASE, allow_removals=True)
                with database.read() as connection:
                    text = write_ledger(extend(connection, ledger, plan, now))
                if number >= WITHDRAWN:
                    assert dict(make_site(database, BASE, now)) == dict(make_site(kept, BASE, now))
    last = read_ledger(text)
    visit = max(last.events.values(), key=lambda one: len(one.revisions))
    kinds = [entry.kind for entry in visit.revisions]
    assert kinds == ["added", "moved", "moved", "withdrawn", "added"]
    assert [entry.revision.sequence for entry in visit.revisions] == [0, 1, 2, 3, 4]


def test_a_ledger_of_an_older_calfeed_gives_what_is_rendered_anew_the_next_sequence(
    tmp_path: Path,
) -> None:
    (source, _), text, now = STEPS[0], write_ledger(EMPTY), NOW
    sequences = []
    for number in range(3):
        now += timedelta(days=1)
        with new_database(tmp_path, f"run-{number}") as database:
            ledger = read_ledger(text)
            with database.write() as connection:
                fill(connection, ledger)
            plan = publish(database, read(source), now, BASE)
            with database.read() as connection:
                text = write_ledger(extend(connection, ledger, plan, now))
                rows = load_events(connection)
        sequences.append([row.revision.sequence for row in rows])
        if number == 0:
            text = text.replace(f'"renderer": {RENDERER}', f'"renderer": {RENDERER - 1}')
    assert sequences == [[0, 0], [1, 1], [1, 1]]
    assert all(b"SEQUENCE:1\r\n" in row.vevents[PLAIN] for row in rows)


def test_a_ledger_reads_as_it_was_written(tmp_path: Path) -> None:
    with new_database(tmp_path, "one") as database:
        plan = publish(database, read(STEPS[0][0]), NOW, BASE)
        with database.read() as connection:
            ledger = extend(connection, EMPTY, plan, NOW)
    assert read_ledger(write_ledger(ledger)) == ledger
    assert ledger.publishes == (NOW,)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"format": 9}', "format: "),
        ('{"format": 1, "events": {"a": {"revisions": []}}}', r"events\.a\.revisions: "),
        (
            '{"format": 1, "calendars": {"a": {"content": {}, "publish": 1}}}',
            "refers to publishes that it does not contain",
        ),
        ("<<<<<<< ours", "JSON"),
    ],
)
def test_what_is_no_ledger_is_said_to_be_none(text: str, said: str) -> None:
    with pytest.raises(InvalidInputError, match=f"not a ledger .*{said}"):
        read_ledger(text)
