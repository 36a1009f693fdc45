"""Nothing is lost and nothing doubled without a reason: short runs of the long scripts.

The long ones are `python -m tests.acceptance.killing`, `.crowd`, `.outages` and `.rolling`.
"""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from tests.acceptance import crowd, outages
from tests.acceptance.killing import kill_all_along
from tests.acceptance.postgresql import run_postgresql
from tests.acceptance.rolling import roll
from tests.acceptance.trial import FOUR, Scale
from tests.pooler import need_pgbouncer, pooled

SHORT = Scale(FOUR, due=22, over=timedelta(seconds=2))


def test_sigkill_at_random_moments_loses_nothing_and_doubles_only_what_was_in_hand(
    engine: str, empty_url: str, tmp_path: Path
) -> None:
    """What comes twice has the id and the bytes that it had before."""
    proof = kill_all_along(
        tmp_path / "site",
        empty_url,
        workers=1 if engine == "sqlite" else 4,
        kills=15,
        deliveries=500,
        seed=random.randrange(1_000_000),
        scale=SHORT,
        hurried=True,
    )
    proof.check()
    assert proof.kills >= 15
    assert proof.deliveries >= 500


@pytest.mark.parametrize("engine", ["postgresql"])
def test_so_it_is_behind_a_pooler(postgresql: str, empty_url: str, tmp_path: Path) -> None:
    """Four workers, publishes and a test share two connections to the server."""
    need_pgbouncer()
    name = make_url(empty_url).database
    with pooled(postgresql) as pooler:
        url = make_url(pooler).set(database=name).render_as_string(hide_password=False)
        proof = kill_all_along(
            tmp_path / "site",
            url,
            workers=4,
            kills=10,
            deliveries=300,
            seed=random.randrange(1_000_000),
            scale=SHORT,
            hurried=True,
        )
    proof.check()
    assert proof.kills >= 10


@pytest.mark.parametrize("engine", ["postgresql"])
def test_eight_workers_over_one_backlog_attempt_each_delivery_once(
    empty_url: str, tmp_path: Path
) -> None:
    proof = crowd.share_a_backlog(
        tmp_path / "site", empty_url, workers=8, deliveries=2_000, receivers=4
    )
    crowd.check(proof, 2_000)


@pytest.mark.usefixtures("postgresql")  # that there is one here; the test has its own
def test_workers_and_feeds_outlive_a_database_that_is_stopped_at_once(tmp_path: Path) -> None:
    """The feeds are served all the while, and soon afterwards what is published next."""
    with run_postgresql() as server:
        proof = outages.stop_again_and_again(
            tmp_path / "site", server, workers=2, stops=1, scale=SHORT
        )
    outages.check(proof)


@pytest.mark.parametrize("engine", ["postgresql"])
def test_services_are_killed_and_upgraded_one_by_one_without_a_gap(
    empty_url: str, tmp_path: Path
) -> None:
    """Two web servers behind nginx with TLS, two workers: nothing is lost, no request fails."""
    done = roll(tmp_path / "site", empty_url, deliveries=300, scale=SHORT, hurried=True)
    done.check()
    assert done.kills >= 2
    assert done.upgrades >= 4
    assert len(done.versions) == 2
    assert done.reader.count > 50
