"""Child processes: started together, started again when one dies, stopped together."""

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

_START = 120.0
"""Seconds in which a part that lives has to answer, however busy the machine is."""

_STOP = 20.0
_LONGEST_PAUSE = 30.0
_STEADY = 60.0


class Part:
    """One child process. Its standard input is a pipe that ends when this process does.

    It gets `environment` in the place of this process's own.
    """

    def __init__(
        self, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self._command = list(command)
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._pause = 1.0

    def start(self) -> None:
        """Start the process."""
        self._started = time.monotonic()
        # A terminal sends Ctrl-C to every process. Only this one shall see it, and end the others
        # in good order: what a child blocks when it starts, its own children block as well.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, env=self._environment
            )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def ended(self) -> int | None:
        """The exit code of a process that is no longer there."""
        return None if self._process is None else self._process.poll()

    def due_again(self) -> bool:
        """Whether an ended process should be started now: at once, then with growing pauses."""
        lived = time.monotonic() - self._started
        if lived > _STEADY:
            self._pause = 1.0
        if lived < self._pause:
            return False
        self._pause = min(self._pause * 2, _LONGEST_PAUSE)
        return True

    def terminate(self) -> None:
        """Ask the process to end."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def wait(self, deadline: float) -> None:
        """Wait for the end of the process, and force it at the deadline (monotonic seconds)."""
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
    """Keeps parts running for as long as the `with` block lasts."""

    def __init__(self, parts: Sequence[Part], say: Callable[[str], None]) -> None:
        self._parts = parts
        self._say = say

    def __enter__(self) -> Self:
        for part in self._parts:
            part.start()
        return self

    def __exit__(self, *_: object) -> None:
        for part in self._parts:
            part.terminate()
        deadline = time.monotonic() + _STOP
        for part in self._parts:
            part.wait(deadline)

    def revive(self) -> None:
        """Start again what has died."""
        for part in self._parts:
            code = part.ended()
            if code is not None and part.due_again():
                self._say(f"the {part.name} ended (exit code {code}); starting it again")
                part.start()

    def wait_until(self, url: str, stopping: threading.Event) -> None:
        """Return once a URL of ours answers. Raises CalfeedError when it does not in time."""
        deadline = time.monotonic() + _START
        while not stopping.wait(0.05):
            with suppress(OSError), urllib.request.urlopen(url, timeout=2):
                return
            for part in self._parts:
                if part.ended() is not None:
                    raise CalfeedError(f"the {part.name} could not be started; see above")
            if time.monotonic() > deadline:
                raise CalfeedError(f"the web server did not answer within {_START:.0f} s")
