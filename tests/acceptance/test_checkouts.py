"""Only a whole tree is published: a short run of `python -m tests.acceptance.checkouts`."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.acceptance.checkouts import change_and_listen


@pytest.mark.parametrize("changes", [0.0, 0.8])
def test_what_git_and_rsync_and_slow_writers_do_to_the_folder_is_told_only_where_events_changed(
    tmp_path: Path, changes: float
) -> None:
    result = change_and_listen(
        tmp_path / "site", files=60, steps=6, changes=changes, seed=random.randrange(1_000_000)
    )
    result.check()
