"""Workers of calfeed that are killed and started again, and publishes that run beside them."""

from __future__ import annotations

import random
import time
from typing import Self

from tests.acceptance.forking import Forked, start_forker
from tests.acceptance.site import Site


def _start(site: Site, word: str) -> Forked:
    """Fork it, so that what is killed is at its work, and not at its imports."""
    with (site.folder / f"{word}.log").open("ab") as log:
        file = log.fileno()
        return start_forker().start((word,), site.folder, site.environment, file, file)


def _kill(process: Forked) -> None:
    process.kill()
    process.wait()


class Fleet:
    """So many workers at a time; `with` it. `kills` is when each SIGKILL came (monotonic)."""

    def __init__(self, site: Site, count: int) -> None:
        self._site = site
        self._workers = [_start(site, "worker") for _ in range(count)]
        self._started = [time.monotonic()] * count
        self.kills: list[float] = []

    def __len__(self) -> int:
        return len(self._workers)

    def age(self, index: int) -> float:
        """For how many seconds a worker has been running."""
        return time.monotonic() - self._started[index]

    def kill(self, *indexes: int) -> None:
        """SIGKILL workers, and start others in their place at once."""
        self.check()
        for index in indexes:
            self._kill(index)
        for index in indexes:
            self._started[index] = time.monotonic()
            self._workers[index] = _start(self._site, "worker")

    def check(self) -> None:
        """Raise AssertionError where a worker has ended by itself."""
        codes = [worker.poll() for worker in self._workers]
        log = (self._site.folder / "worker.log").read_text("utf-8")[-4000:]
        assert codes == [None] * len(self), f"a worker ended by itself: {codes}\n{log}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for index in range(len(self)):
            self._kill(index)

    def _kill(self, index: int) -> None:
        self.kills.append(time.monotonic())
        _kill(self._workers[index])


class Publishing:
    """`calfeed publish`, run beside what else is done, at times killed and repeated; `with` it."""

    def __init__(self, site: Site, choose: random.Random) -> None:
        self._site = site
        self._choose = choose
        self._process: Forked | None = None
        self._doom = 0.0
        self.kills = 0

    @property
    def done(self) -> bool:
        """Whether what was last asked for is published."""
        return self._process is None

    def begin(self) -> None:
        """Publish what is defined now."""
        self._process = _start(self._site, "publish")
        # One in three is killed within the time that it takes.
        fate = self._choose.uniform(0, 0.5) if self._choose.random() < 1 / 3 else float("inf")
        self._doom = time.monotonic() + fate

    def tend(self) -> None:
        """Go on with it: see whether it has ended, or end and repeat it."""
        if self._process is None:
            return
        code = self._process.poll()
        if code is None and time.monotonic() >= self._doom:
            _kill(self._process)
            self.kills += 1
            self.begin()
        elif code is not None:
            log = (self._site.folder / "publish.log").read_text("utf-8")[-4000:]
            assert code == 0, f"publish ended with {code}\n{log}"
            self._process = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            _kill(self._process)
