"""What `serve` does when the definitions change, or go away."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from calfeed.cli.watching import Publisher
from calfeed.settings import Settings
from calfeed.store.database import Database
from tests.patience import PATIENCE

CALENDAR = "name: Desk\ntime_zone: UTC\nevents: {it: {summary: It, start: 2030-01-01}}\n"


def test_a_folder_that_is_gone_before_it_is_watched_is_told_of_and_found_again(
    database: Database, tmp_path: Path
) -> None:
    folder = tmp_path / "events"
    folder.mkdir()
    (folder / "desk.yaml").write_text(CALENDAR)
    said: list[str] = []
    publisher = Publisher(database, Settings(events=folder), said.append)
    assert publisher.publish()
    folder.rename(tmp_path / "elsewhere")
    stopping = threading.Event()
    thread = threading.Thread(target=publisher.watch, args=(stopping, lambda: None), daemon=True)
    thread.start()
    wait_until_said(said, "does not exist")
    (tmp_path / "elsewhere" / "desk.yaml").write_text(CALENDAR.replace("2030", "2031"))
    (tmp_path / "elsewhere").rename(folder)
    wait_until_said(said, "1 January 2031")
    stopping.set()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert sum("does not exist" in line for line in said) == 1, "it is said once"


def wait_until_said(said: list[str], text: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not any(text in line for line in list(said)):
        assert time.monotonic() < deadline, said
