"""Nothing is lost when everything is killed, again and again, in the middle of delivering."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from calfeed.store.claims import LEASE
from tests.acceptance.receiver import Receiver
from tests.acceptance.site import Running, Site, until

KILLS = 10
MESSAGES = 1_000
PATIENCE = LEASE.total_seconds() + 60
"""What the last life had in hand comes back when its lease is over; in seconds."""

DRILL = """
name: Drill {number}
time_zone: UTC
reminders: [{rules}]
events:
"""
ENTRY = """
  drill-{index}:
    summary: Drill {index}
    start: {start:%Y-%m-%d %H:%M}
"""


def make_drill(number: int) -> str:
    """A calendar with 100 reminders, all of them due and not yet too late: 10 for each event."""
    start = datetime.now(UTC) + timedelta(hours=1)
    rules = ", ".join(f"{minutes} minutes" for minutes in range(70, 80))
    entries = [ENTRY.format(index=index, start=start) for index in range(10)]
    return DRILL.format(number=number, rules=rules) + "".join(entries)


@pytest.fixture
def drilled(empty_url: str, tmp_path: Path) -> Site:
    """A site once with each kind of database; PostgreSQL runs apart from what is killed."""
    return Site(tmp_path / "site", empty_url)


@pytest.fixture
def moments() -> list[int]:
    """After how many of its first posts each life ends."""
    return [random.randrange(1, 60) for _ in range(KILLS)]


def test_ten_kills_in_the_middle_of_a_thousand_messages_lose_none_and_make_no_second_id(
    drilled: Site, moments: list[int]
) -> None:
    """Each life adds a hundred messages and ends, all its processes at once, while it sends."""
    drilled.do("publish")
    unrecorded: set[str] = set()
    with Receiver(pause=0.005) as receiver:
        endpoint = drilled.ask("endpoint", "add", receiver.url, "--type", "reminder.due")
        for number, moment in enumerate(moments):
            drilled.write(f"drill-{number}.yaml", make_drill(number))
            with drilled.running("serve", "--processes", "1") as serve:
                until_sent(serve, receiver, number, moment)
                serve.kill_group()
            pending = deliveries_of(drilled, "--pending")
            assert pending, "killed when everything was delivered"
            unrecorded |= pending
        receiver.pause = 0
        with drilled.serving():
            until(lambda: len(distinct(receiver)) == MESSAGES, "every message", PATIENCE)
            until(lambda: not deliveries_of(drilled, "--pending"), "the end", PATIENCE)
    assert deliveries_of(drilled) == distinct(receiver)
    assert deliveries_of(drilled, "--failed") == set()
    ids = Counter(post.id for post in receiver.posts)
    assert {one for one, count in ids.items() if count > 1} <= unrecorded
    assert max(ids.values()) <= KILLS + 1
    told = [what_of(post.verify(endpoint["secret"])) for post in receiver.posts]
    assert len(set(told)) == MESSAGES
    pairs = {(post.id, what) for post, what in zip(receiver.posts, told, strict=True)}
    assert len(pairs) == MESSAGES, "what was sent twice had the same id and said the same"


def distinct(receiver: Receiver) -> set[str]:
    return {post.id for post in list(receiver.posts)}


def deliveries_of(site: Site, *words: str) -> set[str]:
    """The ids of the messages that the deliveries are of."""
    rows = site.ask("delivery", "list", "--limit", "10000", *words)
    return {row["message"] for row in rows}


def until_sent(serve: Running, receiver: Receiver, number: int, moment: int) -> None:
    """Wait until this life's definitions are published, and so many of its messages have come."""
    mark = f'"calendar":"drill-{number}"'.encode()

    def have_come() -> bool:
        assert serve.process.poll() is None, serve.everything
        return sum(mark in post.body for post in list(receiver.posts)) >= moment

    serve.until_it_says("reminders planned")
    until(have_come, f"{moment} messages of life {number}")


def what_of(message: dict[str, Any]) -> str:
    """What a message tells: the event, the moment it was due, the line for people."""
    data = message["data"]
    return f"{data['event']['uid']} {data['reminder']['due']} {data['text']}"
