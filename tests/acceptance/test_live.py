"""`calfeed serve` while it runs: reminders on time, dates that move, files that break."""

from __future__ import annotations

import shutil
import sqlite3
from collections import Counter
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid5

from tests.acceptance.receiver import Receiver
from tests.acceptance.site import Site, split_feed, until
from tests.patience import longer_and_longer

FILE = "afghan-refugees-pakistan.yaml"
FEED = "/calendars/afghan-refugees-pakistan.ics"
OURS = UUID("8f7d2d6e-4a34-4d0b-9f0e-3f0f6f1f7a11")
STAY = str(uuid5(OURS, "afghan-refugees-pakistan/stay-ends"))
SHIPPED = date(2025, 6, 30)

SOON = """
name: Soon
time_zone: UTC
events:
  call:
    summary: The call begins
    start: {start:%Y-%m-%d %H:%M:%S}
    reminders: [1 minute]
"""


def test_a_webhook_arrives_within_a_second_of_its_due_time(site: Site, receiver: Receiver) -> None:
    with site.serving():
        endpoint = site.ask("endpoint", "add", receiver.url, "--type", "reminder.due")
        for number, seconds in enumerate(longer_and_longer(6), 1):
            due = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=seconds)
            start = due + timedelta(minutes=1)
            site.write(f"soon-{number}.yaml", SOON.format(start=start))
            until_told(receiver, number)
            post = receiver.posts[-1]
            message = post.verify(endpoint["secret"])
            assert datetime.fromisoformat(message["data"]["reminder"]["due"]) == due
            assert post.at >= due
            assert message["type"] == "reminder.due"
            assert message["data"]["occurrence"]["start"] == start.isoformat()
            assert "rehearsal" not in message
            if post.at < due + timedelta(seconds=1):
                break
        assert post.at < due + timedelta(seconds=1)
        assert message["data"]["reminder"]["late_seconds"] == 0


def reminders_kept(site: Site, starts: dict[date, str]) -> Counter[tuple[str, str]]:
    """The stay's reminders in the database, counted by which start they are for and state."""
    with closing(sqlite3.connect(site.folder / "var" / "calfeed.sqlite3")) as database:
        query = "SELECT begins / 1000000, state FROM reminders WHERE uid = ?"
        rows = database.execute(query, (STAY,)).fetchall()
    # Midnight in Karachi is 19:00 UTC on the day before.
    days = [datetime.fromtimestamp(begins, UTC) + timedelta(hours=5) for begins, _ in rows]
    return Counter((starts[day.date()], state) for day, (_, state) in zip(days, rows, strict=True))


def feed_with(site: Site, day: date) -> bytes:
    """The feed, as soon as it has the stay end on this day."""
    line = f"DTSTART;VALUE=DATE:{day:%Y%m%d}\r\n".encode()

    def look() -> bytes:
        feed, _ = site.get(FEED)
        return feed if line in feed else b""

    return until(look, f"the feed says {day}")


def until_told(receiver: Receiver, count: int) -> None:
    until(lambda: len(receiver.posts) == count, f"{count} messages")


def test_a_date_that_moves_reaches_the_feed_the_reminders_and_the_endpoint(
    site: Site, receiver: Receiver
) -> None:
    site.remind("afghan-refugees-pakistan")
    first = datetime.now(UTC).date() + timedelta(days=100)
    second = first + timedelta(days=60)
    starts = {first: "first", second: "second"}
    moves = [(SHIPPED, first), (first, second), (second, first)]
    site.do("installation", "--set", str(OURS))
    site.environment["CALFEED_GRACE"] = "0"
    with site.serving():
        site.ask("endpoint", "add", receiver.url)
        for count, (old, new) in enumerate(moves, 1):
            site.edit(FILE, f"start: {old}", f"start: {new}")
            vevent = split_feed(feed_with(site, new))[1][STAY]
            assert f"SEQUENCE:{count}\r\n".encode() in vevent
            until_told(receiver, count)
            message = receiver.posts[-1].message
            assert message["type"] == "event.moved"
            assert message["data"]["event"]["start"] == str(new)
            assert message["data"]["event"]["sequence"] == count
            assert message["data"]["previous"]["start"] == str(old)
            planned = [
                (entry["occurrence"]["start"], entry["state"])
                for entry in site.ask("reminders", "--to", str(second + timedelta(days=1)))
                if entry["event"] == "stay-ends"
            ]
            assert planned == [(str(new), "planned")] * 3
            kept = {(starts[new], "planned"): 3}
            if count > 1:
                kept[starts[old], "withdrawn"] = 3
            assert reminders_kept(site, starts) == kept


def test_a_slip_reaches_the_feed_and_nobody_else(site: Site, receiver: Receiver) -> None:
    day = datetime.now(UTC).date() + timedelta(days=100)
    slip = day + timedelta(days=365)
    site.edit(FILE, f"start: {SHIPPED}", f"start: {day}")
    site.do("publish")
    site.environment["CALFEED_GRACE"] = "3600"
    with site.serving() as serve:
        site.ask("endpoint", "add", receiver.url)
        site.edit(FILE, f"start: {day}", f"start: {slip}")
        assert feed_with(site, slip)
        serve.until_it_says("announced in 1 hour, unless it is changed again before")
        site.edit(FILE, f"start: {slip}", f"start: {day}")
        assert b"Was" not in feed_with(site, day)
        serve.until_it_says("nothing to announce: everything is as last announced")
        site.edit("un-observances.yaml", "Observed since 1948; the", "Kept since 1948; the")
        serve.until_it_says("event changed")
        assert "announced: 1 event changed" in site.do("publish", "--now")
        until_told(receiver, 1)
    (post,) = receiver.posts
    assert post.message["type"] == "event.changed"
    assert post.message["data"]["event"]["slug"] == "un-day"


def test_a_broken_file_has_every_mistake_shown_and_changes_nothing_until_it_is_mended(
    site: Site,
) -> None:
    site.remind("afghan-refugees-pakistan")
    good = (site.events / FILE).read_text("utf-8")
    bad = good
    for right, wrong in [
        ("color: darkorange", "color: darkornge"),
        ("start: 2025-06-30", "start: 2025-06-31"),
        ("kind: deadline", "kind: dedline"),
        ("location: Pakistan", "loction: Pakistan"),
        ("reminders: [1 month, 1 week, 1 day]", "reminders: [1 month, 1 weak, 1 day]"),
    ]:
        assert bad.count(right) == 1
        bad = bad.replace(right, wrong)
    lines = dict(enumerate(bad.splitlines(), 1))
    with site.serving() as serve:
        published = site.get(FEED)
        site.write(FILE, bad)
        serve.until_it_says("not published: 5 problems")
        for wrong in ("darkornge", "2025-06-31", "dedline", "loction", "1 weak"):
            (line,) = [number for number, text in lines.items() if wrong in text]
            assert f"events/{FILE}:{line}:" in serve.output
        assert site.get(FEED)[0] == published[0]
        assert site.etag(FEED) == published[1]["ETag"]
        site.write(FILE, good.replace("start: 2025-06-30", "start: 2025-12-31"))
        assert feed_with(site, date(2025, 12, 31)) != published[0]


def test_a_start_with_a_broken_file_serves_what_was_published_last(site: Site) -> None:
    site.do("publish")
    site.edit(FILE, "start: 2025-06-30", "start: someday")
    with site.serving() as serve:
        assert "not published: 1 problem" in serve.output
        assert b"DTSTART;VALUE=DATE:20250630\r\n" in site.get(FEED)[0]


def test_an_events_folder_that_goes_away_is_watched_again_when_it_is_back(site: Site) -> None:
    with site.serving() as serve:
        site.events.rename(site.folder / "elsewhere")
        serve.until_it_says("events: does not exist")
        shutil.copytree(site.folder / "elsewhere", site.events)
        serve.until_it_says("nothing to publish")
        site.edit(FILE, "start: 2025-06-30", "start: 2025-12-31")
        serve.until_it_says("moved from 30 June 2025 to 31 December 2025")


def test_an_edit_while_it_starts_is_published(site: Site) -> None:
    with site.running("serve") as serve:
        serve.until_it_says("12 events added")
        site.edit(FILE, "start: 2025-06-30", "start: 2025-12-31")
        serve.until_it_says("moved from 30 June 2025 to 31 December 2025")
