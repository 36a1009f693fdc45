"""A CalDAV server with a public and a private calendar."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.caldav.door import Door
from tests.web.published import make_site

BOARD = """
name: Boardroom
time_zone: UTC
visibility: private
events:
  meeting: {summary: Quiet meeting, start: 2027-01-05 10:00}
"""
OPEN = """
name: Open & <free>
description: What is open
time_zone: Europe/Berlin
color: teal
events:
  fair: {summary: Fair <b>, start: 2027-02-01, uid: fair@example.org}
  call: {summary: Call, start: 2027-03-01 10:00, end: 2027-03-01 11:00, uid: call@example.org}
  weekly:
    summary: Weekly
    start: 2027-01-04 09:00
    end: 2027-01-04 10:00
    repeat: {rule: FREQ=WEEKLY;COUNT=10}
    uid: weekly@example.org
"""


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    """A door of the test's own, whose site it may change."""
    yield from _open(tmp_path)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """A door for tests that only look."""
    yield from _open(tmp_path_factory.mktemp("shown"))


def _open(folder: Path) -> Iterator[Door]:
    site = make_site(folder)
    site.publish({"board": BOARD, "open": OPEN})
    yield Door(site)
    site.database.close()
