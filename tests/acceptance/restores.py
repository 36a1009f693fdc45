"""Back up, kill and restore calfeed at random moments, and prove that nothing contradicts itself.

`python -m tests.acceptance.restores` runs `calfeed serve` while files are saved and messages are
delivered. In each round it makes a backup, ends everything with SIGKILL, deletes the database half
of the time, restores the backup and starts again. It prints the figures, and fails where a database
is not sound, where a state of an event was told under two ids, or where a calendar app would not
end with what is published.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sqlite3
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.error import URLError

from tests.acceptance.sink import WELL, Record, Sink
from tests.acceptance.site import Running, Site, split_feed, until
from tests.acceptance.subscriber import Subscriber

_FEED = "/calendars.ics"

_CALENDAR = """
name: Round {number}
time_zone: UTC
reminders: [1 minute]
events:
  soon: {{summary: "{summary}", start: {soon:%Y-%m-%d %H:%M:%S}}}
  later: {{summary: "{summary}", start: 2031-01-01}}
"""


@dataclass
class App:
    """A calendar app that goes by SEQUENCE (RFC 5545, 3.8.7.4): an older one changes nothing."""

    known: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def read(self, feed: bytes) -> None:
        for uid, vevent in split_feed(feed)[1].items():
            found = re.search(rb"SEQUENCE:(\d+)", vevent)
            sequence = int(found[1]) if found else 0
            held = self.known.get(uid, (-1, b""))
            if sequence > held[0]:
                self.known[uid] = sequence, vevent
            elif vevent != held[1]:
                self.wrong.append(f"{uid}: {held[0]} is held, and {sequence} says something else")


class Trial:
    """A site whose `serve` is killed and restored; `saves` and `seconds` are of each round."""

    def __init__(self, folder: Path, endpoints: int, choose: random.Random) -> None:
        self._choose = choose
        self.site = Site(folder)
        self.site.environment["CALFEED_GRACE"] = "0"
        self.saves = 0
        self.app = App()
        self.subscriber = Subscriber(folder / "subscriber", self.site.environment)
        self.subscriber.subscribe("all", self.site.url + _FEED)
        self._endpoints = endpoints

    def begin(self, sink: Sink) -> None:
        """Publish, and add the endpoints."""
        self.site.do("publish")
        for number in range(self._endpoints):
            self.site.do("endpoint", "add", f"{sink.url}/{WELL}/{number}")

    def run_round(self, saves: int) -> None:
        """Save so many times while `serve` runs, back up at one of them, kill, and restore."""
        backup = self.site.folder / "backup.sqlite3"
        at = self._choose.randrange(saves)
        with _serve(self.site) as serve:
            for index in range(saves):
                self._save()
                if index == at:
                    self.site.do("backup", "--force", str(backup))
                self._look()
                # Not to wait for something: any moment may be the last.
                time.sleep(self._choose.uniform(0, 0.4))
            serve.kill_group()
        if self._choose.random() < 0.5:
            # With the machine's disk, so that nobody knows how far it had come. The keys come back
            # from where a copy of them is kept.
            for file in self._file.parent.iterdir():
                if file.name != self.site.keys.name:
                    file.unlink()
        self.site.do("restore", str(backup), "--yes")
        self.check_database()

    def end(self) -> None:
        """Let everything be published and sent, and see what two calendar apps have then."""
        with _serve(self.site):
            last = f"Save {self.saves}".encode()
            until(lambda: last in self._look(), "the last save is served")
            until(lambda: not self._is_busy(), "an end of every delivery")
            feed = self._look()
            self.subscriber.sync()
        self.check_database()
        published = split_feed(feed)[1]
        held = {uid: self.app.known[uid][1] for uid in published}
        other = [(held[uid], vevent) for uid, vevent in published.items() if held[uid] != vevent]
        assert not other, (other[:2], self.app.wrong[:3])
        assert len(self.subscriber.stored("all")) == len(published)

    def check_database(self) -> None:
        """Raise AssertionError where the database is not sound."""
        with closing(sqlite3.connect(self._file)) as database:
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert database.execute("PRAGMA foreign_key_check").fetchall() == []

    @property
    def _file(self) -> Path:
        return self.site.folder / "var" / "calfeed.sqlite3"

    def _save(self) -> None:
        """Write another calendar, or change an earlier one."""
        self.saves += 1
        number = self.saves if self.saves % 3 else self._choose.randrange(1, self.saves)
        soon = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=63)
        text = _CALENDAR.format(number=number, summary=f"Save {self.saves}", soon=soon)
        self.site.write(f"round-{number}.yaml", text)

    def _look(self) -> bytes:
        try:
            feed, _ = self.site.get(_FEED)
        except (URLError, ConnectionError):
            return b""
        self.app.read(feed)
        return feed

    def _is_busy(self) -> bool:
        with closing(sqlite3.connect(self._file)) as database:
            soon = (datetime.now(UTC) + timedelta(minutes=5)).timestamp() * 1_000_000
            query = (
                "SELECT (SELECT count(*) FROM deliveries WHERE state = 'pending')"
                " + (SELECT count(*) FROM messages WHERE fanned_out_to IS NOT NULL)"
                " + (SELECT count(*) FROM reminders WHERE state = 'planned' AND due < ?)"
            )
            return bool(database.execute(query, (soon,)).fetchone()[0])


@contextmanager
def _serve(site: Site) -> Iterator[Running]:
    # By one process: of two, one may be a moment behind, and what it says is not what came last.
    with site.running("serve", "--processes", "1") as serve:
        serve.until_it_says("Ctrl-C ends it.")
        yield serve


def find_doubles(record: Record) -> list[object]:
    """What was told to an endpoint under more than one id."""
    told: dict[tuple[str, str], set[str]] = defaultdict(set)
    read = {digest: _read(body) for digest, body in record.bodies.items()}
    for post in record.posts:
        told[post.path, read[post.body]].add(post.id)
    return [(what, ids) for what, ids in told.items() if len(ids) > 1]


def _read(body: bytes) -> str:
    """What a message tells of: a state of an event, or a reminder."""
    message = json.loads(body)
    data = message["data"]
    event = {name: value for name, value in data["event"].items() if name != "sequence"}
    if message["type"] != "reminder.due":
        return json.dumps(event, sort_keys=True)
    reminder = [data["occurrence"]["id"], data["occurrence"]["start"], data["reminder"]["rule"]]
    return json.dumps([event["uid"], *reminder])


def restore_again_and_again(
    folder: Path, *, rounds: int, saves: int, endpoints: int, seed: int
) -> None:
    """Run so many rounds, print the figures, and raise AssertionError where anything is wrong."""
    with Sink() as sink:
        trial = Trial(folder, endpoints, random.Random(seed))
        trial.begin(sink)
        for number in range(1, rounds + 1):
            trial.run_round(saves)
            print(f"{number} rounds, {trial.saves} saves, {sink.count} posts", flush=True)
        trial.end()
        record = sink.read()
    doubles = find_doubles(record)
    ids = {(post.path, post.id) for post in record.posts}
    print(f"{rounds:>8,}  backups, kills and restores")
    print(f"{trial.saves:>8,}  saves")
    print(f"{len(record.posts):>8,}  posts of {len(ids):,} deliveries")
    print(f"{len(doubles):>8,}  told under two ids")
    print(f"{len(trial.app.wrong):>8,}  changes that an app would overlook")
    assert not doubles, doubles[:3]
    assert not trial.app.wrong, trial.app.wrong[:3]


def main() -> None:
    """Run it as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--saves", type=int, default=8, help="in each round")
    parser.add_argument("--endpoints", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    began = time.monotonic()
    with TemporaryDirectory(prefix="calfeed-restores-") as name:
        restore_again_and_again(
            Path(name) / "site",
            rounds=asked.rounds,
            saves=asked.saves,
            endpoints=asked.endpoints,
            seed=asked.seed,
        )
    print(f"{time.monotonic() - began:>8,.0f}  seconds")


if __name__ == "__main__":
    main()
