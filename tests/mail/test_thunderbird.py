"""Calfeed's entries in Thunderbird: taken, moved and removed with one click each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.thunderbird import Thunderbird
from tests.acceptance.thunderbird import thunderbird as run_thunderbird
from tests.mail.branch import FROM, Follower, MailBranch
from tests.mail.test_contents import WEEKLY, calendar_of, hearing, newest, tell

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("engine", ["sqlite"])]

READER = "reader@example.org"


@pytest.fixture
def thunderbird(tmp_path: Path) -> Iterator[Thunderbird]:
    with run_thunderbird(tmp_path / "profile") as running:
        running.add_mailbox(READER)
        yield running


def entry_of(branch: MailBranch) -> bytes:
    """The entry in the newest mail to the reader."""
    content = calendar_of(newest(branch, READER))
    assert content is not None
    return content


def test_an_entry_is_taken_moves_and_goes(branch: MailBranch, thunderbird: Thunderbird) -> None:
    """An older mail that comes later changes nothing."""
    branch.follow(Follower(READER))
    tell(branch, hearing("2025-06-30 10:00"))
    first = entry_of(branch)
    taken = thunderbird.take(first, FROM, READER)
    assert "imipAcceptButton" in taken.buttons
    assert taken.starts == ["20250630T100000"]
    tell(branch, hearing("2025-08-31 11:30"))
    moved = thunderbird.take(entry_of(branch), FROM, READER)
    assert (moved.method, moved.starts) == ("REQUEST:UPDATE", ["20250831T113000"])
    assert thunderbird.take(first, FROM, READER).starts == ["20250831T113000"]
    tell(branch, hearing("2025-08-31 11:30", "status: cancelled"))
    gone = thunderbird.take(entry_of(branch), FROM, READER)
    assert (gone.method, gone.buttons, gone.starts) == ("CANCEL", ["imipDeleteButton"], [])


def test_one_occurrence_of_a_series_moves_and_one_goes(
    branch: MailBranch, thunderbird: Thunderbird
) -> None:
    branch.follow(Follower(READER))
    tell(branch, WEEKLY.format(more=""))
    days = ["0610", "0617", "0624", "0701", "0708", "0715"]
    taken = thunderbird.take(entry_of(branch), FROM, READER)
    assert taken.starts == [f"2025{day}T100000" for day in days]
    changes = ", changes: {2025-06-17 10:00: {start: 2025-06-18 12:00}}"
    tell(branch, WEEKLY.format(more=changes))
    moved = thunderbird.take(entry_of(branch), FROM, READER)
    expected = ["20250610T100000", "20250618T120000", "20250624T100000"]
    assert moved.starts[:3] == expected
    tell(branch, WEEKLY.format(more=f"{changes}, except: [2025-07-01 10:00]"))
    fewer = thunderbird.take(entry_of(branch), FROM, READER)
    assert fewer.starts == [*expected, "20250708T100000", "20250715T100000"]
