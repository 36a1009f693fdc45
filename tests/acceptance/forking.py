"""Runs `calfeed` commands in processes that need not import it first.

Importing is most of what a short command does, and of the start of one that goes on; a test of what
a command does runs a dozen. So a process that has imported everything forks for each of them. What
it runs is `calfeed` as it is: in a process of its own, with its own folder, environment, output and
exit code. Tests that are about starting start from the beginning (`anew` of `Site.running`), as do
some of each kind of command.
"""

from __future__ import annotations

import gc
import json
import os
import pkgutil
import select
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from struct import Struct
from tempfile import TemporaryFile
from typing import IO

import calfeed
from calfeed.cli import main
from tests.acceptance.parts import Process, is_readable, keep_spares, run_to_end
from tests.patience import PATIENCE

_ENVIRONMENT = os.environ | {"LANG": "C.UTF-8"}
"""The environment in which everything was imported."""

_LONGEST = 1_000_000
"""Bytes of a request: words and environment."""

_NUMBER = Struct("i")
"""What is told of a process: its number, and in the end its exit code."""


class Forked(Process):
    """A command that the forker started."""

    def __init__(self, told: int) -> None:
        """What becomes of it is `told` in this pipe."""
        self._told = os.fdopen(told, "rb", buffering=0)
        self.pid = self._read()

    def _await(self, seconds: float | None) -> int | None:
        if not is_readable(self._told.fileno(), seconds):
            return None
        code = self._read()
        self._told.close()
        return code

    def _read(self) -> int:
        number: int
        (number,) = _NUMBER.unpack(self._told.read(_NUMBER.size))
        return number


class Forker:
    """A process that forks for each command."""

    def __init__(self) -> None:
        self._own, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with other:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(other.fileno())],
                pass_fds=[other.fileno()],
                cwd=Path(__file__).parents[2],
                env=_ENVIRONMENT,
                stdin=subprocess.DEVNULL,
            )

    def run(
        self, words: Sequence[str], folder: Path, environment: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        """Run `calfeed` with these words to its end."""
        with TemporaryFile() as out, TemporaryFile() as err:
            code = self.start(words, folder, environment, out.fileno(), err.fileno()).wait(PATIENCE)
            return subprocess.CompletedProcess(["calfeed", *words], code, _read(out), _read(err))

    def start(
        self,
        words: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        out: int,
        err: int,
    ) -> Forked:
        """Start `calfeed` with these words, in a session of its own; it prints to these files."""
        asked = json.dumps([words, str(folder), dict(environment)]).encode()
        told, telling = os.pipe()
        try:
            socket.send_fds(self._own, [asked], [out, err, telling])
        finally:
            os.close(telling)
        return Forked(told)


@cache
def start_forker() -> Forker:
    """The one of this process."""
    return Forker()


def can_fork(environment: Mapping[str, str]) -> bool:
    """Whether nothing in an environment is read when Python starts, or by a library of its own."""
    return all(
        _is_free(name) or _ENVIRONMENT.get(name) == text for name, text in environment.items()
    )


def _is_free(name: str) -> bool:
    return name.startswith("CALFEED_") or name == "HOME"


def _read(file: IO[bytes]) -> str:
    file.seek(0)
    # With line ends as subprocess gives them for text.
    return file.read().decode().replace("\r\n", "\n").replace("\r", "\n")


def _serve(asking: int) -> None:
    """Fork for each command that is asked for, until nobody can ask any longer."""
    running: dict[int, tuple[int, int]] = {}
    looking = select.poll()
    looking.register(asking, select.POLLIN)
    while True:
        for ready, _ in looking.poll():
            if ready != asking:
                child, telling = running.pop(ready)
                code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
                _tell(telling, code)
                looking.unregister(ready)
                os.close(ready)
                os.close(telling)
                continue
            asked, files = _receive(asking)
            if not asked:
                return
            *output, telling = files
            child = os.fork()
            if not child:
                words, folder, environment = json.loads(asked)
                _become(words, folder, environment, output)
                run_to_end(main)
            for file in output:
                os.close(file)
            _tell(telling, child)
            end = os.pidfd_open(child)
            looking.register(end, select.POLLIN)
            running[end] = child, telling


def _receive(asking: int) -> tuple[bytes, list[int]]:
    with socket.socket(fileno=os.dup(asking)) as own:
        asked, files, _, _ = socket.recv_fds(own, _LONGEST, 3)
    return asked, files


def _tell(telling: int, number: int) -> None:
    with suppress(BrokenPipeError):  # where the test is through with it
        os.write(telling, _NUMBER.pack(number))


def _become(words: list[str], folder: str, environment: dict[str, str], output: list[int]) -> None:
    """Make this process one that was started so."""
    os.setsid()
    for file, number in zip(output, (1, 2), strict=True):
        os.dup2(file, number)
    # What the forker has open is of no concern to it. All of that is known by its number alone, so
    # that nothing closes the number again when it is another file's.
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    sys.argv = ["calfeed", *words]
    keep_spares(words[0])


if __name__ == "__main__":
    for module in pkgutil.walk_packages(calfeed.__path__, "calfeed."):
        if ".migrations." not in module.name and not module.name.endswith("__main__"):
            import_module(module.name)
    import_module("alembic.command")  # which a first publish imports
    # What is imported is no garbage: looking through it would give each child a copy of it.
    gc.freeze()
    _serve(int(sys.argv[1]))
