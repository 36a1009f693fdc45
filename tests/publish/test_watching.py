"""When `serve` publishes, as definitions change, are removed, and become unreadable."""

from __future__ import annotations

import itertools
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from calfeed.cli.serving import debounce
from calfeed.cli.serving.publisher import Publisher
from calfeed.cli.serving.watching import Watcher
from calfeed.settings import Settings
from calfeed.store.catalog.events import load_events
from calfeed.store.database import Database
from tests.patience import PATIENCE

CALENDAR = "name: Desk\ntime_zone: UTC\nevents:\n"
IT = "  it: {summary: It, start: 2030-01-01}\n"
MORE = "".join(f"  more-{n}: {{summary: More, start: 2030-02-0{n}}}\n" for n in range(1, 6))


# Which database it is makes no difference to when something is published.
pytestmark = pytest.mark.parametrize("engine", ["sqlite"])


class Desk:
    """A folder that is watched, by a clock that goes on when it is told to."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.folder = folder
        self.time = 1_000.0
        self.said: list[str] = []
        folder.mkdir(exist_ok=True)
        self.write(IT + MORE)
        settings = Settings(events=folder, grace=0)
        self.database = database
        self.publisher = Publisher(database, settings, self.said.append)
        self.watcher = Watcher(self.publisher, settings, self.said.append, lambda: self.time)
        self.run(2)

    def write(self, events: str, name: str = "desk.yaml") -> None:
        (self.folder / name).write_text(CALENDAR + events)

    def run(self, seconds: float) -> list[str]:
        """Let time pass, and return what was said meanwhile."""
        before = len(self.said)
        for _ in range(round(seconds * 4)):
            self.watcher.tick()
            self.time += 0.25
        return self.said[before:]

    def shown(self) -> dict[str, str]:
        """What is published: the status of each event that is not withdrawn."""
        with self.database.read() as connection:
            rows = load_events(connection)
        return {row.slug: row.revision.event.status for row in rows if row.withdrawn_at is None}


@pytest.fixture
def desk(database: Database, tmp_path: Path) -> Desk:
    return Desk(database, tmp_path / "events")


def test_what_is_added_and_moved_is_published_at_rest_and_not_before(desk: Desk) -> None:
    desk.write(IT.replace("2030", "2031") + MORE + "  new: {summary: New, start: 2030-05-05}\n")
    assert not desk.run(1)
    said = "\n".join(desk.run(0.75))
    assert "desk/it: moved from 1 January 2030 to 1 January 2031" in said
    assert "new" in desk.shown()


def test_what_goes_away_for_less_than_the_wait_was_never_away(desk: Desk) -> None:
    """A file that is written slowly, or a checkout in steps."""
    desk.write(MORE)
    (line,) = desk.run(3)
    assert line.startswith("1 event to withdraw: published when the definitions")
    desk.write(IT + MORE)
    assert desk.run(20) == ["nothing to publish: everything is as published"]
    assert "it" in desk.shown()


def test_what_stays_away_is_withdrawn_after_the_wait(desk: Desk) -> None:
    desk.write(MORE)
    assert len(desk.run(9)) == 1
    assert "it" in desk.shown()
    assert "desk/it: withdrawn" in "\n".join(desk.run(2))
    assert "it" not in desk.shown()


def test_a_cancellation_waits_as_well_and_what_else_was_changed_does_not(desk: Desk) -> None:
    desk.write(
        IT.replace("It,", "It, status: cancelled,") + MORE.replace("2030-02-01", "2030-03-01")
    )
    said = desk.run(2)
    assert "desk/more-1: moved" in said[0]
    assert said[1].startswith("1 event to cancel: ")
    assert desk.shown()["it"] == "confirmed"
    desk.run(9)
    assert desk.shown()["it"] == "cancelled"


SERIES = """  it:
    summary: It
    start: 2030-01-01
    repeat: {rule: FREQ=WEEKLY}
"""
ON = "2030-01-08"


@pytest.mark.parametrize(
    "shortened",
    [
        f"FREQ=WEEKLY, except: [{ON}]",
        f"FREQ=WEEKLY, changes: {{{ON}: {{status: cancelled}}}}",
        "FREQ=WEEKLY;COUNT=1",
        "FREQ=WEEKLY;UNTIL=20300101",
    ],
)
def test_a_cancelled_date_of_a_series_waits_as_well(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, shortened: str
) -> None:
    monkeypatch.setattr(desk.publisher, "_clock", lambda: datetime(2029, 12, 1, tzinfo=UTC))
    desk.write(SERIES + MORE)
    desk.run(12)
    desk.write(SERIES.replace("FREQ=WEEKLY", shortened) + MORE)
    (line,) = desk.run(9)
    assert line.startswith("1 event to cancel dates of: published when the definitions")
    desk.write(SERIES + MORE)
    assert desk.run(20) == ["nothing to publish: everything is as published"]
    desk.write(SERIES.replace("FREQ=WEEKLY", shortened) + MORE)
    assert "desk/it: changed: cancelled on 8 January 2030" in "\n".join(desk.run(13))


@pytest.mark.parametrize("left", ["", "    repeat: {rule: FREQ=MONTHLY;COUNT=2}\n"])
def test_what_is_left_of_a_series_waits_as_well(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, left: str
) -> None:
    monkeypatch.setattr(desk.publisher, "_clock", lambda: datetime(2029, 12, 1, tzinfo=UTC))
    desk.write(SERIES + MORE)
    desk.run(12)
    desk.write(SERIES.partition("    repeat")[0] + left + MORE)
    (line,) = desk.run(9)
    assert line.startswith("1 event to cancel dates of: ")


def test_a_date_more_or_another_place_of_one_does_not_wait(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk.publisher, "_clock", lambda: datetime(2029, 12, 1, tzinfo=UTC))
    desk.write(SERIES + MORE)
    desk.run(12)
    there = f"FREQ=WEEKLY, also: [2030-01-10], changes: {{{ON}: {{location: There}}}}"
    desk.write(SERIES.replace("FREQ=WEEKLY", there) + MORE)
    assert "desk/it: changed on 8 January 2030; also on 10 January 2030" in desk.run(2)[0]


def test_a_removal_that_is_seen_again_and_again_was_not_there_all_the_time(desk: Desk) -> None:
    """A slow writer writes the same file several times: it is whole for moments only."""
    for _ in range(8):
        desk.write(MORE)
        desk.run(2.5)
        desk.write(IT + MORE)
    desk.write(MORE)
    desk.run(9)
    assert "it" in desk.shown()
    desk.run(2)
    assert "it" not in desk.shown()


def test_another_removal_makes_the_wait_begin_anew(desk: Desk) -> None:
    desk.write(MORE)
    desk.run(8)
    desk.write(MORE.replace("  more-1:", "  another:"))
    desk.run(8)
    assert {"it", "more-1", "another"} <= desk.shown().keys()
    desk.run(4)
    assert {"it", "more-1"}.isdisjoint(desk.shown())


def test_a_calendar_that_is_gone_waits_and_one_with_a_new_name_does_not(desk: Desk) -> None:
    desk.write(IT, "other.yaml")
    desk.run(2)
    (desk.folder / "other.yaml").unlink()
    said = desk.run(3)
    assert said == ["1 calendar to withdraw, 1 event to withdraw: " + said[0].partition(": ")[2]]
    desk.write(IT, "other.yaml")
    desk.run(2)
    (desk.folder / "other.yaml").rename(desk.folder / "renamed.yaml")
    desk.write(IT + "formerly: [other]\n", "renamed.yaml")
    said = desk.run(3)
    assert "calendar other: withdrawn" in said[0]
    assert "to withdraw" not in "".join(said)


def test_too_much_to_withdraw_is_refused_after_the_wait_and_said_once(desk: Desk) -> None:
    desk.write(IT)
    assert len(desk.run(5)) == 1
    (line,) = desk.run(30)
    assert line.startswith("not published: this would withdraw 5 of the 6 coming events of desk")


def test_what_waits_is_looked_at_at_rest_before_it_is_published(desk: Desk) -> None:
    desk.write(MORE)
    desk.run(9.5)
    for _ in range(8):  # saved again and again over the end of the wait
        desk.write(MORE)
        desk.run(0.5)
        assert "it" in desk.shown()
    desk.run(11)
    assert "it" not in desk.shown()


def test_a_tree_that_changed_while_it_was_read_is_read_once_more(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when half of it was wrong: nothing is said of that."""
    publish, tries = desk.publisher.publish, []

    def change(*words: object, **more: object) -> object:
        files = words[0]
        tries.append(files)
        if len(tries) == 1:
            desk.write(IT.replace("2030", "2031") + MORE)
        return publish(*words, **more)  # type: ignore[arg-type] # passed on as they are

    monkeypatch.setattr(desk.publisher, "publish", change)
    desk.write("  half: [")
    (said,) = desk.run(5)
    assert said.startswith("> desk/it: moved from 1 January 2030 to 1 January 2031")
    assert len(tries) == 2


def test_a_folder_that_never_rests_is_reported_once(desk: Desk) -> None:
    said = []
    for number in range(200):
        desk.write(IT.replace("2030", str(2031 + number % 100)) + MORE)
        said += desk.run(0.5)
    (line,) = said
    assert "has been changing for a minute" in line
    assert "moved" in desk.run(2)[0]


def test_a_lock_that_git_left_behind_holds_up_for_a_minute_and_is_reported_once(
    desk: Desk,
) -> None:
    repository = desk.folder.parent / ".git"
    repository.mkdir()
    (repository / "index.lock").touch()
    desk.write(IT.replace("2030", "2031") + MORE)
    assert not desk.run(debounce.STALE_LOCK_SECONDS - 1)
    said = desk.run(3)
    assert said[0].startswith("git seems to be at work, since there is ")
    assert "moved" in said[1]
    desk.write(IT.replace("2030", "2032") + MORE)
    (line,) = desk.run(2)
    assert "moved" in line


def test_an_error_of_the_disk_is_said_once_and_read_again_until_it_is_over(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing changes at a file for that."""

    def fail(path: str) -> bytes:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr("calfeed.definitions.files._read", fail)
        desk.write(IT.replace("2030", "2031") + MORE)
        said = desk.run(20)
        assert said[0] == (
            "events/desk.yaml: cannot be read: input/output error; "
            "check the disk or the network share"
        )
        assert len(said) == 2
    assert "moved" in desk.run(3)[0]


def test_a_quiet_folder_is_published_at_once_at_the_start_and_a_busy_one_at_rest(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "desk.yaml").write_text(CALENDAR + IT)
    times = itertools.count(0.0, 0.2)
    said: list[str] = []
    settings = Settings(events=tmp_path, grace=0)

    def begin(age: float) -> None:
        changed = time.time() - age
        monkeypatch.setattr("calfeed.cli.serving.watching.last_change", lambda *_: changed)
        publisher = Publisher(database, settings, said.append)
        watcher = Watcher(publisher, settings, said.append, lambda: next(times))
        assert watcher.begin(threading.Event(), 10)

    begin(age=5)
    assert len(said) == 1
    begin(age=-50)
    assert said[1].endswith("is being changed; waiting until that is done")


def test_a_folder_that_is_gone_before_it_is_watched_is_told_of_and_found_again(
    database: Database, tmp_path: Path
) -> None:
    folder = tmp_path / "events"
    folder.mkdir()
    (folder / "desk.yaml").write_text(CALENDAR + IT)
    said: list[str] = []
    settings = Settings(events=folder, grace=0)
    watcher = Watcher(Publisher(database, settings, said.append), settings, said.append)
    stopping = threading.Event()
    assert watcher.begin(stopping, 20)
    folder.rename(tmp_path / "elsewhere")
    thread = threading.Thread(target=watcher.watch, args=(stopping, lambda: None), daemon=True)
    thread.start()
    wait_until_said(said, "does not exist")
    (tmp_path / "elsewhere" / "desk.yaml").write_text(CALENDAR + IT.replace("2030", "2031"))
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
        time.sleep(0.01)  # between two looks at another thread
