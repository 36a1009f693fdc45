"""When `serve` publishes: at the start, and after each change of the definitions, at rest."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import watchfiles

from calfeed.cli import output
from calfeed.cli.serving.publisher import Publisher
from calfeed.cli.serving.resting import STALE, Rest, last_change, take_look
from calfeed.definitions.files import DefinitionFile, is_definition
from calfeed.settings import Settings

_TICK, _SELDOM = 0.25, 2.0
"""Seconds between two looks at a folder, a small one and a large one."""

_SHARE = 0.02
"""Of the time, to look at a folder that is not large in which nothing happens."""

_LONG = STALE + 5.0
"""Seconds without a rest after which that is said: git's lock was waited for by then."""

_RETRY = 2.0
"""Seconds from a publish that failed for want of a database or of a file to the next try."""

# Milliseconds: a pause of this length ends a batch of events, or its own length does.
_PAUSE, _LONGEST = 100, 300


class Watcher:
    """Publishes a folder whenever it has come to rest with something else in it.

    Additions, moves and changes are published at once then; what goes away or is cancelled, when
    the folder has been at rest for as long as the settings say.
    """

    def __init__(
        self,
        publisher: Publisher,
        settings: Settings,
        say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._publisher = publisher
        self._folder = settings.events
        self._removal_wait = settings.removal_wait
        self._say = say
        self._clock = clock
        now = clock()
        look = take_look(self._folder)
        age = output.now().timestamp() - last_change(self._folder, look)
        self._rest = Rest(look, now - max(0.0, age))
        self._look_at = now
        self._done: tuple[DefinitionFile, ...] | None = None
        self._published = False
        self._busy_since = now
        self._retry_at = math.inf
        self._holds = False

    def begin(self, stopping: threading.Event, patience: float) -> bool:
        """Publish as soon as the folder is at rest, and return whether that was done.

        It gives up after so many seconds of `patience`: `watch` goes on.
        """
        end = self._clock() + patience
        self.tick()
        if self._done is None:
            self._say(f"{self._folder} is being changed; waiting until that is done")
        while self._done is None and self._clock() < end and not stopping.wait(_TICK):
            self.tick()
        return self._published

    def watch(self, stopping: threading.Event, between: Callable[[], None]) -> None:
        """Publish after each change until stopped; `between` is called several times a second."""
        for changed in self._changes(stopping):
            self.tick(any(is_definition(path) for _, path in changed))
            between()

    def _changes(self, stopping: threading.Event) -> Iterator[set[Any]]:
        """What the system reports of the folder, and an empty set whenever that is nothing.

        It reports nothing of a folder that is not there, that took the place of the one there
        was, or that is on a file system without events: then looks have to do.
        """
        while not stopping.is_set():
            self._look_at = self._clock()  # what changed before the watch begins is not reported
            try:
                yield from watchfiles.watch(
                    self._folder,
                    watch_filter=None,
                    stop_event=stopping,
                    debounce=_LONGEST,
                    step=_PAUSE,
                    rust_timeout=int(_TICK * 1000),
                    yield_on_timeout=True,
                    raise_interrupt=False,
                    ignore_permission_denied=True,
                )
            except (OSError, RuntimeError):  # no such folder; or no more watches to be had
                yield set()
            stopping.wait(_TICK)

    def tick(self, stirred: bool = False) -> None:
        """Look, where it is time to, and publish, where it is time to.

        `stirred` says that definition files have been changing up to now.
        """
        now = self._clock()
        if stirred:
            self._rest.stir(now)
        elif self._rest.stirred or now >= self._look_at or self._is_due(now):
            self._look(now)
            if self._is_due(now):
                self._publish(now)
        self._report_unrest(now)

    def _look(self, now: float) -> None:
        look = take_look(self._folder)
        cost = self._clock() - now
        self._rest.see(look, now)
        self._look_at = now + min(max(_TICK, cost / _SHARE), _SELDOM)

    def _is_due(self, now: float) -> bool:
        return self._rest.reached(now) and (
            self._rest.look.files != self._done
            or (self._holds and self._is_ripe(now))
            or now >= self._retry_at
            or self._publisher.stale
        )

    def _is_ripe(self, now: float) -> bool:
        """Whether what goes away may be published: it could be back after each change."""
        return self._rest.calm(now) >= self._removal_wait

    def _publish(self, now: float) -> None:
        for lock in self._rest.pass_over():
            self._say(
                f"git seems to be at work, since there is {lock.path}; but nothing has changed for "
                "a minute: publishing the definitions as they are"
            )
        files = self._rest.look.files
        outcome = self._publisher.publish(files, hold_removals=not self._is_ripe(now))
        if outcome is None:
            self._look_at = now
            return
        self._done = files
        self._published = outcome.published
        self._retry_at = now + _RETRY if outcome.again else math.inf
        self._holds = bool(outcome.held)

    def _report_unrest(self, now: float) -> None:
        """Say it, once, where a folder does not come to rest."""
        if self._rest.look.files == self._done and not self._rest.stirred:
            self._busy_since = now
        elif now - self._busy_since >= _LONG:
            self._busy_since = math.inf
            self._say(
                f"{self._folder} has not come to rest for a minute; what changed in it is "
                "published when nothing changes for a second"
            )
