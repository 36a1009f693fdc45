"""Let many workers fall upon one backlog, and prove that none takes what another has.

`python -m tests.acceptance.crowd` publishes 40,000 deliveries that are due at once to 8 workers
on PostgreSQL, and prints the figures.
"""

from __future__ import annotations

import argparse
import random
import time
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.acceptance.fleet import Fleet
from tests.acceptance.postgresql import run_postgresql
from tests.acceptance.proof import Proof
from tests.acceptance.sink import WELL
from tests.acceptance.trial import Scale, trial

_RECEIVERS = 20


def share_a_backlog(
    folder: Path, url: str, *, workers: int, deliveries: int, receivers: int = _RECEIVERS
) -> Proof:
    """Deliver a backlog with so many workers, and compare.

    Each receiver is told of each event twice: that it is added, and that its time comes.
    """
    due = deliveries // receivers // 2
    scale = Scale([WELL] * receivers, due=due, over=timedelta(0), pause=0)
    with trial(folder, url, scale, random.Random(0)) as one:
        with Fleet(one.site, workers) as fleet:
            one.publish_drill()
            one.settle()
            fleet.check()
        return one.prove([])


def check(proof: Proof, deliveries: int) -> None:
    """Raise AssertionError unless there were so many, each claimed, attempted and posted once."""
    proof.check()
    assert proof.claims_in_vain == 0, proof
    assert proof.claims == proof.posts == proof.deliveries >= deliveries, proof


def main() -> None:
    """Run it as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--deliveries", type=int, default=40_000)
    asked = parser.parse_args()
    began = time.monotonic()
    with TemporaryDirectory(prefix="calfeed-crowd-") as name, run_postgresql() as server:
        proof = share_a_backlog(
            Path(name) / "site", server.url, workers=asked.workers, deliveries=asked.deliveries
        )
    print(proof)
    print(f"{time.monotonic() - began:>8,.0f}  seconds")
    check(proof, asked.deliveries)


if __name__ == "__main__":
    main()
