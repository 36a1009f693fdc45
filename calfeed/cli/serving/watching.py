"""Watch the definitions for `serve`: publish at the start and after changes have settled."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import watchfiles

from calfeed.cli import output
from calfeed.cli.serving.debounce import (
    STALE_LOCK_SECONDS,
    FolderDebounce,
    last_change,
    read_folder_state,
)
from calfeed.cli.serving.publisher import Publisher
from calfeed.definitions.files import DefinitionFile, is_definition
from calfeed.settings import Settings

_MIN_POLL_SECONDS, _MAX_POLL_SECONDS = 0.25, 2.0
"""The interval of polling, for a small and a large folder."""

_POLL_SHARE = 0.02
"""The share of time to spend on polling."""

_UNSETTLED_SECONDS = STALE_LOCK_SECONDS + 5.0
"""A folder that does not settle for this long is reported; stale locks are then ignored."""

_RETRY_SECONDS = 2.0
"""The delay before a retry, if the database or a file could not be used."""

_EVENT_PAUSE_MS, _EVENT_BATCH_MS = 100, 300
"""The pause that ends a batch of events, and the maximum duration of a batch."""


class Watcher:
    """Publishes a folder whenever it has changed and settled.

    Additions, moves and changes are published then. Removals and cancellations are published once
    nothing has changed for `removal_wait` seconds.
    """

    def __init__(
        self,
        publisher: Publisher,
        settings: Settings,
        echo: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._publisher = publisher
        self._folder = settings.events
        self._removal_wait = settings.removal_wait
        self._echo = echo
        self._clock = clock
        now = clock()
        state = read_folder_state(self._folder)
        age = output.now().timestamp() - last_change(self._folder, state)
        self._debounce = FolderDebounce(state, now - max(0.0, age))
        self._poll_at = now
        self._handled: tuple[DefinitionFile, ...] | None = None  # the files of the last publish
        self._published = False
        self._unsettled_since = now
        self._retry_at = math.inf
        self._has_held = False

    def begin(self, stopping: threading.Event, timeout: float) -> bool:
        """Publish as soon as the folder has settled; return whether that was done.

        If the folder has not settled after `timeout` seconds, `watch` publishes later.
        """
        end = self._clock() + timeout
        self.tick()
        if self._handled is None:
            self._echo(f"{self._folder} is being changed; waiting until that is done")
        while self._handled is None and self._clock() < end:
            if stopping.wait(_MIN_POLL_SECONDS):
                break
            self.tick()
        return self._published

    def watch(self, stopping: threading.Event, poll: Callable[[], None]) -> None:
        """Publish after each change until `stopping` is set; call `poll` several times a second."""
        for changes in self._changes(stopping):
            self.tick(any(is_definition(path) for _, path in changes))
            poll()

    def _changes(self, stopping: threading.Event) -> Iterator[set[Any]]:
        """Yield the changes that the system reports, and an empty set several times a second.

        The system reports nothing for a folder that is missing, that was replaced, or that is on
        some file systems. Polling covers these.
        """
        while not stopping.is_set():
            self._poll_at = self._clock()  # earlier changes are not reported
            try:
                yield from watchfiles.watch(
                    self._folder,
                    watch_filter=None,
                    stop_event=stopping,
                    debounce=_EVENT_BATCH_MS,
                    step=_EVENT_PAUSE_MS,
                    rust_timeout=int(_MIN_POLL_SECONDS * 1000),
                    yield_on_timeout=True,
                    raise_interrupt=False,
                    ignore_permission_denied=True,
                )
            except (OSError, RuntimeError):  # no such folder, or no free inotify watches
                yield set()
            stopping.wait(_MIN_POLL_SECONDS)

    def tick(self, changing: bool = False) -> None:
        """Poll the folder and publish, if due; `changing` if definition files have just changed."""
        now = self._clock()
        if changing:
            self._debounce.mark_changing(now)
        elif self._debounce.changing or now >= self._poll_at or self._is_due(now):
            self._poll(now)
            if self._is_due(now):
                self._publish(now)
        self._report_unsettled(now)

    def _poll(self, now: float) -> None:
        state = read_folder_state(self._folder)
        seconds = self._clock() - now
        self._debounce.update(state, now)
        interval = max(_MIN_POLL_SECONDS, seconds / _POLL_SHARE)
        self._poll_at = now + min(interval, _MAX_POLL_SECONDS)

    def _is_due(self, now: float) -> bool:
        return self._debounce.is_settled(now) and (
            self._debounce.state.files != self._handled
            or (self._has_held and self._may_remove(now))
            or now >= self._retry_at
            or self._publisher.stale
        )

    def _may_remove(self, now: float) -> bool:
        """Whether nothing has changed for long enough to publish removals."""
        return self._debounce.unchanged_seconds(now) >= self._removal_wait

    def _publish(self, now: float) -> None:
        for lock in self._debounce.ignore_locks():
            self._echo(
                f"git seems to be at work, since there is {lock.path}; but nothing has changed for "
                "a minute: publishing the definitions as they are"
            )
        files = self._debounce.state.files
        outcome = self._publisher.publish(files, hold_removals=not self._may_remove(now))
        if outcome is None:
            self._poll_at = now
            return
        self._handled = files
        self._published = outcome.published
        self._retry_at = now + _RETRY_SECONDS if outcome.again else math.inf
        self._has_held = bool(outcome.held)

    def _report_unsettled(self, now: float) -> None:
        """Report, once, that a folder does not settle."""
        if self._debounce.state.files == self._handled and not self._debounce.changing:
            self._unsettled_since = now
        elif now - self._unsettled_since >= _UNSETTLED_SECONDS:
            self._unsettled_since = math.inf
            self._echo(
                f"{self._folder} has been changing for a minute; the changes are published when "
                "nothing changes for a second"
            )
