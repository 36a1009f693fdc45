"""A short run of `python -m tests.acceptance.mailing`."""

from __future__ import annotations

import random
from pathlib import Path

from tests.acceptance.mailing import kill_while_mailing


def test_workers_that_are_killed_while_they_send_mails_lose_none(tmp_path: Path) -> None:
    """What comes twice has the Message-ID that it had before; who has left gets nothing more."""
    seed = random.randrange(1_000_000)
    proof = kill_while_mailing(tmp_path / "site", people=60, kills=4, changes=3, seed=seed)
    proof.check()
    assert (proof.kills, proof.changes) == (4, 3)
    assert proof.paused == 6
