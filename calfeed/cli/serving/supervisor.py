"""Supervise child processes: start them, restart those that end, stop them together."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Self

from calfeed.errors import CalfeedError

TERMINAL_SIGNALS = frozenset({signal.SIGINT, signal.SIGHUP})
"""The signals that a terminal sends to every process, on Ctrl-C and when it is closed."""

_START_SECONDS = 120.0
_STOP_SECONDS = 20.0
_MAX_RESTART_DELAY = 30.0
_STABLE_SECONDS = 60.0
"""A process that has run for this long counts as stable, and its restart delay is reset."""


class Part:
    """A child process, with a pipe from this process as standard input.

    `environment` is used instead of the environment of this process.
    """

    def __init__(
        self, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self._command = list(command)
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._restart_delay = 1.0

    def start(self) -> None:
        """Start the process."""
        self._started_at = time.monotonic()
        # Children inherit the mask, so that this process stops them in order.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, TERMINAL_SIGNALS)
        try:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, env=self._environment
            )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def ended(self) -> int | None:
        """Return the exit code; None if the process has not ended."""
        return None if self._process is None else self._process.poll()

    @property
    def pid(self) -> int:
        """The id of the process that was started last; 0 if none was."""
        return 0 if self._process is None else self._process.pid

    def is_restart_due(self) -> bool:
        """Whether to restart an ended process now; the delay doubles with each restart."""
        age = time.monotonic() - self._started_at
        if age > _STABLE_SECONDS:
            self._restart_delay = 1.0
        if age < self._restart_delay:
            return False
        self._restart_delay = min(self._restart_delay * 2, _MAX_RESTART_DELAY)
        return True

    def terminate(self) -> None:
        """Ask the process to end."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def wait(self, deadline: float) -> None:
        """Wait for the end of the process; kill it at the deadline (monotonic seconds)."""
        if self._process is None:
            return
        try:
            self._process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()


class Supervisor:
    """Keeps parts running during its `with` block.

    `on_end` is called with the id of each process that ended and is started again.
    """

    def __init__(
        self,
        parts: Sequence[Part],
        echo: Callable[[str], None],
        on_end: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._parts = parts
        self._echo = echo
        self._on_end = on_end

    def __enter__(self) -> Self:
        for part in self._parts:
            part.start()
        return self

    def __exit__(self, *_: object) -> None:
        for part in self._parts:
            part.terminate()
        deadline = time.monotonic() + _STOP_SECONDS
        for part in self._parts:
            part.wait(deadline)

    def all_run(self) -> bool:
        """Whether every part runs."""
        return all(part.ended() is None for part in self._parts)

    def revive(self) -> None:
        """Restart the parts that have ended."""
        for part in self._parts:
            code = part.ended()
            if code is not None and part.is_restart_due():
                self._echo(f"the {part.name} ended (exit code {code}); starting it again")
                self._on_end(part.pid)
                part.start()

    def wait_until(self, url: str, stopping: threading.Event) -> None:
        """Return once a URL of the web server responds. Raises CalfeedError after a timeout."""
        deadline = time.monotonic() + _START_SECONDS
        while not stopping.wait(0.05):
            with suppress(OSError), urllib.request.urlopen(url, timeout=2):
                return
            for part in self._parts:
                if part.ended() is not None:
                    raise CalfeedError(f"the {part.name} could not be started; see above")
            if time.monotonic() > deadline:
                raise CalfeedError(f"the web server did not respond in {_START_SECONDS:.0f} s")
