"""The processes that `serve` and `web` start, forked like these commands themselves: see `forking`.

A part has to be the child of the command that starts it, so the forker cannot fork for it. Instead
a command has spare children, as many as it starts parts at first: forked before it does anything,
they wait to become one. A part that is started again is started from the beginning.
"""

from __future__ import annotations

import atexit
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NoReturn, TypeAlias

_PARTS = {"serve": 2, "web": 1}
"""How many parts a command starts at first."""

_MODULES = ("calfeed", "calfeed.web")
"""What a part runs with `python -m`."""

_LONGEST = 1_000_000
"""Bytes of a request: words and environment."""


AnyProcess: TypeAlias = "subprocess.Popen[bytes] | Process"
"""One that was started from the beginning, or forked."""


def is_readable(file: int, seconds: float | None) -> bool:
    """Whether there is something to read, or the end, within this time."""
    looking = select.poll()  # which knows numbers above 1,023, other than select(2)
    looking.register(file, select.POLLIN)
    return bool(looking.poll(None if seconds is None else seconds * 1000))


class Process(ABC):
    """A process, as `subprocess.Popen` shows it."""

    pid: int
    returncode: int | None = None

    @abstractmethod
    def _await(self, seconds: float | None) -> int | None:
        """The exit code, if it ends within this time."""

    def poll(self) -> int | None:
        if self.returncode is None:
            self.returncode = self._await(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            self.returncode = self._await(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        return self.returncode

    def send_signal(self, number: signal.Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class _Spare(Process):
    """A child that waits until it becomes a part."""

    def __init__(self) -> None:
        self._asking, asked = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # Ctrl-C is for those who do something.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        self.pid = os.fork()
        if not self.pid:
            self._asking.detach()
            _become_part(asked.detach())
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        asked.close()

    def become(self, words: Sequence[str], environment: Mapping[str, str]) -> None:
        """Let it be `python -m` with these words, and a pipe as its standard input."""
        mask = [int(number) for number in signal.pthread_sigmask(signal.SIG_BLOCK, [])]
        asked = json.dumps([words, dict(environment), mask]).encode()
        reading, writing = os.pipe()
        self.stdin = os.fdopen(writing, "wb")
        with self._asking:
            socket.send_fds(self._asking, [asked], [reading])
        os.close(reading)

    def _await(self, seconds: float | None) -> int | None:
        end = os.pidfd_open(self.pid)
        ended = is_readable(end, seconds)
        os.close(end)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1]) if ended else None


def keep_spares(word: str) -> None:
    """Let this process, which is to be this command, start its parts by what it forks now."""
    if word in _PARTS:
        spares = [_Spare() for _ in range(_PARTS[word])]
        start = partial(_start, spares, subprocess.Popen)
        subprocess.Popen = start  # type: ignore[assignment, misc] # a function in a class's place


def _start(spares: list[_Spare], start: Any, command: Sequence[str], **options: Any) -> Any:
    if not spares or command[:2] != [sys.executable, "-m"] or command[2] not in _MODULES:
        return start(command, **options)
    spare = spares.pop()
    spare.become(command[2:], options["env"] or os.environ)
    return spare


def _become_part(asked: int) -> NoReturn:
    """Become what is asked for; nothing, if the command ends before."""
    # Among them are the sockets of other spares, which are to see that end too.
    os.closerange(3, asked)
    os.closerange(asked + 1, os.sysconf("SC_OPEN_MAX"))
    with socket.socket(fileno=asked) as own:
        request, files, _, _ = socket.recv_fds(own, _LONGEST, 1)
    if not request:
        os._exit(0)
    os.dup2(files[0], 0)
    os.close(files[0])
    words, environment, mask = json.loads(request)
    os.environ.clear()
    os.environ.update(environment)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    module, *sys.argv[1:] = words
    keep_spares(words[1])
    if module != "calfeed":
        del sys.modules[module]  # as it is before `-m`
    run_to_end(partial(runpy.run_module, module, run_name="__main__", alter_sys=True))


def run_to_end(command: Callable[[], object]) -> NoReturn:
    """Run a command in this process, and end it as Python does, but for taking everything apart.

    That is how multiprocessing ends what it forks: taking apart what was imported would be most of
    the work of a short command.
    """
    try:
        command()
        code = 0
    except SystemExit as end:
        if not isinstance(end.code, int | None):
            raise
        code = end.code or 0
    threading._shutdown()  # type: ignore[attr-defined]  # waits for threads
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
