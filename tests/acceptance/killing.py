"""Kill calfeed at random moments while it delivers, and prove that nothing is lost.

`python -m tests.acceptance.killing --database postgresql` publishes drills one after the other, to
receivers some of which fail now and then, and ends workers and publishes with SIGKILL all the
while. It prints the figures, and fails where anything is wrong.
"""

from __future__ import annotations

import argparse
import random
import time
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.acceptance.fleet import Fleet, Publishing
from tests.acceptance.postgresql import run_postgresql
from tests.acceptance.proof import Proof
from tests.acceptance.trial import FOUR, Scale, Trial, trial
from tests.patience import PATIENCE
from tests.pooler import pooled

SCALE = Scale(FOUR * 5, due=22, over=timedelta(seconds=8))

_GROWN = 0.5  # seconds after which a worker has surely started
_STRETCH = 120  # posts at most between two kills
_GLANCE = 1.0  # seconds to wait for them before a look whether there are any to come
_RECORDED = 0.1  # seconds in which a post may be answered and its attempt recorded
_TOLD = 100  # kills from one line about them to the next
_LOOK = 0.002  # seconds between two looks at how far it is


class Killing:
    """A run with so many kills while so many drills are delivered."""

    def __init__(
        self, one: Trial, fleet: Fleet, publishing: Publishing, choose: random.Random
    ) -> None:
        self._trial, self._fleet, self._publishing = one, fleet, publishing
        self._choose = choose

    def run(self, kills: int, drills: int) -> None:
        """Kill until there are so many kills, while drills are published evenly among them."""
        while len(self._fleet.kills) < kills:
            if self._trial.drills.count * kills <= len(self._fleet.kills) * drills:
                self._publish()
            victims = [self._choose.randrange(len(self._fleet))]
            if self._choose.random() < 0.05:
                victims = list(range(len(self._fleet)))
            self._await_moment(victims[0])
            self._fleet.kill(*victims)
            if len(self._fleet.kills) % _TOLD < len(victims):
                print(f"{len(self._fleet.kills)} kills, {self._trial.sink.count} posts", flush=True)
        while self._trial.drills.count < drills or not self._publishing.done:
            self._publish()
            self._go_on()

    def _publish(self) -> None:
        if self._publishing.done:
            self._trial.drills.write()
            self._publishing.begin()

    def _await_moment(self, victim: int) -> None:
        """Wait for a moment to kill: some of them while the worker starts, most at its work."""
        if self._choose.random() < 0.25:
            age = self._choose.uniform(0, _GROWN)
            while self._fleet.age(victim) < age:
                self._go_on()
            return
        posts = self._trial.sink.count + self._choose.randrange(1, _STRETCH)
        look, limit = time.monotonic() + _GLANCE, time.monotonic() + PATIENCE
        while self._trial.sink.count < posts:
            if time.monotonic() >= look:
                if not self._trial.has_work():
                    break
                assert time.monotonic() < limit, "there is work, and nobody does it"
                look += _GLANCE
            self._go_on()
        # Not to wait for something: any moment between a post and its record may be the last.
        time.sleep(self._choose.uniform(0, _RECORDED))

    def _go_on(self) -> None:
        self._publishing.tend()
        time.sleep(_LOOK)  # between two looks at other processes, which cannot tell us


def kill_all_along(
    folder: Path,
    url: str,
    *,
    workers: int,
    kills: int,
    deliveries: int,
    seed: int,
    scale: Scale = SCALE,
    hurried: bool = False,
) -> Proof:
    """Deliver at least so much while killing, wait until all is settled, and compare.

    `hurried` lets what was in the hands of the last workers come back without a wait.
    """
    choose = random.Random(seed)
    with trial(folder, url, scale, choose) as one:
        # The changes of a drill come with the next one.
        drills = 1 + -(-deliveries // one.drills.deliveries_each)
        with Publishing(one.site, choose) as publishing, Fleet(one.site, workers) as fleet:
            Killing(one, fleet, publishing, choose).run(kills, drills)
        if hurried:
            one.end_leases()
        with Fleet(one.site, workers) as last:
            one.settle()
            last.check()
        print(f"{publishing.kills:>8,}  kills of a publish")
        return one.prove(fleet.kills)


def main() -> None:
    """Run it as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgresql", "pgbouncer"], required=True)
    parser.add_argument("--workers", type=int, help="by default 1 on SQLite, 4 on PostgreSQL")
    parser.add_argument("--kills", type=int, default=1_000)
    parser.add_argument("--deliveries", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    began = time.monotonic()
    with TemporaryDirectory(prefix="calfeed-killing-") as name, ExitStack() as stack:
        url, workers = f"sqlite:///{name}/calfeed.sqlite3", 1
        if asked.database != "sqlite":
            url, workers = stack.enter_context(run_postgresql()).url, 4
        if asked.database == "pgbouncer":
            url = stack.enter_context(pooled(url))
        proof = kill_all_along(
            Path(name) / "site",
            url,
            workers=asked.workers or workers,
            kills=asked.kills,
            deliveries=asked.deliveries,
            seed=asked.seed,
        )
    print(proof)
    print(f"{time.monotonic() - began:>8,.0f}  seconds")
    proof.check()


if __name__ == "__main__":
    main()
