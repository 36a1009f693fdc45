"""The output of `serve` when it is ready."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from calfeed.cli import output
from calfeed.cli.serving.publisher import Publisher
from calfeed.cli.serving.startup import describe_start
from calfeed.definitions.files import find_files
from calfeed.settings import Settings
from calfeed.store.database import Database
from calfeed.store.migrate import migrate

CALENDAR = "name: Desk\ntime_zone: UTC\nevents: {it: {summary: It, start: 2030-01-01}}\n"


def test_the_feeds_that_are_told_of_are_those_that_answer(
    database: Database, tmp_path: Path
) -> None:
    (tmp_path / "desk.yaml").write_text(CALENDAR)
    (tmp_path / "board.yaml").write_text(f"visibility: private\n{CALENDAR}")
    settings = Settings(events=tmp_path)
    said: list[str] = []
    assert Publisher(database, settings, said.append).publish(find_files(tmp_path))
    told = "\n".join(describe_start(database, settings))
    assert "/calendars/desk.ics" in told
    assert "board" not in told


def test_new_keys_are_named_by_the_process_that_made_them_in_the_layout_of_the_rest(
    tmp_path: Path,
) -> None:
    for made in (True, False):
        with closing(Database(f"sqlite:///{tmp_path}/calfeed.sqlite3")) as database:
            migrate(database)
            lines = list(output.describe_new_keys(database))
        assert bool(lines) is made
        if made:
            head, advice = lines
            assert head == f"keys     {tmp_path}/calfeed.keys"
            assert advice.startswith(" " * 9)
            assert len(advice) <= 80
