"""The requests that web processes counted are in the database when they end."""

from __future__ import annotations

import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from urllib.error import HTTPError

import pytest

from calfeed.store.database import Database
from calfeed.store.reports.poll_counts import PollCounts
from calfeed.store.reports.polls import load_polls
from tests.acceptance.site import Site
from tests.patience import PATIENCE

FEED = "/calendars/pakistan-unga-2024.ics"
AGENT = "Wunderkammer-4711/0.3"


def poll(site: Site, etag: str = "") -> tuple[int, str]:
    """Ask for the feed as a calendar app does, and return how many bytes came, and its ETag."""
    headers = {"User-Agent": AGENT, **({"If-None-Match": etag} if etag else {})}
    request = urllib.request.Request(site.url + FEED, headers=headers)
    with urllib.request.urlopen(request, timeout=PATIENCE) as response:
        return len(response.read()), str(response.headers["ETag"])


def test_polls_are_kept_when_the_server_ends_and_nothing_of_who_asked(tmp_path: Path) -> None:
    site = Site(tmp_path / "site")
    with site.serving() as serve:
        for _ in range(20):
            size, etag = poll(site)
        for _ in range(10):
            with pytest.raises(HTTPError, match="304"):
                poll(site, etag)
        assert serve.end() == 0
        assert AGENT not in serve.everything
    kept = site.folder / "var" / "calfeed.sqlite3"
    database = Database(f"sqlite:///{kept}")
    with database.read() as connection:
        polls = load_polls(connection, datetime.now(UTC), 2)
    database.close()
    assert polls == [PollCounts(FEED, "Other programs", 20, 10, 20 * size)]
    assert all(AGENT.encode() not in one.read_bytes() for one in kept.parent.glob("*.sqlite3*"))
